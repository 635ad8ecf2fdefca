// TypeScript without a build step: stripped by Node where it can, compiled by jiti where it cannot.
import { describe, expect, test } from "vitest";
import { cgiRequest, folderWith, gw, serving } from "./gw.ts";

const canStrip = Boolean((process.features as { typescript?: unknown }).typescript);
/** The same runtime without its own TypeScript: what Node 20 is. */
const withoutStripping = canStrip ? ["--no-experimental-strip-types"] : [];

const typed = `import { type GatewayRequest, text } from "@gw/core";
import { greet } from "./greet.ts";
interface Named { readonly name: string }
export const application = (request: GatewayRequest) => text(greet({ name: request.path } satisfies Named) + "\\n");
export default application;
`;
const greet =
  'export function greet<T extends { name: string }>({ name }: T): string { return "Hello, " + (name as string); }\n';

describe.each([
  ["as Node itself does it", []],
  ["through jiti, as on Node 20", withoutStripping],
] as const)("%s", (_how, node) => {
  test("runs a typed app with its typed imports, by its default export and by name", async () => {
    const folder = folderWith({ "app.ts": typed, "greet.ts": greet });
    expect(await gw(folder, ["fetch", "/x", "app.ts"], { node })).toEqual({
      code: 0,
      stdout: "Hello, /x\n",
      stderr: "",
    });
    expect((await gw(folder, ["fetch", "/y", "app.ts:application"], { node })).stdout).toBe("Hello, /y\n");
  });

  test("runs .mts, .cts and top-level await", async () => {
    const folder = folderWith({
      "app.mts":
        'import { text } from "@gw/core";\nimport legacy from "./legacy.cts";\nconst word: string = await Promise.resolve(legacy.word);\nexport default (request: unknown) => text(word);\n',
      "legacy.cts": 'const word: string = "from cts";\nmodule.exports = { word };\n',
    });
    expect(await gw(folder, ["fetch", "/", "app.mts"], { node })).toEqual({ code: 0, stdout: "from cts", stderr: "" });
  });

  test("runs enums and parameter properties, which cannot be stripped away", async () => {
    const app =
      'import { text } from "@gw/core";\nenum Color { Red = 7 }\nclass Box { constructor(readonly color: Color) {} }\nexport default (request: unknown) => text(String(new Box(Color.Red).color));\n';
    expect(await gw(folderWith({ "app.ts": app }), ["fetch", "/", "app.ts"], { node })).toEqual({
      code: 0,
      stdout: "7",
      stderr: "",
    });
  });

  test("finds ./x.ts where it is imported as ./x or ./x.js", async () => {
    const app =
      'import { text } from "@gw/core";\nimport { greet } from "./greet";\nimport { greet as same } from "./greet.js";\nexport default (request: { path: string }) => text(greet({ name: String(greet === same) }));\n';
    expect(
      (await gw(folderWith({ "app.ts": app, "greet.ts": greet }), ["fetch", "/", "app.ts"], { node })).stdout,
    ).toBe("Hello, true");
  });

  test("evaluates a module once, however many import it, and shares packages with the command", async () => {
    const folder = folderWith({
      "app.ts":
        'import { GatewayError, text } from "@gw/core";\nimport { box } from "./box.ts";\nimport { same } from "./other.ts";\nbox.count++;\nexport default (request: unknown) => { if (same === box) throw new GatewayError("GW_TEAPOT", 418, "count " + box.count); return text("two copies"); };\n',
      "box.ts": "export const box: { count: number } = { count: 0 };\n",
      "other.ts": 'import { box } from "./box.ts";\nbox.count++;\nexport const same = box;\n',
    });
    expect((await gw(folder, ["fetch", "/", "app.ts"], { node })).stdout).toMatch(/^418 .*\ncount 2\n$/);
  });

  test("loads gw.config.ts and .mts", async () => {
    for (const name of ["gw.config.ts", "gw.config.mts"]) {
      const folder = folderWith({ "app.ts": typed, "greet.ts": greet });
      folder.write(
        name,
        'import { type Config, defineConfig } from "@gw/cli";\nconst config: Config = defineConfig({ mounts: { "/in": "./app.ts" } });\nexport default config;\n',
      );
      expect((await gw(folder, ["fetch", "/in/x"], { node })).stdout).toBe("Hello, /x\n");
    }
  });

  test("an executable file without an extension is a TypeScript app", async () => {
    const folder = folderWith({ program: `#!/usr/bin/env gw\n${typed}`, "greet.ts": greet });
    expect((await gw(folder, ["fetch", "/x", "./program"], { node })).stdout).toBe("Hello, /x\n");
    const asProgram = await gw(folder, ["./program"], { node, environment: cgiRequest("/cgi") });
    expect(asProgram).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Status: 200 OK\r?\n[\s\S]*\r?\n\r?\nHello, \/cgi\n$/),
    });
  });

  test("and so is one with another extension that starts with #!, also after a reload", async () => {
    const folder = folderWith({ "hello.cgi": `#!/usr/bin/env gw\n${typed}`, "greet.ts": greet });
    const server = await serving(folder, ["hello.cgi", "-p", "0"], { node });
    expect(await (await fetch(`${server.urls[0]}/x`)).text()).toBe("Hello, /x\n");
    folder.write("greet.ts", greet.replace("Hello", "Again"));
    const reloaded = server.says(/gw: reloaded/);
    server.kill("SIGHUP");
    await reloaded;
    expect(await (await fetch(`${server.urls[0]}/x`)).text()).toBe("Again, /x\n");
  });

  test("reloads TypeScript, the JavaScript it imports and enums alike", async () => {
    const folder = folderWith({
      "app.ts":
        'import { text } from "@gw/core";\nimport { word } from "./word.js";\nimport { Kind } from "./kind.ts";\nexport default (request: unknown) => text(word + " " + Kind.A);\n',
      "word.js": 'export { word } from "./deep.js";\n',
      "deep.js": 'export const word = "one";\n',
      "kind.ts": "export enum Kind { A = 1 }\n",
    });
    const server = await serving(folder, ["app.ts", "-p", "0"], { node });
    expect(await (await fetch(server.urls[0] as string)).text()).toBe("one 1");
    for (const [word, number] of [
      ["two", 2],
      ["three", 3],
    ]) {
      folder.write("deep.js", `export const word = "${word}";\n`);
      folder.write("kind.ts", `export enum Kind { A = ${number} }\n`);
      const reloaded = server.says(/gw: reloaded/);
      server.kill("SIGHUP");
      await reloaded;
      expect(await (await fetch(server.urls[0] as string)).text()).toBe(`${word} ${number}`);
    }
  });
});

test("plain JavaScript runs from .js, .mjs and .cjs", async () => {
  const folder = folderWith({
    "a.js": 'import { text } from "@gw/core";\nexport default (request) => text("js");\n',
    "b.mjs": 'import { text } from "@gw/core";\nexport default (request) => text("mjs");\n',
    "c.cjs": 'module.exports = { fetch: () => new Response("cjs") };\n',
  });
  for (const name of ["a.js", "b.mjs", "c.cjs"])
    expect(await gw(folder, ["fetch", "/", name])).toEqual({ code: 0, stdout: name.slice(2), stderr: "" });
});
