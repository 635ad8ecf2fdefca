import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { gateway } from "@gw/core";
import { run } from "@gw/core/testing";
import { fastcgi } from "@gw/fastcgi";
import { RecordType, writeBeginRequest, writeParams, writeRecord } from "@gw/fastcgi/codec";
import { requires } from "@gw-private/requires";
import { expect, onTestFinished, test } from "vitest";
import { appSaying, bareEnvironment, command, folderWith, gw, serving } from "./gw.ts";

const fetchApp = {
  "app.mjs": "export default { fetch: (request) => new Response('hello ' + new URL(request.url).pathname) };\n",
};

/** Starts the command and waits for its line. */
async function started(args: readonly string[], cwd: string, stdin: "ignore" | number = "ignore"): Promise<string> {
  const child = spawn(process.execPath, [command, ...args], {
    cwd,
    env: bareEnvironment(),
    stdio: [stdin, "ignore", "pipe"],
  });
  onTestFinished(async () => {
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  });
  let said = "";
  for await (const chunk of child.stderr as AsyncIterable<Buffer>) {
    said += chunk;
    const line = /gw: listening on (.*)\n/.exec(said)?.[1];
    if (line !== undefined) return line;
  }
  throw new Error(`the command ended: ${said}`);
}

async function ask(address: string, path: string): Promise<string> {
  const app = await run(fastcgi({ address }));
  try {
    return (await app.request(path)).text();
  } finally {
    await app.stop(AbortSignal.abort());
  }
}

test("gw fastcgi answers on a unix socket", async () => {
  const { path } = folderWith(fetchApp);
  const socket = join(path, "s");
  expect(await started(["fastcgi", "--uds", socket, "app.mjs"], path)).toBe(`fastcgi:unix:${socket}`);
  expect(await ask(`unix:${socket}`, "/x")).toBe("hello /x");
});

test("gw <app> with a listening socket as descriptor 0 is a FastCGI program (FastCGI 1.0 §2.2)", async () => {
  const { path } = folderWith(fetchApp);
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(0, "127.0.0.1", resolve));
  const { port } = holder.address() as { port: number };
  const { fd } = (holder as unknown as { _handle: { fd: number } })._handle;
  await started(["app.mjs"], path, fd);
  await new Promise((resolve) => holder.close(resolve)); // the program alone accepts now
  expect(await ask(`127.0.0.1:${port}`, "/fd")).toBe("hello /fd");
});

test("REMOTE_USER, SCRIPT_NAME and peers of the web server count as the flags say", async () => {
  const folder = folderWith({
    "app.ts":
      'import { json } from "@gw/core";\nexport default ({ principal, mount, path }) => json([principal?.user ?? null, mount, path]);\n',
  });
  const ask = async (...flags: string[]): Promise<unknown> => {
    const server = await serving(folder, ["fastcgi", "app.ts", "-b", "127.0.0.1:0", ...flags]);
    const variables = { REMOTE_USER: "ada", AUTH_TYPE: "Basic" };
    const address = (server.urls[0] as string).slice("fastcgi:".length);
    const client = await run(gateway().mount("/in", fastcgi({ address, variables })));
    onTestFinished(() => client.stop(AbortSignal.abort()));
    const answer = await client.request("/in/x");
    return answer.status === 200 ? JSON.parse(answer.text()) : answer.status;
  };
  expect(await ask()).toEqual([null, "/in", "/x"]);
  expect(await ask("--trust-remote-user")).toEqual(["ada", "/in", "/x"]);
  expect(await ask("--mounted-at", "/")).toEqual([null, "", "/in/x"]);
  expect(await ask("--allowed-peers", "192.0.2.1")).toBe(502);
  expect(await ask("--allowed-peers", "192.0.2.1,127.0.0.0/8")).toEqual([null, "/in", "/x"]);
  const peers = await gw(folder, ["fastcgi", "app.ts", "--uds", "s", "--allowed-peers", "not-an-ip"]);
  expect([peers.code, peers.stderr]).toEqual([2, expect.stringContaining('--allowed-peers: "not-an-ip": expected')]);
  const { code, stderr } = await gw(folder, ["fastcgi", "app.ts", "--uds", "s", "--mounted-at", "in"]);
  expect([code, stderr]).toEqual([2, expect.stringContaining('found "in", expected a path that starts with "/"')]);
});

test("gw fastcgi obeys signals, reloads and keeps a pid file as gw serve does", async () => {
  const folder = folderWith({ "app.ts": appSaying("one") });
  const server = await serving(folder, ["fastcgi", "app.ts", "--uds", "s", "--pid", "gw.pid"]);
  expect(server.urls).toEqual([`fastcgi:unix:${folder.path}/s`]);
  expect(existsSync(join(folder.path, "gw.pid"))).toBe(true);
  expect(await ask(`unix:${folder.path}/s`, "/x")).toBe("one /x\n");
  folder.write("app.ts", appSaying("two"));
  const reloaded = server.says(/gw: reloaded in/);
  server.kill("SIGHUP");
  await reloaded;
  expect(await ask(`unix:${folder.path}/s`, "/x")).toBe("two /x\n");
  server.kill("SIGTERM");
  expect(await server.ended).toBe(0);
  expect([existsSync(join(folder.path, "gw.pid")), existsSync(join(folder.path, "s"))]).toEqual([false, false]);
});

