// Node's own modules for what a CGI program goes through. An ESM import of `node:fs` loads streams and promises with
// it, 2 ms of each start; asked for so, it is the module that Node has loaded anyway.

/** `node:fs`. */
export const fs: typeof import("node:fs") = process.getBuiltinModule("node:fs");

/** `node:module`. */
export const nodeModule: typeof import("node:module") = process.getBuiltinModule("node:module");
