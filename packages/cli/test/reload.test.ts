// HUP, --reload and gw dev: a new version without a dropped request, a broken one without any effect.
import { Agent, request } from "node:http";
import { describe, expect, test } from "vitest";
import { appSaying, folderWith, type Server, serving } from "./gw.ts";

async function get(server: Server, path = "/", init: RequestInit = {}): Promise<string> {
  return (await fetch(`${server.urls[0]}${path}`, init)).text();
}

const configured = `import { gateway, text } from "@gw/core";
import { word } from "./word.ts";
export default gateway().run((request) => text(word + "\\n"));
`;

describe("HUP", () => {
  test("R-O2: puts a new version of the app and of what it imports in place", async () => {
    const folder = folderWith({
      "app.ts":
        'import { text } from "@gw/core";\nimport { word } from "./lib/word.js";\nexport default (request) => text(word);\n',
    });
    folder.write("lib/word.js", 'export { word } from "./deep.mjs";\n');
    folder.write("lib/deep.mjs", 'import cjs from "./deep.cjs";\nexport const word = cjs.word;\n');
    folder.write("lib/deep.cjs", 'module.exports = { word: require("./word.json").word };\n');
    folder.write("lib/word.json", '{ "word": "one" }\n');
    const server = await serving(folder, ["app.ts", "-p", "0"]);
    for (const word of ["two", "three"]) {
      folder.write("lib/word.json", JSON.stringify({ word }));
      const reloaded = server.says(/gw: reloaded in \d+ ms/);
      server.kill("SIGHUP");
      await reloaded;
      expect(await get(server)).toBe(word);
    }
  });

  test("keeps one copy of a package over all versions", async () => {
    const app =
      'import { gateway, text } from "@gw/core";\nglobalThis.copies = (globalThis.copies ?? new Set()).add(gateway);\nexport default (request) => text(String(globalThis.copies.size));\n';
    const folder = folderWith({ "app.ts": app });
    const server = await serving(folder, ["app.ts", "-p", "0"]);
    const reloaded = server.says(/gw: reloaded/);
    server.kill("SIGHUP");
    await reloaded;
    expect(await get(server)).toBe("1");
  });

  test("R-O2: no request is dropped while versions change under load", async () => {
    const folder = folderWith({ "gw.config.ts": configured, "word.ts": 'export const word: string = "v0";\n' });
    const server = await serving(folder, ["-p", "0", "--no-access-log"]);
    const agent = new Agent({ keepAlive: true, maxSockets: 8 });
    const answers: string[] = [];
    let isOver = false;
    const client = async (): Promise<void> => {
      while (!isOver) answers.push(await overAgent(agent, server.urls[0] as string));
    };
    const clients = Array.from({ length: 8 }, client);
    for (let version = 1; version <= 5; version++) {
      folder.write("word.ts", `export const word: string = "v${version}";\n`);
      const reloaded = server.says(/gw: reloaded/);
      server.kill("SIGHUP");
      await reloaded;
    }
    isOver = true;
    await Promise.all(clients);
    agent.destroy();
    expect(answers.filter((answer) => !/^200 v\d\n$/.test(answer))).toEqual([]);
    expect(await get(server)).toBe("v5\n");
    expect(new Set(answers).size).toBeGreaterThan(1);
  });

  test.each([
    [
      "a syntax error",
      "export const word: string = ;\n",
      /gw: cannot load gw\.config\.ts: SyntaxError: .+ \(word\.ts:1\)/,
    ],
    [
      "a module that throws",
      'export const word: string = (() => { throw new Error("no word"); })();\n',
      /gw: cannot load gw\.config\.ts: no word \(word\.ts:1\)/,
    ],
  ])("R-O2: %s changes nothing and says why; the next good one is taken", async (_what, broken, line) => {
    const folder = folderWith({ "gw.config.ts": configured, "word.ts": 'export const word: string = "good";\n' });
    const server = await serving(folder, ["-p", "0"]);
    folder.write("word.ts", broken);
    const said = server.says(/gw: not reloaded; the app from before goes on\n/);
    server.kill("SIGHUP");
    await said;
    expect(server.stderr()).toMatch(line);
    expect(await get(server)).toBe("good\n");
    folder.write("word.ts", 'export const word: string = "better";\n');
    const reloaded = server.says(/gw: reloaded/);
    server.kill("SIGHUP");
    await reloaded;
    expect(await get(server)).toBe("better\n");
  });

  test("R-O2: a version that does not start changes nothing", async () => {
    const folder = folderWith({ "app.ts": appSaying("good") });
    const server = await serving(folder, ["app.ts", "-p", "0"]);
    folder.write("app.ts", 'export default { handle() {}, start() { throw new Error("no license"); } };\n');
    const said = server.says(/not reloaded/);
    server.kill("SIGHUP");
    await said;
    expect(server.stderr()).toContain("no license");
    expect(await get(server, "/x")).toBe("good /x\n");
  });

  test("reads the configuration again, and says which settings only a restart changes", async () => {
    const folder = folderWith({
      "a.ts": appSaying("a"),
      "b.ts": appSaying("b"),
      "gw.config.json": '{ "app": "./a.ts", "timeout": "1m" }',
    });
    const server = await serving(folder, ["-p", "0"]);
    folder.write(
      "gw.config.json",
      '{ "app": "./a.ts", "mounts": { "/m": "./b.ts" }, "timeout": "2m", "rootPath": "/r" }',
    );
    const reloaded = server.says(/gw: reloaded/);
    server.kill("SIGHUP");
    await reloaded;
    expect(await get(server, "/m/x")).toBe("b /x\n");
    expect(server.stderr()).toContain("gw: timeout changed in the configuration; a restart puts it into effect\n");
    folder.write("gw.config.json", '{ "ap": "./a.ts" }');
    const refused = server.says(/gw: gw\.config\.json: unknown key "ap" \(did you mean "app"\?\).*\ngw: not reloaded/);
    server.kill("SIGHUP");
    await refused;
  });

  test("a reload does not wait for what the old version still answers", async () => {
    const app = (word: string) => `import { text } from "@gw/core";
export default (request) => request.path === "/stream"
  ? { ...text(""), body: (async function* () { yield Buffer.from("${word} begins\\n"); await new Promise((done) => { globalThis.go = done; }); yield Buffer.from("${word} ends\\n"); })() }
  : (request.path === "/go" && globalThis.go(), text("${word}\\n"));
`;
    const folder = folderWith({ "app.mjs": app("old") });
    const server = await serving(folder, ["app.mjs", "-p", "0"]);
    const stream = await fetch(`${server.urls[0]}/stream`);
    const reader = (stream.body as ReadableStream<Uint8Array>).getReader();
    expect(Buffer.from((await reader.read()).value as Uint8Array).toString()).toBe("old begins\n");
    folder.write("app.mjs", app("new"));
    const reloaded = server.says(/gw: reloaded/);
    server.kill("SIGHUP");
    await reloaded;
    expect(await get(server, "/go")).toBe("new\n");
    expect(Buffer.from((await reader.read()).value as Uint8Array).toString()).toBe("old ends\n");
    expect((await reader.read()).done).toBe(true);
  });
});

