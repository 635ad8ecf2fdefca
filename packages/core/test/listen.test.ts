// Real sockets: what listen() promises about addresses, files and failures.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, lstatSync, openSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { isListeningSocket, type Listening, listen, listenAll, parseBind } from "../src/node/index.ts";
import { placeSocket } from "../src/node/unix-socket.ts";

let directory: string;
const open: { close(): unknown }[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "gw-listen-"));
});

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
  rmSync(directory, { recursive: true, force: true });
});

const greeter = (word = "hello"): Server =>
  createServer((socket) => {
    socket.on("error", () => {}); // a probe hangs up without reading
    socket.end(word);
  });
const keep = <T extends { close(): unknown }>(one: T): T => {
  open.push(one);
  return one;
};

async function listenKept(server: Server, text: string, mode?: number): Promise<Listening> {
  return keep(await listen(server, parseBind(text), mode === undefined ? {} : { mode }));
}

function greetingOf(where: { port: number; host: string } | { path: string }): Promise<string> {
  return new Promise((done, fail) => {
    const socket = connect(where);
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk;
    });
    socket.on("end", () => done(text));
    socket.on("error", fail);
  });
}

/** A socket file whose process died without removing it. */
function leaveStaleSocket(path: string): void {
  const script = `require("net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))`;
  try {
    execFileSync(process.execPath, ["-e", script, path], { stdio: "ignore" });
  } catch {
    // killed, as asked
  }
  expect(lstatSync(path).isSocket()).toBe(true);
}

describe("TCP", () => {
  test("says which port it got for port 0", async () => {
    const { address } = await listenKept(greeter(), "127.0.0.1:0");
    expect(address).toEqual({ host: "127.0.0.1", port: expect.any(Number) });
    if (!("port" in address)) throw new Error("no port");
    expect(address.port).toBeGreaterThan(0);
    expect(await greetingOf(address)).toBe("hello");
  });

  test("names the address that is in use", async () => {
    const { address } = await listenKept(greeter(), "127.0.0.1:0");
    const port = "port" in address ? address.port : 0;
    const server = createServer();
    await expect(listen(server, parseBind(`127.0.0.1:${port}`))).rejects.toMatchObject({
      code: "GW_BIND_IN_USE",
      message: `cannot listen on 127.0.0.1:${port}: the address is in use`,
      cause: { code: "EADDRINUSE" },
    });
    expect(server.listening).toBe(false);
    expect(server.listenerCount("error")).toBe(0);
  });

  test("says that an address is not one of this machine", async () => {
    await expect(listen(createServer(), parseBind("192.0.2.1:0"))).rejects.toMatchObject({ code: "GW_BIND_ADDRESS" });
  });

  test("starts nothing when the second of two addresses fails", async () => {
    const { address } = await listenKept(greeter(), "127.0.0.1:0");
    const taken = "port" in address ? address.port : 0;
    const path = join(directory, "first.sock");
    const servers: Server[] = [];
    const starting = listenAll([parseBind(`unix:${path}`), parseBind(`127.0.0.1:${taken}`)], () => {
      const server = createServer();
      servers.push(server);
      return server;
    });
    await expect(starting).rejects.toMatchObject({ code: "GW_BIND_IN_USE" });
    expect(servers.map(({ listening }) => listening)).toEqual([false, false]);
    expect(readdirSync(directory)).toEqual([]);
  });
});

