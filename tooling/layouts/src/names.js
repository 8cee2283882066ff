// Names of the generated TypeScript, derived from the names of the C headers. Nothing else derives names.

/** `InstructionLength` -> `instructionLength`: the property of a header's field. */
export function propertyName(field) {
  return field[0].toLowerCase() + field.slice(1);
}

/** `WHV_X64_IO_PORT_ACCESS_CONTEXT` -> `IoPortAccessContext`: the stem of a structure's class. */
export function classStem(type) {
  return type
    .replace(/^_?WHV_(X64_)?/, "")
    .split("_")
    .map((word) => word[0] + word.slice(1).toLowerCase())
    .join("");
}

/** `WHV_X64_IO_PORT_ACCESS_CONTEXT` -> `IoPortAccessContextView`. */
export function viewName(type) {
  return `${classStem(type)}View`;
}

/** `run-exit-context` for messages and file headers. */
export function hex(value, digits = 0) {
  return `0x${value.toString(16).padStart(digits, "0")}`;
}
