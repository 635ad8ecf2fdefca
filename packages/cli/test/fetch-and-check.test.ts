// gw fetch, gw check, gw --help and gw --version.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, onTestFinished, test } from "vitest";
import { appSaying, bareEnvironment, command, folderWith, gw } from "./gw.ts";

const echo = `import { readText, text } from "@gw/core";
export default async (request) => text([request.method, request.target, ...[...request.headers].map(([name, value]) => name + "=" + value), await readText(request)].join("|") + "\\n", { status: request.path === "/missing" ? 404 : 200, headers: [["X-Mine", "\\u00e9"]] });
`;

describe("gw fetch", () => {
  test("prints the body, sends method, headers and data", async () => {
    const folder = folderWith({ "app.mjs": echo, "data.txt": "from a file" });
    const call = async (...words: string[]) =>
      (await gw(folder, ["fetch", ...words, "app.mjs"], { input: "from input" })).stdout;
    expect(await call("/a?b=1")).toBe("GET|/a?b=1|Host=localhost|\n");
    expect(await call("/", "-X", "PUT", "-H", "X-A: 1", "-H", "Host: example.com", "-d", "x=1")).toBe(
      "PUT|/|X-A=1|Host=example.com|Content-Type=application/x-www-form-urlencoded|Content-Length=3|x=1\n",
    );
    expect(await call("/", "-d", "@data.txt", "-H", "Content-Type: text/plain")).toMatch(
      /^POST\|.*Content-Type=text\/plain.*\|from a file\n$/,
    );
    expect(await call("/", "--data", "@-")).toMatch(/^POST\|.*\|from input\n$/);
  });

  test("reaches a mount by host through the Host header", async () => {
    const folder = folderWith({ "app.ts": appSaying("main"), "admin.ts": appSaying("admin") });
    const call = (...words: string[]) =>
      gw(folder, ["fetch", "/", "app.ts", "--mount", "admin.test=./admin.ts", ...words]);
    expect((await call()).stdout).toBe("main /\n");
    expect((await call("-H", "Host: admin.test:8080")).stdout).toBe("admin /\n");
    expect(await call("-H", "Host: a b")).toMatchObject({ code: 2, stderr: expect.stringMatching(/^gw: --header: /) });
  });

  test("exits with 22 on an answer that is not 2xx, and -i prints the head", async () => {
    const folder = folderWith({ "app.mjs": echo });
    const { code, stdout } = await gw(folder, ["fetch", "-iXGET", "/missing", "app.mjs"]);
    expect(code).toBe(22);
    expect(stdout).toMatch(/^404 Not Found\nContent-Type: text\/plain; charset=utf-8\nX-Mine: .\n\nGET\|\/missing\|/);
  });

  test("prints an endless answer while it comes, head first", async () => {
    const app =
      'import { text } from "@gw/core";\nexport default (request) => ({ ...text(""), body: (async function* () { yield Buffer.from("first\\n"); await new Promise((done) => setInterval(() => {}, 1000)); })() });\n';
    const folder = folderWith({ "app.mjs": app });
    const child = spawn(process.execPath, [command, "fetch", "-i", "/", "app.mjs"], {
      cwd: folder.path,
      env: bareEnvironment(),
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    let output = "";
    for await (const text of child.stdout.setEncoding("utf8")) {
      output += text;
      if (output.endsWith("first\n")) break;
    }
    expect(output).toMatch(/^200 OK\nContent-Type: .*\n\nfirst\n$/);
  });

  test("says that an answer broke off, and that a rule was broken; both exit with 1", async () => {
    const folder = folderWith({
      "cut.mjs":
        'import { text } from "@gw/core";\nexport default (request) => ({ ...text(""), body: (async function* () { yield Buffer.from("half"); throw new Error("disk gone"); })() });\n',
      "rule.mjs":
        'import { HeaderList } from "@gw/core";\nclass Answer { kind = "response"; status = 200; headers = HeaderList.empty; body = null; }\nexport default (request) => new Answer();\n',
    });
    expect(await gw(folder, ["fetch", "/", "cut.mjs"])).toEqual({
      code: 1,
      stdout: "half",
      stderr: expect.stringMatching(/gw: the answer broke off: disk gone\n$/),
    });
    expect(await gw(folder, ["fetch", "/", "rule.mjs"])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^gw: .* breaks the rule /m),
    });
  });

  test("ends although the app has left timers behind, and quietly when nobody reads", async () => {
    const folder = folderWith({
      "app.mjs":
        'import { text } from "@gw/core";\nsetInterval(() => {}, 1000);\nexport default (request) => text("x".repeat(5_000_000));\n',
    });
    expect((await gw(folder, ["fetch", "/", "app.mjs"])).stdout).toHaveLength(5_000_000);
    const child = spawn(process.execPath, [command, "fetch", "/", "app.mjs"], {
      cwd: folder.path,
      env: bareEnvironment(),
    });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    await once(child.stdout, "data");
    child.stdout.destroy();
    expect(await once(child, "close")).toEqual([0, null]);
    expect(stderr).toBe("");
  });

  test("--limit-request-body is the app's limit", async () => {
    const folder = folderWith({ "app.mjs": echo });
    const { code, stdout } = await gw(folder, ["fetch", "/", "app.mjs", "-d", "123456", "--limit-request-body", "5"]);
    expect([code, stdout.slice(0, 3)]).toEqual([22, "413"]);
  });
});