describe("gw dev", () => {
  test("loads the app anew when a file changes, and says what is wrong when it cannot", async () => {
    const folder = folderWith({ "gw.config.ts": configured, "word.ts": 'export const word: string = "one";\n' });
    const server = await serving(folder, ["dev", "-p", "0"]);
    let said = server.says(/gw: reloaded/);
    folder.write("word.ts", 'export const word: string = "two";\n');
    await said;
    expect(await get(server)).toBe("two\n");
    said = server.says(/gw: cannot load .*word\.ts:1[\s\S]*not reloaded/);
    folder.write("word.ts", "export const word: string = ;\n");
    await said;
    expect(await get(server)).toBe("two\n");
  });

  test("gw serve --reload does, too, and watches what --reload-dir says", async () => {
    const folder = folderWith({
      "app.ts":
        'import { text } from "@gw/core";\nimport { word } from "./lib/word.ts";\nexport default (request) => text(word);\n',
    });
    folder.write("lib/word.ts", 'export const word = "one";\n');
    folder.write("other/x.ts", "");
    const server = await serving(folder, ["serve", "app.ts", "-p", "0", "--reload", "--reload-dir", "lib"]);
    folder.write("other/x.ts", "export {};\n");
    const said = server.says(/gw: reloaded/);
    folder.write("lib/word.ts", 'export const word = "two";\n');
    await said;
    expect(await get(server)).toBe("two");
    expect(server.stderr().match(/gw: reloaded/g)).toHaveLength(1);
  });

  test("shows the error with its stack; gw serve answers without detail", async () => {
    const folder = folderWith({
      "app.ts": 'export default (request: unknown) => { throw new RangeError("my secret " + typeof request); };\n',
    });
    const dev = await serving(folder, ["dev", "app.ts", "-p", "0"]);
    const page = await fetch(dev.urls[0] as string, { headers: { Accept: "text/html" } });
    expect([page.status, page.headers.get("content-type")]).toEqual([500, "text/html; charset=utf-8"]);
    expect(await page.text()).toMatch(/>RangeError<\/p>\s*<h1>my secret object<\/h1>[\s\S]*app\.ts:1/);
    const plain = await serving(folder, ["serve", "app.ts", "-p", "0"]);
    expect(await get(plain, "/", { headers: { Accept: "text/html" } })).toBe("500 Internal Server Error\n");
  });

  test("lints what the app answers; gw serve does not", async () => {
    const app =
      'import { HeaderList } from "@gw/core";\nclass Answer { kind = "response"; status = 200; headers = HeaderList.empty; body = null; }\nexport default (request) => new Answer();\n';
    const folder = folderWith({ "app.mjs": app });
    const dev = await fetch((await serving(folder, ["dev", "app.mjs", "-p", "0"])).urls[0] as string);
    expect([dev.status, await dev.text()]).toEqual([500, expect.stringContaining("breaks the rule")]);
    expect((await fetch((await serving(folder, ["app.mjs", "-p", "0"])).urls[0] as string)).status).toBe(200);
  });
});

function overAgent(agent: Agent, url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent }, async (response) => {
      let text = `${response.statusCode} `;
      for await (const chunk of response.setEncoding("utf8")) text += chunk;
      resolve(text);
    });
    sent.on("error", reject).end();
  });
}
