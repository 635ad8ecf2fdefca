// All tests of the repository: `npm test`. One package: `cd packages/core && npx vitest run`.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { type AllowedSkips, SkipReporter } from "./scripts/testing/skips.ts";

const root = import.meta.dirname;
const isCi = process.env.CI !== undefined && process.env.CI !== "" && process.env.CI !== "false";
const allowedSkips = JSON.parse(readFileSync(join(root, "scripts/allowed-skips.json"), "utf8")) as AllowedSkips;
const workspaces = ["packages", "apps"].flatMap((group) =>
  existsSync(join(root, group)) ? readdirSync(join(root, group)).map((folder) => `${group}/${folder}`) : [],
);
const [major] = process.versions.node.split(".");

export default defineConfig({
  test: {
    projects: [...workspaces, "conformance", "scripts"].filter((folder) =>
      existsSync(join(root, folder, "vitest.config.ts")),
    ),
    reporters: [
      "default",
      new SkipReporter(allowedSkips, isCi),
      ...(isCi
        ? [["json", { outputFile: `test-results/node-${major}.json` }] as ["json", { outputFile: string }]]
        : []),
    ],
  },
});
