// gw cgi and gw <app> under a web server: one file, run as a CGI program.
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, symlinkSync } from "node:fs";
import * as nodeModule from "node:module";
import { join } from "node:path";
import { requires } from "@gw-private/requires";
import { describe, expect, test } from "vitest";
import { appSaying, cgiRequest, command, folderWith, gw, serving } from "./gw.ts";

/** Head and body of a CGI answer. */
function parse(output: string): { head: string[]; body: string } {
  const end = /\r?\n\r?\n/.exec(output);
  const at = end?.index ?? output.length;
  return { head: output.slice(0, at).split(/\r?\n/), body: output.slice(at + (end?.[0].length ?? 0)) };
}

describe("a CGI program", () => {
  test("is what gw <app> is when GATEWAY_INTERFACE says so", async () => {
    const folder = folderWith({ "app.ts": appSaying("hello") });
    const { code, stdout, stderr } = await gw(folder, ["app.ts"], { environment: cgiRequest("/x y") });
    const { head, body } = parse(stdout);
    expect({ code, stderr, body }).toEqual({ code: 0, stderr: "", body: "hello /x y\n" });
    expect(head).toContain("Status: 200 OK");
    expect(head).toContain("Content-Type: text/plain; charset=utf-8");
  });

  test("gw cgi is one without being told, and takes the app from gw.config.ts", async () => {
    const folder = folderWith({
      "app.ts": appSaying("configured"),
      "gw.config.mjs": 'export default { mounts: { "/in": "./app.ts" } };\n',
    });
    const { GATEWAY_INTERFACE: _, ...environment } = cgiRequest("/in/x");
    expect(parse((await gw(folder, ["cgi"], { environment })).stdout).body).toBe("configured /x\n");
  });

  test("every shape of app is one", async () => {
    const folder = folderWith({
      "wsgi.ts":
        'export default (environ: Record<string, string>, start: Function) => { start("200 OK", []); return [Buffer.from(environ.REQUEST_METHOD + environ.PATH_INFO)]; };\n',
      "asgi.ts":
        'export default async (scope: any, receive: any, send: any) => {\n  if (scope.type !== "http") throw new Error("http only");\n  await send({ type: "http.response.start", status: 201, headers: [] });\n  await send({ type: "http.response.body", body: (await receive()).body });\n};\n',
      "fetch.ts": "export default { fetch: (request: Request) => Response.json(new URL(request.url).pathname) };\n",
    });
    const environment = cgiRequest("/p", {
      REQUEST_METHOD: "POST",
      CONTENT_LENGTH: "4",
    });
    const answers = await Promise.all(
      ["wsgi.ts", "asgi.ts", "fetch.ts"].map((app) => gw(folder, [app], { environment, input: "body" })),
    );
    expect(answers.map(({ stdout }) => parse(stdout).body)).toEqual(["POST/p", "body", '"/p"']);
    expect(parse(answers[1]?.stdout ?? "").head).toContain("Status: 201 Created");
  });

  test("keeps compiled code below home, where Node can, for the next request, unless told not to", async () => {
    const folder = folderWith({ "app.ts": appSaying("kept") });
    const call = (HOME: string, more: object) =>
      gw(folder, ["app.ts"], {
        environment: cgiRequest("/", { HOME, NODE_DISABLE_COMPILE_CACHE: undefined, ...more }),
      });
    const [home, other] = [join(folder.path, "home"), join(folder.path, "other")];
    for (const path of [home, other]) mkdirSync(path);
    const answers = [
      await call(home, {}),
      await call(home, {}),
      await call(other, { NODE_DISABLE_COMPILE_CACHE: "1" }),
    ];
    expect(answers.map(({ stdout }) => parse(stdout).body)).toEqual(["kept /\n", "kept /\n", "kept /\n"]);
    const canKeep = "enableCompileCache" in nodeModule; // Node 22.8
    expect(canKeep ? readdirSync(join(home, ".cache/gw/compiled")) : readdirSync(home)).toHaveLength(canKeep ? 1 : 0);
    expect(readdirSync(other)).toEqual([]);
  });

  test("--limit-request-body and --log-level reach it", async () => {
    const app =
      'import { readText, text } from "@gw/core";\nexport default async (request) => { request.exchange.log.info("seen"); return text(await readText(request)); };\n';
    const folder = folderWith({ "app.ts": app });
    const environment = cgiRequest("/", { REQUEST_METHOD: "POST", CONTENT_LENGTH: "6" });
    const call = (...flags: string[]) => gw(folder, ["cgi", ...flags, "app.ts"], { environment, input: "123456" });
    expect(parse((await call("--limit-request-body", "5")).stdout).head).toContainEqual(
      expect.stringMatching(/^Status: 413 /),
    );
    expect((await call()).stderr).toContain("seen");
    expect((await call("--log-level", "error")).stderr).toBe("");
    expect(JSON.parse((await call("--log-format", "json")).stderr)).toMatchObject({ msg: "seen" });
  });

  test("what modules print while they load goes to the log, not into the answer", async () => {
    const folder = folderWith({ "app.ts": `console.log("loading");\n${appSaying("clean")}` });
    const { stdout, stderr } = await gw(folder, ["app.ts"], { environment: cgiRequest("/") });
    expect(stdout.startsWith("Status: 200 OK")).toBe(true);
    expect(stderr).toBe("loading\n");
  });

  test("R-C4: the words of a query are no flags and no app of ours", async () => {
    const folder = folderWith({ "app.ts": appSaying("mine"), "evil.ts": appSaying("evil") });
    for (const words of [["--use", "./evil.ts"], ["--config=./evil.ts"], ["./evil.ts"], ["--interface", "wsgi"]]) {
      const environment = cgiRequest("/", { QUERY_STRING: words.map((word) => encodeURIComponent(word)).join("+") });
      expect(parse((await gw(folder, ["./app.ts", ...words], { environment })).stdout).body).toBe("mine /\n");
    }
  });

  test("believes REMOTE_USER where it is told to, and knows its mount", async () => {
    const folder = folderWith({
      "app.ts":
        'import { json } from "@gw/core";\nexport default ({ principal, mount, path }) => json([principal?.user ?? null, mount, path]);\n',
    });
    const environment = cgiRequest("/x", { REMOTE_USER: "ada", AUTH_TYPE: "Basic", SCRIPT_NAME: "/in" });
    const ask = async (...flags: string[]): Promise<unknown> =>
      JSON.parse(parse((await gw(folder, [...flags, "app.ts"], { environment })).stdout).body);
    expect(await ask("cgi")).toEqual([null, "/in", "/x"]);
    expect(await ask("cgi", "--trust-remote-user", "--mounted-at", "/")).toEqual(["ada", "", "/in/x"]);
    expect(await ask("--trust-remote-user")).toEqual(["ada", "/in", "/x"]);
  });

  test.each([
    { name: "app", argv: ["app.ts"], says: /^gw: cannot load app\.ts: SyntaxError: .* \(app\.ts:1\)\n$/ },
    { name: "app of gw cgi", argv: ["cgi", "app.ts"], says: /^gw: cannot load app\.ts: SyntaxError: .*\n$/ },
    { name: "layer", argv: ["--use", "./none.ts", "app.ts"], says: /^gw: .*none\.ts.*\n$/ },
    { name: "configuration", argv: ["--config", "none.json"], says: /^gw: .*none\.json.*\n$/ },
  ])("one whose $name cannot be loaded is a 500 that says nothing; the log says why", async ({ argv, says }) => {
    const folder = folderWith({ "app.ts": argv.length > 2 ? appSaying("x") : "export default ;\n" });
    const { code, stdout, stderr } = await gw(folder, argv, { environment: cgiRequest("/") });
    expect({ code, first: parse(stdout).head[0] }).toEqual({ code: 1, first: "Status: 500 Internal Server Error" });
    expect(stdout).not.toMatch(/app\.ts|none/);
    expect(stderr).toMatch(says);
  });

  test("called wrongly at a shell, it answers nothing and ends with 2", async () => {
    const { code, stdout } = await gw(folderWith({}), ["cgi", "--no-such-flag"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });
});

requires("/usr/bin/env")(
  "an executable file whose first line names gw is a program for the kernel, and for our own CGI host",
  async () => {
    const folder = folderWith({ "cgi-bin/hello": `#!/usr/bin/env gw\n${appSaying("from a script")}` });
    mkdirSync(join(folder.path, "bin"));
    symlinkSync(command, join(folder.path, "bin/gw"));
    symlinkSync(process.execPath, join(folder.path, "bin/node"));
    const PATH = `${folder.path}/bin:/usr/bin:/bin`;
    const { stdout } = spawnSync(join(folder.path, "cgi-bin/hello"), {
      env: { ...cgiRequest("/x"), PATH },
      encoding: "utf8",
    });
    expect(parse(stdout).body).toBe("from a script /x\n");
    const server = await serving(folder, ["-p", "0", "--mount", `/cgi-bin=cgi-bin:./cgi-bin?path=${PATH}`]);
    expect(await (await fetch(`${server.urls[0]}/cgi-bin/hello/y?--use+./evil`)).text()).toBe("from a script /y\n");
  },
);

test("gw serve serves HTTP whatever the environment says", async () => {
  const folder = folderWith({ "app.ts": appSaying("x") });
  const { code, stderr } = await gw(folder, ["serve", "app.ts", "-b", "unix:./none/s"], {
    environment: cgiRequest("/"),
  });
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("cannot listen on unix:") });
});
