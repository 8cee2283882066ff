// Function prototypes and callback types, from the text of the headers: debugging information has no prototypes.

/** @typedef {{ name: string, type: string }} Parameter */
/** @typedef {{ library: string, result: string, parameters: Parameter[] }} Prototype */

/**
 * @param {string} header its text
 * @param {string} library the DLL that exports what the header declares
 * @returns {Record<string, Prototype>}
 */
export function prototypesOf(header, library) {
  // WHvCancelPartitionMigration and WHvCompletePartitionMigration lack WINAPI in the header; on x64 it means nothing.
  return collect(header, /^(HRESULT)\s+(?:WINAPI\s+)?(WHv\w+)\(([^)]*)\);/gm, library);
}

/** `typedef HRESULT (CALLBACK *NAME)(…)`. @param {string} header @param {string} library */
export function callbacksOf(header, library) {
  return collect(header, /^typedef (HRESULT) \(CALLBACK \*(WHV_\w+)\)\(([^)]*)\);/gm, library);
}

/**
 * @param {string} header
 * @param {RegExp} pattern result, name, parameters
 * @param {string} library
 */
function collect(header, pattern, library) {
  /** @type {Record<string, Prototype>} */
  const found = {};
  for (const [, result, name, parameters] of header.matchAll(pattern)) {
    found[name] = { library, result, parameters: parameters.split(",").map(parameterOf) };
  }
  return found;
}

/** `const VOID *Data` is the parameter `Data` of type `const VOID *`. @param {string} text @returns {Parameter} */
function parameterOf(text) {
  const match = /^(.*?)\s*(\w+)$/.exec(text.trim());
  if (!match) throw new Error(`cannot read the parameter "${text}"`);
  return { name: match[2], type: match[1].replace(/\s+/g, " ") };
}

/** Constants that are `#define`d: names and the text of their values. @param {string} header */
export function definesOf(header) {
  return [...header.matchAll(/^#define (WHV_\w+) (\S.*)$/gm)].map(([, name, text]) => ({ name, text: text.trim() }));
}
