#!/usr/bin/env node
// Committed, not built: npm links a command only if its file exists when the package is installed.
const main = new URL("../dist/main.js", import.meta.url).href;
try {
  await import(main);
} catch (error) {
  if (error?.code !== "ERR_MODULE_NOT_FOUND" || error.url !== main) throw error;
  process.stderr.write("gw: not built yet: packages/cli/dist/main.js is missing; run `npm run build` first\n");
  process.exitCode = 1;
}
