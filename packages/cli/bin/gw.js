#!/usr/bin/env node
// Committed, not built: npm links a command only if its file exists when the package is installed.
import { existsSync } from "node:fs";

const main = new URL("../dist/main.js", import.meta.url);
if (existsSync(main)) {
  await import(main.href);
} else {
  process.stderr.write("gw: not built yet: packages/cli/dist/main.js is missing; run `npm run build` first\n");
  process.exitCode = 1;
}
