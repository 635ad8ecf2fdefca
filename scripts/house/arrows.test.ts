import { expect, test } from "vitest";
import { arrows, checkArrows } from "./arrows.ts";
import { manifestOf, repositoryOf, shown } from "./testdata.ts";

const core = { "packages/core/package.json": manifestOf("@gw/core") };

test("accepts an import along an arrow that package.json lists", () => {
  const repository = repositoryOf({
    ...core,
    "packages/http/package.json": manifestOf("@gw/http", undefined, ["@gw/core", "ws"]),
    "packages/http/src/index.ts":
      'import { x } from "@gw/core/node";\nimport { WebSocket } from "ws";\nimport "node:http";\n',
  });
  expect(checkArrows(repository)).toEqual([]);
});

test("refuses a value import against the arrows, with the line and what is allowed", () => {
  const repository = repositoryOf({
    ...core,
    "packages/core/src/index.ts": '\nimport { serve } from "@gw/http";\n',
  });
  expect(shown(checkArrows(repository))).toEqual([
    "packages/core/src/index.ts:2 imports @gw/http; core may import no package",
  ]);
});

test.each([
  ["a type import", 'import type { A } from "hono";'],
  ["a re-export", 'export { A } from "hono/tiny";'],
  ["an import() in code", 'const later = await import("hono");'],
  ["an import() in a type", 'export type A = import("hono").Hono;'],
])("refuses %s of a package from npm that is not in the drawing", (_, text) => {
  const repository = repositoryOf({ ...core, "packages/core/src/a.ts": text });
  expect(shown(checkArrows(repository))).toEqual(["packages/core/src/a.ts:1 imports hono; core may import no package"]);
});

test("lets tests import anything", () => {
  const repository = repositoryOf({
    ...core,
    "packages/core/src/fetch.test.ts": 'import { Hono } from "hono";',
    "packages/core/test/fetch.ts": 'import { Hono } from "hono";',
  });
  expect(checkArrows(repository)).toEqual([]);
});

test("refuses an allowed package that package.json does not list", () => {
  const repository = repositoryOf({
    ...core,
    "packages/http/package.json": manifestOf("@gw/http"),
    "packages/http/src/a.ts": 'import "ws";',
  });
  expect(shown(checkArrows(repository))).toEqual([
    "packages/http/src/a.ts:1 imports ws, which package.json does not list",
  ]);
});

test("refuses a dependency in package.json that the drawing does not have", () => {
  const repository = repositoryOf({ "packages/core/package.json": manifestOf("@gw/core", undefined, ["lodash"]) });
  expect(shown(checkArrows(repository))).toEqual([
    "packages/core/package.json:1 depends on lodash; core may import no package",
  ]);
});

test("refuses a package importing itself by name", () => {
  const repository = repositoryOf({ ...core, "packages/core/src/a.ts": 'import "@gw/core/node";' });
  expect(shown(checkArrows(repository))).toEqual([
    "packages/core/src/a.ts:1 imports its own package @gw/core; use a relative path",
  ]);
});

test("refuses a package that is not in the drawing", () => {
  const repository = repositoryOf({ "packages/router/package.json": manifestOf("@gw/router") });
  expect(shown(checkArrows(repository))[0]).toMatch(/^packages\/router\/package.json:1 package "router" is not in/);
});

test("the drawing itself has no circle", () => {
  const reaches = (from: string, seen = new Set<string>()): Set<string> => {
    for (const next of arrows[from]?.own ?? []) if (!seen.has(next)) reaches(next, seen.add(next));
    return seen;
  };
  expect(Object.keys(arrows).filter((folder) => reaches(folder).has(folder))).toEqual([]);
});
