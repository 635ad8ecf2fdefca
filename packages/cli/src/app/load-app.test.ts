import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type App, type GatewayRequest, text } from "@gw/core";
import { request } from "@gw/core/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Settings } from "../config/arguments.ts";
import type { Config } from "../config/config.ts";
import { effectiveSettings } from "../config/settings.ts";
import { loadApp } from "./load-app.ts";

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "gw-load-"));
  mkdirSync(join(folder, "site"));
  writeFileSync(join(folder, "site/index.html"), "<p>site\n");
  writeFileSync(join(folder, "site/program"), "#!/bin/sh\n", { mode: 0o755 });
});

afterAll(() => rmSync(folder, { recursive: true }));

interface Given {
  operand?: string;
  flags?: Settings;
  config?: Config;
}

function load({ operand, flags = {}, config }: Given): Promise<App> {
  const configFile = config === undefined ? null : { file: join(folder, "gw.config.ts"), config };
  return loadApp({ folder, operand, settings: effectiveSettings(flags, {}, {}), configFile });
}

const named = (name: string) => (seen: GatewayRequest) => text(`${name} ${seen.mount}|${seen.path}`);
const answerOf = async (app: App, path: string) => (await request(app, path)).text();

describe("loadApp", () => {
  test("puts mounts of flags and file together, a flag before the file, and the app behind them", async () => {
    const app = await load({
      config: { app: named("main"), mounts: { "/a": named("file"), "/b": { app: named("other"), maxBodyBytes: 5 } } },
      flags: { mount: ["/a=static:./site"] },
    });
    expect(await answerOf(app, "/x")).toBe("main |/x");
    expect(await answerOf(app, "/b/y")).toBe("other /b|/y");
    expect(await answerOf(app, "/a/index.html")).toBe("<p>site\n");
  });

  test("gives a mount its limit and its variables", async () => {
    const limited = await load({
      config: {
        mounts: {
          "/b": {
            app: async (seen: GatewayRequest) => {
              for await (const _ of seen.body) {
              }
              return text("read");
            },
            maxBodyBytes: 5,
          },
        },
      },
    });
    expect((await request(limited, "/b", { method: "POST", body: "123456" })).status).toBe(413);
    expect((await request(limited, "/b", { method: "POST", body: "12345" })).status).toBe(200);
  });

  test("wraps everything in the layers of the file, then those of the flags, the first outermost", async () => {
    const order = (name: string) => (next: App["handle"]) => (seen: GatewayRequest) => {
      const answer = next(seen);
      return answer instanceof Promise ? answer : { ...answer, headers: answer.headers.append("X-Order", name) };
    };
    const app = await load({ config: { app: named("main"), use: [order("outer"), order("inner")] } });
    expect((await request(app, "/")).headers.getAll("x-order")).toEqual(["inner", "outer"]);
  });

  test("puts --root-path before the mount of each request", async () => {
    const app = await load({ config: { mounts: { "/a": named("a") } }, flags: { rootPath: "/안녕/" } });
    const answer = await answerOf(app, "/a/x");
    expect(answer).toBe(`a ${Buffer.from("/안녕").toString("latin1")}/a|/x`);
  });

  test.each<[string, Given, string]>([
    ["nothing named", {}, "no app named and no gw.config.ts here"],
    ["a file that names nothing", { config: { port: 1 } }, 'gw.config.ts names no app: give it "app" or "mounts"'],
    ["a mount without an app", { flags: { mount: ["/a"] } }, '--mount: found "/a", expected WHERE=APP'],
    ["a mount at no place", { flags: { mount: ["/a//b=static:./site"] } }, 'mount "/a//b": '],
    [
      "one place twice",
      { flags: { mount: ["/a=static:./site", "/a/=static:./site"] } },
      'mount "/a/": /a/ is mounted already',
    ],
    ["an unknown kind", { operand: "wsgii:app" }, 'unknown kind "wsgii:"'],
    ["an unknown option", { operand: "static:./site?indx=a" }, 'unknown option "indx" (did you mean "index"?)'],
    [
      "an option's bad value",
      { operand: "static:./site?etag=maybe" },
      'option etag: found "maybe", expected strong or weak',
    ],
    [
      "an unknown layer",
      { operand: "static:./site", flags: { use: ["basic-aut"] } },
      '@gw/middleware has no layer "basic-aut" (did you mean "basic-auth"?); allowed: ',
    ],
    [
      "a layer without what it needs",
      { operand: "static:./site", flags: { use: ["basic-auth"] } },
      "--use basic-auth: ",
    ],
    ["a root path without a slash", { operand: "static:./site", flags: { rootPath: "x" } }, '--root-path: found "x"'],
  ])("refuses %s as wrong use", async (_what, given, message) => {
    await expect(load(given)).rejects.toThrow(
      expect.objectContaining({ code: "GW_USAGE", message: expect.stringContaining(message) }),
    );
  });

  test.each<[string, Given, string]>([
    ["a missing file", { operand: "./nope.ts" }, "app file ./nope.ts not found (looked for "],
    ["a folder", { operand: "./site" }, "app ./site is no file; for a directory say what it holds: static:./site"],
    ["a missing folder", { operand: "static:./nope" }, "nope is not there, expected a directory"],
    [
      "a file for a folder",
      { operand: "cgi-bin:./site/program" },
      "site/program is no directory, expected a directory",
    ],
    ["a folder for a program", { operand: "cgi:./site" }, "site is a directory, expected a file"],
    [
      "a missing layer file",
      { operand: "static:./site", flags: { use: ["./layer.ts"] } },
      "layer file ./layer.ts not found",
    ],
  ])("says that %s cannot be had", async (_what, given, message) => {
    await expect(load(given)).rejects.toThrow(
      expect.objectContaining({ code: "GW_START", message: expect.stringContaining(message) }),
    );
  });
});
