/* What somebody might put where a library is looked for: planted.dll, which dependent.c needs. */
#include <windows.h>

__declspec(dllexport) int WINAPI Planted(void) { return 1; }
