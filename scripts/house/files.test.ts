import { expect, test } from "vitest";
import { checkFiles } from "./files.ts";
import { manifestOf, repositoryOf, shown } from "./testdata.ts";

const core = { "packages/core/package.json": manifestOf("@gw/core") };
const linesOf = (count: number): string => "export {};\n".repeat(count);

test("accepts 300 lines, and any length in tests", () => {
  const repository = repositoryOf({
    ...core,
    "packages/core/src/a.ts": linesOf(300),
    "packages/core/src/a.test.ts": linesOf(900),
    "packages/core/test/serve.ts": linesOf(900),
    "packages/core/src/deep/er/a.ts": "",
  });
  expect(checkFiles(repository)).toEqual([]);
});

test("refuses 301 lines, in packages and in scripts", () => {
  const repository = repositoryOf({ ...core, "packages/core/src/a.ts": linesOf(301), "scripts/b.mjs": linesOf(400) });
  expect(shown(checkFiles(repository))).toEqual([
    "packages/core/src/a.ts:301 301 lines; at most 300: one concept per file",
    "scripts/b.mjs:301 400 lines; at most 300: one concept per file",
  ]);
});

test.each(["utils.ts", "helpers.ts", "common.ts", "misc.ts", "utils/path.ts", "utils.test.ts"])(
  "refuses the name %s",
  (name) => {
    const repository = repositoryOf({ ...core, [`packages/core/src/${name}`]: "" });
    expect(shown(checkFiles(repository))).toEqual([expect.stringMatching(/says nothing; name the concept/)]);
  },
);

test.each(["HeaderList.ts", "header_list.ts", "Model/a.ts"])("refuses %s, which is not kebab-case", (name) => {
  const repository = repositoryOf({ ...core, [`packages/core/src/${name}`]: "" });
  expect(shown(checkFiles(repository))).toEqual([expect.stringMatching(/is not kebab-case$/)]);
});

test("refuses folders more than two deep below src", () => {
  const repository = repositoryOf({ ...core, "packages/core/src/a/b/c/d.ts": "" });
  expect(shown(checkFiles(repository))).toEqual(["packages/core/src/a/b/c/d.ts:1 lies 3 folders below src; at most 2"]);
});
