import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { run } from "@gw/core/testing";
import { fastcgi } from "@gw/fastcgi";
import {
  RecordType,
  RequesterConnection,
  type Role,
  writeBeginRequest,
  writeParams,
  writeRecord,
} from "@gw/fastcgi/codec";
import { requires } from "@gw-private/requires";
import { expect, onTestFinished, test } from "vitest";
import { bareEnvironment, command, folderWith, serving } from "./gw.ts";

const app = {
  "app.mjs": "export default { fetch: (request) => new Response('hello ' + new URL(request.url).pathname) };\n",
};
/** ada:lovelace */
const users = { users: "ada:{SHA}MJgvYgf2tRctgBqviyzN0HpBdyY=\n" };

/** Asks one question by the codec; gives the output and how it ended. */
async function ask(
  path: string,
  role: Role,
  variables: Record<string, string>,
): Promise<{ output: string; end: unknown }> {
  const machine = new RequesterConnection();
  const id = machine.begin();
  const nothing = new Uint8Array(0);
  const socket = connect({ path });
  const pairs = { REQUEST_METHOD: "GET", REQUEST_URI: "/x", SERVER_PROTOCOL: "HTTP/1.1", ...variables };
  socket.write(
    Buffer.concat([
      writeBeginRequest(id, role, false),
      writeRecord(RecordType.params, id, writeParams(Object.entries(pairs))),
      writeRecord(RecordType.params, id, nothing),
    ]),
  );
  let output = "";
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    for (const event of machine.feed(chunk)) {
      if (event.kind === "output") output += Buffer.from(event.bytes).toString("latin1");
      if (event.kind === "end") {
        socket.destroy();
        return { output, end: event.protocolStatus };
      }
    }
  }
  throw new Error(`the connection ended early: ${output}`);
}

const basic = (name: string, password: string): Record<string, string> => ({
  HTTP_AUTHORIZATION: `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`,
});

test("gw fastcgi --role authorizer answers who may pass by its layers, without an app", async () => {
  const folder = folderWith(users);
  const server = await serving(folder, [
    "fastcgi",
    "--role",
    "authorizer",
    "--use",
    "basic-auth?htpasswd=./users",
    "--uds",
    "s",
  ]);
  expect(server.urls).toEqual([`fastcgi:unix:${folder.path}/s`]);
  const socket = join(folder.path, "s");
  const known = await ask(socket, "authorizer", basic("ada", "lovelace"));
  expect(known.output).toMatch(/^Status: 200 .*\r\nVariable-REMOTE_USER: ada\r\n/);
  expect((await ask(socket, "authorizer", basic("ada", "wrong"))).output).toMatch(/^Status: 401 /);
  expect((await ask(socket, "responder", {})).end).toBe("unknownRole");
});

test("an authorizer asks its layers alone, whatever app is in its folder", async () => {
  const folder = folderWith({
    ...users,
    "app.mjs": "export default { fetch: () => new Response('welcome') };\n",
    "gw.config.mjs":
      'export default { app: "./app.mjs", use: ["basic-auth?htpasswd=./users"], mounts: { "/x": "./app.mjs" } };\n',
  });
  await serving(folder, ["fastcgi", "--role", "authorizer", "--uds", "s"]);
  const socket = join(folder.path, "s");
  expect((await ask(socket, "authorizer", {})).output).toMatch(/^Status: 401 /);
  expect((await ask(socket, "authorizer", basic("ada", "wrong"))).output).toMatch(/^Status: 401 /);
  expect((await ask(socket, "authorizer", basic("ada", "lovelace"))).output).toMatch(
    /^Status: 200 .*\r\nVariable-REMOTE_USER: ada\r\n/,
  );
});

test("a role that is none is refused; a responder needs an app, an authorizer layers", async () => {
  const folder = folderWith({});
  const call = (...args: string[]): string => {
    try {
      execFileSync(process.execPath, [command, ...args], { cwd: folder.path, env: bareEnvironment(), stdio: "pipe" });
      return "";
    } catch (error) {
      return String((error as { stderr: Buffer }).stderr);
    }
  };
  expect(call("fastcgi", "--role", "judge", "--uds", "s")).toContain("responder, authorizer, filter");
  expect(call("fastcgi", "--uds", "s")).toContain("no app named");
  expect(call("fastcgi", "--role", "authorizer", "--uds", "s")).toContain("needs the layers that decide: --use");
  for (const app of [["app.mjs"], ["--mount", "/x=app.mjs"]]) {
    const said = call("fastcgi", "--role", "authorizer", "--use", "basic-auth?htpasswd=users", "--uds", "s", ...app);
    expect(said).toContain("the layers decide, without an app");
  }
});

requires("spawn-fcgi")("spawn-fcgi starts gw with the socket as descriptor 0", async () => {
  const { path } = folderWith(app);
  const socket = join(path, "s");
  const pidFile = join(path, "pid");
  const args = ["-s", socket, "-P", pidFile, "-d", path, "--", process.execPath, command, "fastcgi", "app.mjs"];
  execFileSync("spawn-fcgi", args, { env: bareEnvironment(), stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => {
    process.kill(Number(execFileSync("cat", [pidFile], { encoding: "utf8" })), "SIGKILL");
  });
  const client = await run(fastcgi({ address: `unix:${socket}`, headerTimeoutMs: 20_000 }));
  expect((await client.request("/by/spawn-fcgi")).text()).toBe("hello /by/spawn-fcgi");
  expect((await client.request("/again", { method: "POST", body: "x" })).text()).toBe("hello /again");
  await client.stop(AbortSignal.abort());
});

requires("systemd-socket-activate")("systemd hands its socket over as descriptor 3", async () => {
  const { path } = folderWith(app);
  const socket = join(path, "s");
  const activator = spawn(
    "systemd-socket-activate",
    ["-l", socket, process.execPath, command, "fastcgi", "--fd", "3", "app.mjs"],
    { cwd: path, env: bareEnvironment(), stdio: ["ignore", "ignore", "pipe"] },
  );
  onTestFinished(async () => {
    activator.kill("SIGKILL"); // it has become the program
    if (activator.exitCode === null && activator.signalCode === null) await once(activator, "exit");
  });
  let said = "";
  activator.stderr?.on("data", (chunk: Buffer) => {
    said += chunk;
  });
  while (!said.includes("Listening on")) await once(activator.stderr as Readable, "data");
  expect(existsSync(socket)).toBe(true);
  const client = await run(fastcgi({ address: `unix:${socket}`, headerTimeoutMs: 20_000 }));
  expect((await client.request("/by/systemd")).text()).toBe("hello /by/systemd");
  expect(said).toContain("gw: listening on fastcgi: descriptor 3");
  await client.stop(AbortSignal.abort());
});

test("gw fastcgi --help names the roles", () => {
  const help = execFileSync(process.execPath, [command, "fastcgi", "--help"], { encoding: "utf8" });
  expect(help).toMatch(/--role responder\|authorizer\|filter/);
});

test("an inherited descriptor that is no listening socket is said so", async () => {
  const { path } = folderWith(app);
  const child = spawn(process.execPath, [command, "fastcgi", "--fd", "7", "app.mjs"], {
    cwd: path,
    env: bareEnvironment(),
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  for await (const chunk of child.stderr as AsyncIterable<Buffer>) said += chunk;
  expect(said).toMatch(/fd:\/\/7|descriptor 7/);
});
