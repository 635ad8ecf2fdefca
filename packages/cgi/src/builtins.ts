// Node's own modules for the program side. Their ESM wrappers cost a cold start two milliseconds each, these do not.

/** `node:fs`, which Node has loaded anyway. */
export const fs: typeof import("node:fs") = process.getBuiltinModule("node:fs");

/** `node:net`, loaded at the first call: small answers without a body never need it. */
export function net(): typeof import("node:net") {
  return process.getBuiltinModule("node:net");
}
