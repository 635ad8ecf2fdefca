// gw serve: binds, flags that reach the server, signals, the process id.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, statSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { authority, first } from "../../http/test/certificates.ts";
import { appSaying, bareEnvironment, command, folderWith, type Server, serving } from "./gw.ts";

/** The text that a URL of a server answers. */
async function get(server: Server, path: string, init: RequestInit = {}): Promise<string> {
  return (await fetch(`${server.urls[0]}${path}`, init)).text();
}

/** An app that says when a request has come, and answers when it is told to; the conversation goes over files. */
const slowApp = `import { existsSync, writeFileSync } from "node:fs";
import { type GatewayRequest, text } from "@gw/core";
export default {
  async handle(request: GatewayRequest) {
    if (request.path !== "/slow") return text("fast\\n");
    writeFileSync("begun", "");
    while (!existsSync("go")) await new Promise((done) => setTimeout(done, 10));
    return text("slow but whole\\n");
  },
  stop() { writeFileSync("stopped", ""); },
};
`;

async function untilExists(file: string): Promise<void> {
  while (!existsSync(file)) await new Promise((done) => setTimeout(done, 10));
}

describe("binds", () => {
  test("says in one line per bind where it listens, and answers on each", async () => {
    const folder = folderWith({ "app.ts": appSaying("hello") });
    const server = await serving(folder, ["app.ts", "-b", "127.0.0.1:0", "-b", "unix:./gw.sock", "-b", "127.0.0.1:0"], {
      binds: 3,
    });
    const [url, socket, other] = server.urls as [string, string, string];
    expect(server.stderr().split("\n")).toHaveLength(4);
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(socket).toBe(`unix:${folder.path}/gw.sock`);
    expect(await (await fetch(`${url}/a`)).text()).toBe("hello /a\n");
    expect(await (await fetch(`${other}/b`)).text()).toBe("hello /b\n");
    expect(await overSocket(join(folder.path, "gw.sock"), "/c")).toBe("hello /c\n");
    expect(statSync(join(folder.path, "gw.sock")).mode & 0o777).toBe(0o660);
    server.kill("SIGTERM");
    expect(await server.ended).toBe(0);
    expect(existsSync(join(folder.path, "gw.sock"))).toBe(false);
  });

  test("--host, --port, --uds and the environment bind, too", async () => {
    const folder = folderWith({ "app.ts": appSaying("hello") });
    const environment = { GW_HOST: "::1", GW_PORT: "0" };
    const server = await serving(folder, ["serve", "app.ts"], { environment });
    expect(server.urls[0]).toMatch(/^http:\/\/\[::1\]:\d+$/);
    const socket = await serving(folder, ["serve", "app.ts", "--uds", "b.sock"], { environment });
    expect(socket.urls).toEqual([`unix:${folder.path}/b.sock`]);
  });

  test("--fd serves on a socket that it was given", async () => {
    const folder = folderWith({ "app.ts": appSaying("inherited") });
    const given = createServer();
    await new Promise<void>((done) => given.listen(0, "127.0.0.1", done));
    const { port } = given.address() as { port: number };
    const handle = (given as unknown as { _handle: { fd: number } })._handle;
    const child = spawn(process.execPath, [command, "serve", "app.ts", "--fd", "3"], {
      cwd: folder.path,
      env: bareEnvironment(),
      stdio: ["ignore", "ignore", "pipe", handle.fd],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    given.close();
    const [line] = (await once((child.stderr as NodeJS.ReadableStream).setEncoding("utf8"), "data")) as [string];
    expect(line).toBe(`gw: listening on http://127.0.0.1:${port}\n`);
    expect(await (await fetch(`http://127.0.0.1:${port}/x`)).text()).toBe("inherited /x\n");
  });
});

describe("flags reach the server", () => {
  test("--ssl-certfile speaks TLS, HTTP/1.1 and HTTP/2 by ALPN", async () => {
    const folder = folderWith({ "app.ts": appSaying("secret"), "c.pem": first.cert + first.key });
    const server = await serving(folder, ["app.ts", "-p", "0", "--ssl-certfile", "c.pem"]);
    expect(server.urls[0]).toMatch(/^https:\/\/127\.0\.0\.1:/);
    const { connect: connectTls } = await import("node:tls");
    const socket = connectTls({
      port: portOf(server),
      host: "127.0.0.1",
      ca: authority,
      ALPNProtocols: ["h2", "http/1.1"],
    });
    await once(socket, "secureConnect");
    expect(socket.alpnProtocol).toBe("h2");
    socket.destroy();
    const body = await new Promise<string>((resolve, reject) => {
      const sent = httpsRequest(`${server.urls[0]}/x`, { ca: authority }, async (response) => {
        let text = "";
        for await (const chunk of response.setEncoding("utf8")) text += chunk;
        resolve(text);
      });
      sent.on("error", reject).end();
    });
    expect(body).toBe("secret /x\n");
  });

  test("--http 1 offers no HTTP/2", async () => {
    const folder = folderWith({ "app.ts": appSaying("x"), "c.pem": first.cert, "k.pem": first.key });
    const server = await serving(folder, [
      "app.ts",
      "-p",
      "0",
      "--ssl-certfile",
      "c.pem",
      "--ssl-keyfile",
      "k.pem",
      "--http",
      "1",
    ]);
    const { connect: connectTls } = await import("node:tls");
    const socket = connectTls({
      port: portOf(server),
      host: "127.0.0.1",
      ca: authority,
      ALPNProtocols: ["h2", "http/1.1"],
    });
    await once(socket, "secureConnect");
    expect(socket.alpnProtocol).toBe("http/1.1");
    socket.destroy();
  });

  test("--h2c answers HTTP/2 without TLS", async () => {
    const server = await serving(folderWith({ "app.ts": appSaying("two") }), ["app.ts", "-p", "0", "--h2c"]);
    const { connect: connectHttp2 } = await import("node:http2");
    const session = connectHttp2(server.urls[0] as string);
    const stream = session.request({ ":path": "/x" });
    let body = "";
    for await (const chunk of stream.setEncoding("utf8")) body += chunk;
    session.close();
    expect(body).toBe("two /x\n");
  });

  test("--limit-request-body, --root-path and a mount's own shape", async () => {
    const folder = folderWith({
      "app.ts":
        'import { readText, text } from "@gw/core";\nexport default async (request) => text(request.mount + "|" + (await readText(request)));\n',
      "wsgi.ts":
        'export default (...[environ, start]) => { start("200 OK", []); return [Buffer.from(environ.SCRIPT_NAME)]; };\n',
    });
    const words = [
      "app.ts",
      "-p",
      "0",
      "--limit-request-body",
      "5",
      "--root-path",
      "/outer",
      "--mount",
      "/w=wsgi.ts?interface=wsgi",
    ];
    const server = await serving(folder, words);
    expect(await get(server, "/", { method: "POST", body: "12345" })).toBe("/outer|12345");
    expect((await fetch(`${server.urls[0]}/`, { method: "POST", body: "123456" })).status).toBe(413);
    expect(await get(server, "/w/x")).toBe("/outer/w");
  });

  test("--env-file sets variables for the command and the app, also from the configuration", async () => {
    const folder = folderWith({
      "app.ts":
        'import { text } from "@gw/core";\nexport default (request: unknown) => text(process.env.WORD + process.env.GW_ROOT_PATH);\n',
      "site.env": "WORD=hello\nGW_ROOT_PATH=/r\nGW_PORT=0\n",
      "gw.config.mjs": 'export default { app: "./app.ts", envFile: "./site.env" };\n',
    });
    expect(await get(await serving(folder, ["app.ts", "--env-file", "site.env"]), "/")).toBe("hello/r");
    expect(await get(await serving(folder, []), "/")).toBe("hello/r");
  });

  test("--limit-concurrency without a queue answers 503 beyond it", async () => {
    const folder = folderWith({ "app.ts": slowApp });
    const server = await serving(folder, ["app.ts", "-p", "0", "--limit-concurrency", "1", "--limit-queue", "0"]);
    const slow = get(server, "/slow");
    await untilExists(join(folder.path, "begun"));
    const refused = await fetch(`${server.urls[0]}/`);
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "1"]);
    folder.write("go", "");
    expect(await slow).toBe("slow but whole\n");
  });

  test("--header-timeout and --keep-alive end connections that wait too long", async () => {
    const server = await serving(folderWith({ "app.ts": appSaying("x") }), [
      "app.ts",
      "-p",
      "0",
      "--header-timeout",
      "100ms",
      "--keep-alive",
      "100ms",
    ]);
    const slow = connect(portOf(server), "127.0.0.1");
    slow.write("GET / HT");
    expect(await textOf(slow)).toMatch(/^HTTP\/1\.1 408 /);
    const idle = connect(portOf(server), "127.0.0.1");
    idle.write("GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n");
    expect(await textOf(idle)).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*x \/x\n$/); // and then the end
  });

  test("--timeout ends an upload that takes too long", async () => {
    const app =
      'import { readText, text } from "@gw/core";\nexport default async (request) => text(await readText(request));\n';
    const server = await serving(folderWith({ "app.ts": app }), ["app.ts", "-p", "0", "--timeout", "200ms"]);
    const upload = connect(portOf(server), "127.0.0.1");
    upload.write("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n12345");
    expect(await textOf(upload)).toMatch(/^HTTP\/1\.1 408 /);
  });

  test("--proxy-headers believes the peers that --forwarded-allow-ips lists, and nobody else", async () => {
    const app =
      'import { json } from "@gw/core";\nexport default (request) => json([request.scheme, request.client, request.headers.get("x-forwarded-for")]);\n';
    const folder = folderWith({ "app.ts": app });
    const headers = { "X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https" };
    const seen = async (...flags: string[]) =>
      JSON.parse(await get(await serving(folder, ["app.ts", "-p", "0", ...flags]), "/", { headers })) as unknown[];
    expect((await seen("--proxy-headers")).slice(0, 2)).toEqual([
      "https",
      { host: "203.0.113.7", port: expect.any(Number) },
    ]);
    const [scheme, client, field] = await seen();
    expect([scheme, (client as { host: string }).host, field]).toEqual(["http", "127.0.0.1", null]);
    expect((await seen("--proxy-headers", "--forwarded-allow-ips", "10.0.0.0/8"))[0]).toBe("http");
  });

  test("R-H18: --identity-from believes the header of --identity-header from the listed peers, and from nobody else", async () => {
    const app =
      'import { json } from "@gw/core";\nexport default (request) => json([request.principal?.user ?? null, request.params.get("REMOTE_MAIL") ?? null, request.headers.get("x-user")]);\n';
    const folder = folderWith({ "app.ts": app });
    const headers = { "X-User": "ann", "X-Mail": "ann@example.com" };
    const fields = ["--identity-header", "REMOTE_USER=X-User", "--identity-header", "REMOTE_MAIL=X-Mail"];
    const seen = async (...flags: string[]) =>
      JSON.parse(await get(await serving(folder, ["app.ts", "-p", "0", ...flags]), "/", { headers })) as unknown[];
    expect(await seen("--identity-from", "127.0.0.1", ...fields, "--use", "remote-user")).toEqual([
      "ann",
      "ann@example.com",
      null,
    ]);
    expect(await seen("--identity-from", "10.0.0.2", ...fields, "--use", "remote-user")).toEqual([null, null, null]);
  });

  test("--proxy-protocol takes the address from the first line", async () => {
    const app = 'import { text } from "@gw/core";\nexport default (request) => text(request.client.host);\n';
    const server = await serving(folderWith({ "app.ts": app }), ["app.ts", "-p", "0", "--proxy-protocol"]);
    const socket = connect(portOf(server), "127.0.0.1");
    socket.write(
      "PROXY TCP4 203.0.113.9 192.0.2.1 4000 80\r\nGET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    );
    expect(await textOf(socket)).toMatch(/203\.0\.113\.9$/);
  });

  test("--use, --interface and --lifespan shape the app", async () => {
    const app =
      "const events = [];\nexport default async (...[scope, receive, send]) => {\n" +
      '  if (scope.type === "lifespan") { events.push((await receive()).type); await send({ type: "lifespan.startup.complete" }); await receive(); await send({ type: "lifespan.shutdown.complete" }); return; }\n' +
      '  await send({ type: "http.response.start", status: 200, headers: [] });\n  await send({ type: "http.response.body", body: Buffer.from(JSON.stringify(events)) });\n};\n';
    const folder = folderWith({
      "app.mjs": app,
      "layer.ts":
        'import { layer } from "@gw/core";\nexport default layer({ name: "stamp", onResponse: (answer) => ({ ...answer, headers: answer.headers.with("X-Stamp", "yes") }) });\n',
    });
    const words = ["app.mjs", "-p", "0", "--interface", "asgi", "--use", "./layer.ts", "--lifespan"];
    const answer = await fetch(`${(await serving(folder, [...words, "on"])).urls[0]}/`);
    expect([answer.headers.get("x-stamp"), await answer.text()]).toEqual(["yes", '["lifespan.startup"]']);
    expect(await get(await serving(folder, [...words, "off"]), "/")).toBe("[]");
  });

  test("--access-log writes a line per request to standard output, --log-format json makes it an object, --no-access-log none", async () => {
    const folder = folderWith({ "app.ts": appSaying("x") });
    const linesOf = async (...flags: string[]) => {
      const server = await serving(folder, ["app.ts", "-p", "0", ...flags]);
      await get(server, "/seen");
      server.kill("SIGTERM");
      await server.ended;
      return server.stdout();
    };
    expect(await linesOf()).toMatch(/^127\.0\.0\.1 - - \[.*\] "GET \/seen HTTP\/1\.1" 200 8 .*\n$/);
    expect(JSON.parse(await linesOf("--log-format", "json"))).toMatchObject({ status: 200 });
    expect(await linesOf("--no-access-log")).toBe("");
  });

  test("--log-level and --log-format make the log", async () => {
    const app =
      'import { text } from "@gw/core";\nexport default (request) => { request.exchange.log.debug("a detail"); request.exchange.log.warn("a warning"); return text("x"); };\n';
    const folder = folderWith({ "app.ts": app });
    const logOf = async (...flags: string[]) => {
      const server = await serving(folder, ["app.ts", "-p", "0", ...flags]);
      const from = server.stderr().length;
      await get(server, "/");
      server.kill("SIGTERM");
      await server.ended;
      return server.stderr().slice(from);
    };
    expect(await logOf()).toMatch(/a warning(?![\s\S]*a detail)/);
    expect(await logOf("--log-level", "debug")).toContain("a detail");
    expect(await logOf("--log-level", "silent")).toBe("gw: stopped\n");
    expect(JSON.parse((await logOf("--log-format", "json")).split("\n")[0] as string)).toMatchObject({ level: "warn" });
  });
});

