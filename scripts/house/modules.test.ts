import { expect, test } from "vitest";
import { checkModules } from "./modules.ts";
import { manifestOf, repositoryOf, shown } from "./testdata.ts";

const core = {
  "packages/core/package.json": manifestOf("@gw/core", { ".": "./dist/index.js", "./node": "./dist/node/index.js" }),
};
const check = (files: Readonly<Record<string, string>>): string[] =>
  shown(checkModules(repositoryOf({ ...core, ...files })));

test("accepts entries of named re-exports, and node: below core/src/node", () => {
  const files = {
    "packages/core/src/index.ts":
      '// What users import.\nexport { a, type B } from "./a.ts";\nexport type { C } from "./c.ts";\n',
    "packages/core/src/node/index.ts": 'export { spawn } from "./child.ts";\n',
    "packages/core/src/node/child.ts": 'import { spawn } from "node:child_process";\nexport { spawn };\n',
  };
  expect(check(files)).toEqual([]);
});

test.each([
  "packages/core/src/target/parse.ts",
  "packages/core/src/testing/cuts.ts",
  "packages/fastcgi/src/codec/record.ts",
])("refuses node: in %s", (path) => {
  const files = {
    "packages/fastcgi/package.json": manifestOf("@gw/fastcgi"),
    [path]: '\nimport type { Readable } from "node:stream";',
  };
  expect(check(files)).toEqual([
    `${path}:2 imports node:stream; only core/src/node/ and code that does I/O may import node:`,
  ]);
});

test.each(["./b", "../node/index.js", "./b.mjs"])("refuses the relative import %s", (specifier) => {
  expect(check({ "packages/core/src/a.ts": `import { b } from "${specifier}";` })).toEqual([
    `packages/core/src/a.ts:1 "${specifier}" has no extension; relative imports end in .ts`,
  ]);
});

test.each([
  "export default 1;",
  "export default function app() {}",
  "export default class {}",
  "const a = 1; export { a as default };",
])("refuses a default export: %s", (text) => {
  expect(check({ "packages/core/src/a.ts": text })).toEqual([
    "packages/core/src/a.ts:1 default export; packages export names",
  ]);
});

test("refuses export * anywhere", () => {
  expect(check({ "packages/core/src/a.ts": 'export * from "./b.ts";' })).toEqual([
    "packages/core/src/a.ts:1 export *; name what is exported",
  ]);
});

test.each(['export * from "./a.ts";', "export const a = 1;", 'import "./a.ts";', "const a = 1; export { a };"])(
  "refuses an entry that holds more than named re-exports: %s",
  (text) => {
    expect(check({ "packages/core/src/index.ts": text })[0]).toBe(
      "packages/core/src/index.ts:1 an entry holds named re-exports only: export { x } from",
    );
  },
);

test("refuses an entry of more than 60 lines", () => {
  expect(check({ "packages/core/src/index.ts": 'export { a } from "./a.ts";\n'.repeat(61) })).toEqual([
    "packages/core/src/index.ts:61 61 lines; an entry has at most 60",
  ]);
});

test("refuses an index.ts that package.json does not list", () => {
  expect(check({ "packages/core/src/model/index.ts": 'export { a } from "./a.ts";' })).toEqual([
    'packages/core/src/model/index.ts:1 index.ts is for entries listed in package.json "exports" only',
  ]);
});
