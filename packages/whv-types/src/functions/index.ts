/** The functions of `WinHvPlatform.dll` and `WinHvEmulation.dll`: types, documentation, and C prototypes as data. */
export * from "./generated/index.ts";
export type * from "./native-memory.ts";