describe("gw check", () => {
  test("prints where settings came from, the pipeline and the verdict, and serves nothing", async () => {
    const folder = folderWith({
      "app.ts": appSaying("hello"),
      "site/index.html": "x",
      "gw.config.ts":
        'import { layer } from "@gw/core";\nexport default { app: "./app.ts", mounts: { "/files": "static:./site" }, use: [layer({ name: "stamp" })], port: 1, timeout: "5m" };\n',
    });
    const { code, stdout, stderr } = await gw(folder, ["check", "-p", "0"], { environment: { GW_LOG_LEVEL: "error" } });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.replaceAll(folder.path, "FOLDER")).toBe(
      [
        "configuration: FOLDER/gw.config.ts",
        "  port = 0 (flag)",
        "  timeout = 300000 (file)",
        '  logLevel = "error" (environment)',
        "would listen on 127.0.0.1:0",
        "pipeline",
        "  layer stamp",
        "  mounts",
        "    /files",
        "      static FOLDER/site",
        "    handler ./app.ts",
        "GET / → 200, 8 bytes; lint found nothing",
        "",
      ].join("\n"),
    );
  });

  test.each([
    [
      "an app that fails",
      'export default (request) => { throw new Error("no table"); };\n',
      "GET / → 500, 26 bytes: no table",
    ],
    [
      "an app that does not start",
      'export default { handle() {}, start() { throw new Error("no license"); } };\n',
      "GET / → no license",
    ],
    [
      "an app that breaks a rule",
      'export default (request) => ({ kind: "response", status: 200, headers: {}, body: null });\n',
      "GET / → ",
    ],
  ])("exits with 1 for %s", async (_what, app, line) => {
    const { code, stdout } = await gw(folderWith({ "app.mjs": app }), ["check", "app.mjs", "--log-level", "silent"]);
    expect(code).toBe(1);
    expect(stdout).toContain(line);
    expect(stdout).not.toContain("lint found nothing");
  });

  test("finds a certificate that cannot be used", async () => {
    const folder = folderWith({ "app.ts": appSaying("x"), "c.pem": "nonsense" });
    const { code, stderr } = await gw(folder, ["check", "app.ts", "--ssl-certfile", "c.pem"]);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/^gw: cannot use the certificate .*c\.pem and its key /),
    });
  });
});

describe("gw", () => {
  test("--version and --help say what it is, for each command", async () => {
    const folder = folderWith();
    expect((await gw(folder, ["--version"])).stdout).toMatch(/^gw \d+\.\d+\.\d+\S* \(node \d+\.\d+\.\d+\)\n$/);
    const overview = (await gw(folder, ["--help"])).stdout;
    expect((await gw(folder, ["help"])).stdout).toBe(overview);
    for (const name of ["serve", "dev", "cgi", "fetch", "check"]) {
      expect(overview).toMatch(new RegExp(`^ {2}gw ${name} `, "m"));
      const { code, stdout } = await gw(folder, [name, "--help"]);
      expect([code, stdout.split("\n")[0]]).toEqual([
        0,
        expect.stringMatching(new RegExp(`^Usage: gw ${name} .*\\[flags\\]$`)),
      ]);
      expect((await gw(folder, ["help", name])).stdout).toBe(stdout);
    }
  });

  test("--version loads nothing but the command's first file", async () => {
    const { stderr } = await gw(folderWith(), ["--version"], { environment: { NODE_DEBUG: "esm" } });
    const loaded = [...stderr.matchAll(/file:\/\/[^\s'"]+/g)].map(([url]) => url.split("/").at(-1));
    expect([...new Set(loaded)]).toEqual(["gw.js", "main.js"]);
  });
});
