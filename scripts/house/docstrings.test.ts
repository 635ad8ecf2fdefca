import { expect, test } from "vitest";
import { checkDocstrings } from "./docstrings.ts";
import { exportedNames } from "./exported-names.ts";
import { manifestOf, repositoryOf, shown } from "./testdata.ts";

const core = {
  "packages/core/package.json": manifestOf("@gw/core", { ".": "./dist/index.js", "./lint": "./dist/lint/index.js" }),
};

test("accepts documented names, also where only one overload has the docstring", () => {
  const repository = repositoryOf({
    ...core,
    "packages/core/src/index.ts": 'export { a, type B, C as D } from "./a.ts";',
    "packages/core/src/a.ts": `
      /** Does a. */
      export function a(x: string): void;
      export function a(x: number): void;
      export function a(): void {}
      /** Is B. */
      export interface B {}
      /** Is C. */
      class C {}
      export { C };
      export const notPublic = 1;`,
  });
  expect(checkDocstrings(repository)).toEqual([]);
});

test("finds an undocumented name through renames and re-exports, once, where it is declared", () => {
  const repository = repositoryOf({
    ...core,
    "packages/core/src/index.ts": 'export { b as c } from "./b.ts";',
    "packages/core/src/lint/index.ts": 'export { b } from "../b.ts";',
    "packages/core/src/b.ts": 'export { a as b } from "./a.ts";',
    "packages/core/src/a.ts": "// not a docstring\n\nexport const a: number = 1;",
  });
  expect(shown(checkDocstrings(repository))).toEqual([
    "packages/core/src/a.ts:3 c (exported by @gw/core) has no docstring: /** what it does */",
  ]);
});

test("an empty docstring, or one of tags alone, is none", () => {
  const repository = repositoryOf({
    ...core,
    "packages/core/src/index.ts": 'export { a, b } from "./a.ts";',
    "packages/core/src/a.ts": "/** */\nexport type a = 1;\n/** @internal */\nexport class b {}",
  });
  expect(checkDocstrings(repository)).toHaveLength(2);
});

test("lists exported names, telling types from values", () => {
  const repository = repositoryOf({
    ...core,
    "packages/core/src/index.ts": 'export { a, type B, Both } from "./a.ts";\nexport type { C } from "./a.ts";',
    "packages/core/src/a.ts":
      "export const a = 1, z = 2; export class B {} export interface Both {} export const Both = {}; export class C {}",
  });
  const names = exportedNames(repository, "packages/core/src/index.ts");
  expect(names.map(({ name, isType }) => (isType ? `type ${name}` : name))).toEqual(["a", "type B", "Both", "type C"]);
});