describe("unix sockets", () => {
  test("R-O14: makes the file with its mode, 0660 unless told otherwise, and leaves nothing else behind", async () => {
    const plain = join(directory, "plain.sock");
    const open = join(directory, "open.sock");
    const { address } = await listenKept(greeter(), `unix:${plain}`);
    await listenKept(greeter(), `unix:${open}`, 0o666);
    expect(lstatSync(plain).mode & 0o777).toBe(0o660);
    expect(lstatSync(open).mode & 0o777).toBe(0o666);
    expect(address).toEqual({ path: plain });
    expect(readdirSync(directory).sort()).toEqual(["open.sock", "plain.sock"]);
    expect(await greetingOf({ path: plain })).toBe("hello");
  });

  test("R-O14: removes its file when closed", async () => {
    const path = join(directory, "gw.sock");
    const listening = await listen(greeter(), parseBind(`unix:${path}`));
    await listening.close();
    expect(existsSync(path)).toBe(false);
    await listening.close();
  });

  test("R-O14: takes over what a dead process left behind", async () => {
    const path = join(directory, "gw.sock");
    leaveStaleSocket(path);
    await listenKept(greeter("new"), `unix:${path}`);
    expect(await greetingOf({ path })).toBe("new");
    expect(readdirSync(directory)).toEqual(["gw.sock"]);
  });

  test("R-O14: leaves a socket alone on which a process listens", async () => {
    const path = join(directory, "gw.sock");
    await listenKept(greeter("first"), `unix:${path}`);
    await expect(listen(createServer(), parseBind(`unix:${path}`))).rejects.toMatchObject({
      code: "GW_BIND_IN_USE",
      message: `cannot listen on unix:${path}: another process listens there`,
    });
    expect(await greetingOf({ path })).toBe("first");
  });

  test.each([
    ["a file", (path: string) => writeFileSync(path, "precious")],
    ["a link", (path: string) => symlinkSync("/dev/null", path)],
    ["a dangling link", (path: string) => symlinkSync("/nowhere", path)],
  ])("R-O14: leaves %s alone", async (_, make) => {
    const path = join(directory, "gw.sock");
    make(path);
    const before = lstatSync(path).ino;
    await expect(listen(createServer(), parseBind(`unix:${path}`))).rejects.toMatchObject({ code: "GW_BIND_PATH" });
    expect(lstatSync(path).ino).toBe(before);
    expect(readdirSync(directory)).toEqual(["gw.sock"]);
  });

  test("R-O14: leaves the file alone that has taken the place of its own", async () => {
    const path = join(directory, "gw.sock");
    const listening = await listen(greeter("old"), parseBind(`unix:${path}`));
    rmSync(path);
    await listenKept(greeter("new"), `unix:${path}`);
    await listening.close();
    expect(await greetingOf({ path })).toBe("new");
  });

  test("says that the directory does not exist, or that the path is too long", async () => {
    await expect(listen(createServer(), parseBind(`unix:${directory}/no/gw.sock`))).rejects.toMatchObject({
      code: "GW_BIND_PATH",
      message: `cannot listen on unix:${directory}/no/gw.sock: there is no such directory`,
    });
    const long = `unix:${directory}/${"x".repeat(120)}`;
    await expect(listen(createServer(), parseBind(long))).rejects.toMatchObject({ code: "GW_BIND_PATH" });
    expect(readdirSync(directory)).toEqual([]);
  });

  test("R-O14: a socket that takes the stale one's place at the last moment stays", async () => {
    const path = join(directory, "gw.sock");
    leaveStaleSocket(path);
    const other = keep(greeter("other"));
    const placing = placeSocket(path, 0o660, async (fresh) => {
      rmSync(path);
      await new Promise<void>((done) => other.listen(path, done));
      await new Promise<void>((done) => keep(createServer()).listen(fresh, done));
    });
    await expect(placing).rejects.toMatchObject({ code: "GW_BIND_IN_USE" });
    expect(await greetingOf({ path })).toBe("other");
    expect(readdirSync(directory)).toEqual(["gw.sock"]);
  });

  test("two that start at the same moment: one wins, the other says why", async () => {
    const path = join(directory, "gw.sock");
    leaveStaleSocket(path);
    const results = await Promise.allSettled(
      ["a", "b"].map((word) => listen(greeter(word), parseBind(`unix:${path}`))),
    );
    const won = results.flatMap((result) => (result.status === "fulfilled" ? [keep(result.value)] : []));
    const lost = results.flatMap((result) => (result.status === "rejected" ? [result.reason.code] : []));
    expect([won.length, lost]).toEqual([1, ["GW_BIND_IN_USE"]]);
    expect(["a", "b"]).toContain(await greetingOf({ path }));
    expect(readdirSync(directory)).toEqual(["gw.sock"]);
  });
});

describe("descriptors", () => {
  const fdOf = (server: Server): number => (server as unknown as { _handle: { fd: number } })._handle.fd;

  test("tells listening sockets from everything else", async () => {
    const path = join(directory, "gw.sock");
    const tcp = await listenKept(greeter(), "127.0.0.1:0").then(() => open.length);
    expect(tcp).toBe(1);
    const server = keep(createServer()).listen(0, "127.0.0.1");
    const unix = keep(createServer()).listen(path);
    await Promise.all([once(server, "listening"), once(unix, "listening")]);
    expect([isListeningSocket(fdOf(server)), isListeningSocket(fdOf(unix))]).toEqual([true, true]);
    const client = connect(path);
    await once(client, "connect");
    expect(isListeningSocket((client as unknown as { _handle: { fd: number } })._handle.fd)).toBe(false);
    client.destroy();
    const file = openSync("/dev/null", "r");
    expect(isListeningSocket(file)).toBe(false);
    closeSync(file);
    expect(isListeningSocket(file)).toBe(false);
  });

  test("listens on a socket that it inherited", async () => {
    const script = `
      const { listen, parseBind } = await import(${JSON.stringify(new URL("../dist/node/index.js", import.meta.url).href)});
      const { createServer } = await import("node:net");
      const { address } = await listen(createServer((socket) => socket.end("inherited")), parseBind("fd://3"));
      console.log(JSON.stringify(address));
    `;
    const server = keep(createServer()).listen(0, "127.0.0.1");
    await once(server, "listening");
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit", fdOf(server)],
    });
    const [line] = (await once(child.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
    const address = server.address() as { address: string; port: number };
    expect(JSON.parse(String(line))).toEqual({ host: "127.0.0.1", port: address.port });
    server.close();
    expect(await greetingOf({ host: "127.0.0.1", port: address.port })).toBe("inherited");
    child.kill("SIGKILL");
    await once(child, "exit");
  });

  test.each(["fd://0", "fd://99"])("refuses %s, which is no socket", async (text) => {
    if (text === "fd://0" && isListeningSocket(0)) return;
    await expect(listen(createServer(), parseBind(text))).rejects.toMatchObject({ code: "GW_BIND_FD" });
  });
});