test("R-F8: gw fastcgi has the time limits of gw serve, for what a web server sends", async () => {
  const folder = folderWith({
    "app.ts":
      'import { readText, text } from "@gw/core";\nexport default async (request) => text(await readText(request));\n',
  });
  const words = ["fastcgi", "app.ts", "--uds", "s", "--timeout", "200ms", "--min-body-rate", "1"];
  const server = await serving(folder, [...words, "--header-timeout", "250ms", "--write-timeout", "5s"]);
  const begin = writeBeginRequest(1, "responder", false);
  const variables = writeParams([
    ["REQUEST_METHOD", "POST"],
    ["SCRIPT_NAME", ""],
    ["PATH_INFO", "/"],
    ["CONTENT_LENGTH", "9"],
  ]);
  const params = [variables, new Uint8Array(0)].map((part) => writeRecord(RecordType.params, 1, part));
  const input = writeRecord(RecordType.stdin, 1, Buffer.from("abc"));
  expect(await exchanged(join(folder.path, "s"), Buffer.concat([begin, ...params, input]))).toContain("Status: 408");
  expect(await exchanged(join(folder.path, "s"), begin)).toBe("");
  await server.says(/variables did not come to an end/);
});

/** Sends bytes, leaves the connection open and gives what came until the other side closed it. */
async function exchanged(path: string, bytes: Uint8Array): Promise<string> {
  const socket = connect({ path });
  onTestFinished(() => void socket.destroy());
  socket.write(bytes);
  const chunks: Buffer[] = [];
  for await (const chunk of socket as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString("latin1");
}

const asRoot = process.getuid?.() === 0 ? requires("/proc/self/status", "getent") : requires("root privileges");

asRoot(
  "R-O14: gw fastcgi --user binds as root, gives the socket to the web server's group, and serves as that user",
  async () => {
    const folder = folderWith({
      "app.ts":
        'import { json } from "@gw/core";\nexport default (_request) => json([process.getuid(), process.getgid(), process.getgroups()]);\n',
    });
    chmodSync(folder.path, 0o755);
    mkdirSync(join(folder.path, "run")); // root's, as /run is
    const socket = join(folder.path, "run/s");
    const words = ["fastcgi", "app.ts", "--uds", socket, "--user", "nobody", "--group", "www-data"];
    const server = await serving(folder, words);
    const idOf = (kind: string, name: string): number =>
      Number(execFileSync("getent", [kind, name], { encoding: "utf8" }).split(":")[2]);
    const [user, group] = [idOf("passwd", "nobody"), idOf("group", "www-data")];
    const [uid, gid, groups] = JSON.parse(await ask(`unix:${socket}`, "/")) as [number, number, number[]];
    expect([uid, gid, groups.includes(0)]).toEqual([user, group, false]);
    expect(statSync(socket)).toMatchObject({ uid: 0, gid: group });
    expect(statSync(socket).mode & 0o777).toBe(0o660);
    server.kill("SIGTERM");
    expect(await server.ended).toBe(0);
  },
);

requires("php-cgi")("php:./docroot runs scripts and sends files", async () => {
  const { path } = folderWith({ "www/index.php": "<?php echo 'php says ', 6 * 7;", "www/a.txt": "static" });
  const child = spawn(process.execPath, [command, "fetch", "/", "php:./www?command=php-cgi"], {
    cwd: path,
    env: bareEnvironment(),
    stdio: ["ignore", "pipe", "inherit"],
  });
  let out = "";
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) out += chunk;
  expect(out).toBe("php says 42");
});

requires("gcc", "/usr/include/fcgiapp.h")("gw serve fastcgi:./program starts the program and asks it", async () => {
  const folder = folderWith({});
  const source = join(import.meta.dirname, "../../fastcgi/test/programs/libfcgi.c");
  execFileSync("gcc", ["-o", join(folder.path, "report"), source, "-lfcgi"], { timeout: 60_000 });
  const target = "fastcgi:./report?max=2&variables.APP_ENV=test&env.MODE=x";
  const server = await serving(folder, ["serve", "--port", "0", target]);
  const [url] = server.urls;
  const answer = await (await fetch(`${url}/variables?q`)).text();
  for (const line of ["PATH_INFO=/variables", "QUERY_STRING=q", "APP_ENV=test"]) expect(answer).toContain(`${line}\n`);
  const pid = await (await fetch(url as string)).text();
  expect(readFileSync(`/proc/${pid}/environ`, "utf8")).toContain("MODE=x");
  const reloaded = server.says(/gw: reloaded in/);
  server.kill("SIGHUP");
  await reloaded;
  expect(await (await fetch(url as string)).text()).not.toBe(pid);
  server.kill("SIGTERM");
  expect(await server.ended).toBe(0);
  expect(existsSync(`/proc/${pid}`)).toBe(false);
});

requires("gcc", "/usr/include/fcgiapp.h")("under -w 2 both workers share the processes", async () => {
  const folder = folderWith({});
  const source = join(import.meta.dirname, "../../fastcgi/test/programs/libfcgi.c");
  execFileSync("gcc", ["-o", join(folder.path, "report"), source, "-lfcgi"], { timeout: 60_000 });
  const server = await serving(folder, ["serve", "--port", "0", "-w", "2", "fastcgi:./report?max=1"]);
  const answers = await Promise.all(
    Array.from({ length: 20 }, async () =>
      (await fetch(server.urls[0] as string, { headers: { Connection: "close" } })).text(),
    ),
  );
  expect(new Set(answers).size).toBe(1);
  server.kill("SIGTERM");
  expect(await server.ended).toBe(0);
});

test.each([
  ["fastcgi:./none", "expected a file"],
  ["fastcgi:perl?idleTimeout=5", 'unknown option "idleTimeout"'],
  ["fastcgi:unix:/none.sock?max=4", 'unknown option "max"'],
  ["fastcgi:perl?min=4&max=2", "max is 4 or more, which min is; found 2"],
])("gw serve %s is refused", async (target, message) => {
  const { code, stderr } = await gw(folderWith({}), ["serve", "--port", "0", target]);
  expect(code).not.toBe(0);
  expect(stderr).toContain(message);
});
