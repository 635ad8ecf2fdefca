import { expect, test } from "vitest";
import { checkCycles } from "./cycles.ts";
import { manifestOf, repositoryOf, shown } from "./testdata.ts";

const core = { "packages/core/package.json": manifestOf("@gw/core") };
const src = "packages/core/src";

test("accepts a tree of imports", () => {
  const repository = repositoryOf({
    ...core,
    [`${src}/a.ts`]: 'import { b } from "./b.ts"; import { c } from "./c.ts";',
    [`${src}/b.ts`]: 'import { c } from "./c.ts"; export const b = c;',
    [`${src}/c.ts`]: "export const c = 1;",
  });
  expect(checkCycles(repository)).toEqual([]);
});

test("finds a cycle of values over three files, and reports it once", () => {
  const repository = repositoryOf({
    ...core,
    [`${src}/a.ts`]: 'import { b } from "./b.ts";',
    [`${src}/b.ts`]: 'export { c as b } from "./c.ts";',
    [`${src}/c.ts`]: 'import type { T } from "./d.ts"; import "./a.ts";',
    [`${src}/d.ts`]: 'import "./a.ts";',
  });
  expect(shown(checkCycles(repository))).toEqual([
    `${src}/a.ts:1 import cycle of values: ${src}/a.ts → ${src}/b.ts → ${src}/c.ts → ${src}/a.ts; move what both need into a file of its own`,
  ]);
});

test.each([
  ["import type", 'import type { B } from "./b.ts";'],
  ["import { type }", 'import { type B } from "./b.ts";'],
  ["import() in a type", 'export type A = import("./b.ts").B;'],
])("finds a cycle of types through %s", (_, text) => {
  const repository = repositoryOf({
    ...core,
    [`${src}/a.ts`]: text,
    [`${src}/b.ts`]: 'import { a } from "./a.ts";',
  });
  expect(shown(checkCycles(repository))).toEqual([expect.stringContaining("import cycle of types")]);
});

test("a module loaded later closes no cycle of values, but one of types", () => {
  const repository = repositoryOf({
    ...core,
    [`${src}/a.ts`]: 'export const later = () => import("./b.ts");',
    [`${src}/b.ts`]: 'import { later } from "./a.ts";',
  });
  expect(shown(checkCycles(repository))).toEqual([expect.stringContaining("cycle of types")]);
});

test("finds two separate cycles", () => {
  const repository = repositoryOf({
    ...core,
    [`${src}/a.ts`]: 'import "./b.ts";',
    [`${src}/b.ts`]: 'import "./a.ts";',
    [`${src}/c.ts`]: 'import "./a.ts"; import "./d.ts";',
    [`${src}/d.ts`]: 'import "./c.ts";',
  });
  expect(checkCycles(repository).map(({ file }) => file)).toEqual([`${src}/a.ts`, `${src}/c.ts`]);
});

test("follows package names to their sources", () => {
  const repository = repositoryOf({
    ...core,
    "packages/http/package.json": manifestOf("@gw/http", undefined, ["@gw/core"]),
    [`${src}/index.ts`]: 'export { x } from "@gw/http";',
    "packages/http/src/index.ts": 'export { y } from "@gw/core";',
  });
  expect(shown(checkCycles(repository))).toEqual([expect.stringContaining("import cycle of values")]);
});
