// Prints the closing line of CI, "N passed, N failed", from vitest's JSON results.
// Usage: node scripts/count-tests.mjs <folder> <number of failed steps>
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const [folder = "test-results", steps = "0"] = process.argv.slice(2);
const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".json")) : [];
const results = files.map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")));
const sum = (key) => results.reduce((total, result) => total + result[key], 0);
const passed = sum("numPassedTests");
// A step that failed without a failing test (lint, a file that does not load, no results at all) counts as one.
const failed = Math.max(sum("numFailedTests"), Number(steps), passed === 0 ? 1 : 0);

console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
