// All tests of the repository: `npm test`. One package: `cd packages/core && npx vitest run`.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

const groups = ["packages", "apps"].flatMap((group) =>
  existsSync(group) ? readdirSync(group).map((folder) => join(group, folder)) : [],
);

export default defineConfig({
  test: {
    projects: [...groups, "conformance", "scripts"].filter((folder) => existsSync(join(folder, "vitest.config.ts"))),
  },
});
