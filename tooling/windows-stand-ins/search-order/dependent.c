/* A WinHvPlatform.dll that depends on planted.dll: whoever loads it says by that where dependencies are looked for. */
#include <windows.h>
#include <winhvplatform.h>
#include <string.h>

__declspec(dllimport) int WINAPI Planted(void);

__declspec(dllexport) HRESULT WINAPI WHvGetCapability(WHV_CAPABILITY_CODE code, VOID *buffer, UINT32 size, UINT32 *written) {
  UINT32 answer = (UINT32)Planted();
  (void)code;
  if (size < sizeof answer) return E_INVALIDARG;
  memset(buffer, 0, size);
  memcpy(buffer, &answer, sizeof answer);
  if (written) *written = sizeof answer;
  return S_OK;
}