describe("stopping", () => {
  test("R-O1: TERM accepts no more, finishes what was taken, stops the app and exits with 0", async () => {
    const folder = folderWith({ "app.ts": slowApp });
    const server = await serving(folder, ["app.ts", "-p", "0", "--pid", "gw.pid"]);
    expect(readFileSync(join(folder.path, "gw.pid"), "utf8")).toBe(`${server.pid}\n`);
    const slow = get(server, "/slow");
    await untilExists(join(folder.path, "begun"));
    server.kill("SIGTERM");
    await untilRefused(portOf(server));
    expect(existsSync(join(folder.path, "stopped"))).toBe(false);
    folder.write("go", "");
    expect(await slow).toBe("slow but whole\n");
    expect(await server.ended).toBe(0);
    expect(existsSync(join(folder.path, "stopped"))).toBe(true);
    expect(existsSync(join(folder.path, "gw.pid"))).toBe(false);
    expect(server.stderr()).toMatch(/gw: stopped\n$/);
  });

  test.each([
    ["a second TERM", ["SIGTERM", "SIGTERM"]],
    ["INT", ["SIGINT"]],
    ["INT after TERM", ["SIGTERM", "SIGINT"]],
  ] as const)("R-O1: %s cuts what runs and ends at once; the app is stopped all the same", async (_what, signals) => {
    const folder = folderWith({ "app.ts": slowApp });
    const server = await serving(folder, ["app.ts", "-p", "0"]);
    const slow = get(server, "/slow").then(
      () => "answered",
      () => "cut",
    );
    await untilExists(join(folder.path, "begun"));
    for (const signal of signals) {
      server.kill(signal);
      if (signals.length > 1 && signal === signals[0]) await untilRefused(portOf(server));
    }
    expect(await slow).toBe("cut");
    expect(await server.ended).toBe(0);
    expect(existsSync(join(folder.path, "stopped"))).toBe(true);
  });

  test("--graceful-timeout bounds the drain", async () => {
    const folder = folderWith({ "app.ts": slowApp });
    const server = await serving(folder, ["app.ts", "-p", "0", "--graceful-timeout", "50ms"]);
    const slow = get(server, "/slow").catch(() => "cut");
    await untilExists(join(folder.path, "begun"));
    server.kill("SIGTERM");
    expect(await slow).toBe("cut");
    expect(await server.ended).toBe(0);
  });

  test("an app that never stops does not keep the process: exit code 1, and it is said", async () => {
    const app = "export default { handle() {}, stop: () => new Promise(() => setInterval(() => {}, 1000)) };\n";
    const folder = folderWith({ "app.mjs": app });
    const server = await serving(folder, ["app.mjs", "-p", "0", "--pid", "gw.pid"]);
    server.kill("SIGINT");
    expect(await server.ended).toBe(1);
    expect(server.stderr()).toMatch(/gw: stopped; the app did not stop in time\n$/);
    expect(existsSync(join(folder.path, "gw.pid"))).toBe(false);
  });

  test("R-W5: an error that an app leaves outside of any request is logged and ends nothing", async () => {
    const app =
      'import { text } from "@gw/core";\n' +
      'export default (request) => { if (request.path === "/throw") setTimeout(() => { throw new Error("later"); }, 0);\n' +
      'if (request.path === "/reject") Promise.reject(new Error("nobody waits")); return text("x\\n"); };\n';
    const server = await serving(folderWith({ "app.mjs": app }), ["app.mjs", "-p", "0"]);
    const thrown = server.says(/an error outside of any request.*later/);
    await get(server, "/throw");
    await thrown;
    const rejected = server.says(/an error outside of any request.*nobody waits/);
    await get(server, "/reject");
    await rejected;
    expect(await get(server, "/")).toBe("x\n");
  });
});

function portOf(server: Server): number {
  return Number(new URL(server.urls[0] as string).port);
}

/** Settles when nothing accepts on the port any more. */
async function untilRefused(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, "127.0.0.1");
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once("connect", () => resolve(true));
      socket.once("error", () => resolve(false));
    });
    socket.destroy();
    if (!isOpen) return;
  }
}

function overSocket(path: string, target: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ socketPath: path, path: target, headers: { Host: "localhost" } }, async (response) => {
      let text = "";
      for await (const chunk of response.setEncoding("utf8")) text += chunk;
      resolve(text);
    });
    sent.on("error", reject).end();
  });
}

async function textOf(socket: NodeJS.ReadableStream): Promise<string> {
  let text = "";
  for await (const chunk of socket.setEncoding("latin1")) text += String(chunk);
  return text;
}
