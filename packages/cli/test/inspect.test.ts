// gw config, gw routes, gw explain: what is in effect, and why a request goes where it goes.
import { describe, expect, test } from "vitest";
import { folderWith, gw } from "./gw.ts";

const config = `import { defineConfig } from "@gw/cli";
import { layer } from "@gw/core";

const stamp = layer({ name: "stamp", onResponse: (answer) => answer });

export default defineConfig({
  app: "./app.mjs",
  use: [stamp],
  mounts: {
    "/files": "static:./files",
    "/files/private": { app: "./app.mjs", maxBodyBytes: 5 },
    "admin.example.com": "./app.mjs",
  },
  keepAlive: "90s",
  port: 3000,
});
`;

const files = {
  "gw.config.ts": config,
  "app.mjs":
    'export default (request) => new Response(request.url);\nexport const start = () => { throw new Error("started"); };\n',
  "files/a.txt": "a",
};

describe("gw config", () => {
  test("says of every setting what it is and which flag, variable or line of the file set it", async () => {
    const words = ["config", "--port", "4000", "--mount", "/files=static:.", "--header-timeout", "1500ms"];
    const { code, stdout } = await gw(folderWith(files), words, { environment: { GW_LOG_LEVEL: "debug" } });
    expect(code).toBe(0);
    const rows = new Map(stdout.split("\n").map((line) => [line.split(/ {2,}/)[0], line.split(/ {2,}/).slice(1)]));
    expect(rows.get("app")).toEqual(["./app.mjs", "gw.config.ts:7"]);
    expect(rows.get("use")).toEqual(["(stamp)", "gw.config.ts:8"]);
    expect(rows.get('mounts["/files"]')).toEqual(["static:.", "--mount"]);
    expect(rows.get('mounts["admin.example.com"]')).toEqual(["./app.mjs", "gw.config.ts:12"]);
    expect(rows.get("port")).toEqual(["4000", "--port"]);
    expect(rows.get("logLevel")).toEqual(["debug", "GW_LOG_LEVEL"]);
    expect(rows.get("keepAlive")).toEqual(["90s", "gw.config.ts:14"]);
    expect(rows.get("headerTimeout")).toEqual(["1500ms", "--header-timeout"]);
    expect(rows.get("gracefulTimeout")).toEqual(["30s; gw dev 1s, gw cgi 5s", "default"]);
    expect(rows.get("pid")).toEqual(["–", "default"]);
  });

  test("is JSON with -j", async () => {
    const { stdout } = await gw(folderWith(files), ["config", "-j", "--h2c"]);
    const values = JSON.parse(stdout) as readonly { key: string }[];
    expect(values.find(({ key }) => key === "h2c")).toEqual({ key: "h2c", value: true, origin: "flag", from: "--h2c" });
    expect(values.find(({ key }) => key === "port")).toEqual({
      key: "port",
      value: 3000,
      origin: "file",
      from: "gw.config.ts:15",
    });
  });

  test("names the key that does not fit, as a start does", async () => {
    const { code, stderr } = await gw(folderWith({ "gw.config.json": '{ "porrt": 1 }' }), ["config"]);
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/^gw: gw\.config\.json: unknown key "porrt" \(did you mean "port"\?\)/),
    ]);
  });
});

describe("gw routes", () => {
  test("lists places in the order in which they are looked at, with app and layers, and starts nothing", async () => {
    const { code, stdout } = await gw(folderWith(files), ["routes"]);
    expect(code).toBe(0);
    expect(stdout.split("\n").map((line) => line.split(/ {2,}/))).toEqual([
      ["admin.example.com", expect.stringMatching(/^handler /), "behind stamp"],
      ["/files/private", expect.stringMatching(/^handler /), "behind stamp"],
      ["/files", expect.stringMatching(/^static .*files$/), "behind stamp"],
      ["(all else)", expect.stringMatching(/^handler /), "behind stamp"],
      [""],
    ]);
  });
});

describe("gw explain", () => {
  const explain = async (...words: string[]) => gw(folderWith(files), ["explain", ...words]);

  test("says how the request is read, which place takes it, and why the others do not", async () => {
    const { code, stdout } = await explain("GET", "/files/x/../private/%61?q=1");
    expect(code).toBe(0);
    expect(stdout.split("\n")).toEqual([
      "target  /files/x/../private/%61?q=1",
      "path    /files/private/a (decoded, dots and double slashes resolved)",
      "query   q=1",
      "host    localhost",
      "  admin.example.com: another host",
      "→ /files/private: takes it",
      "  /files: a more precise place has it",
      "  (all else): a more precise place has it",
      "passes  stamp",
      expect.stringMatching(/^app {5}handler /),
      'gets    mount "/files/private", path "/a"',
      "",
    ]);
  });

  test("a host decides before a path; what nothing takes is 404", async () => {
    expect((await explain("GET", "http://admin.example.com/files/a.txt")).stdout).toContain(
      "→ admin.example.com: takes it",
    );
    const folder = folderWith({
      ...files,
      "gw.config.ts": 'export default { mounts: { "/files": "static:./files" } };\n',
    });
    const nothing = await gw(folder, ["explain", "GET", "/file"]);
    expect([nothing.code, nothing.stdout]).toEqual([
      1,
      expect.stringMatching(/ {2}\/files: another path\nnothing takes it: 404\n$/),
    ]);
  });

  test("what no request can be is said as the gateway would", async () => {
    expect(await explain("GET", "/%zz")).toMatchObject({ code: 1, stderr: expect.stringContaining("gw: ") });
    expect((await explain("GET", "files")).stderr).toBe(
      'gw: explain: found "files", expected a path (/app/x) or a URL (http://host/app/x)\n',
    );
  });
});
