// What users get from the built packages: `npm run packages`.
// publint and attw look at each package as npm would pack it, size-limit at its size, knip at what nothing uses.
import { join } from "node:path";
import { run } from "./rehearse/run.ts";
import { readPackages } from "./workspace.ts";

const root = process.cwd();
const options = { cwd: root, env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: "0" } };
const tool = (name: string, ...args: string[]): Promise<string> =>
  run(join(root, "node_modules/.bin", name), args, options);

const checks: readonly (readonly [title: string, check: () => Promise<string>])[] = [
  ...readPackages(root).flatMap(({ path, manifest }) => [
    [`publint ${manifest.name}`, () => tool("publint", path, "--strict", "--pack", "npm")] as const,
    [`attw ${manifest.name}`, () => tool("attw", "--pack", path, "--profile", "esm-only", "--no-emoji")] as const,
  ]),
  ["size-limit", () => tool("size-limit")],
  ["knip", () => tool("knip")],
];

for (const [title, check] of checks) {
  try {
    await check();
    console.log(`packages: ${title}`);
  } catch (error) {
    console.error(`packages: ${title} found something:\n${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
