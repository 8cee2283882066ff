// The one form of address that a rehearsal's registry has.

/** Whether an address is one of a registry on this machine, as a rehearsal writes it. */
export function isLoopback(/** @type {unknown} */ url) {
  return typeof url === "string" && /^http:\/\/127\.0\.0\.1:\d{1,5}\/$/.test(url);
}
