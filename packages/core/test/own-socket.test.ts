// Processes with a listening socket of their own as descriptor 0: ready when they accept, drained before they are asked to end.
import { readdirSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { dirname } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, expect, test } from "vitest";
import { requires } from "../../../scripts/testing/requires.ts";
import type { Backend, BackendSpec } from "../src/index.ts";
import { checkSpec } from "../src/node/backend-spec.ts";
import { runs } from "./processes.ts";
import { HandClock, lineServer, pidsOf, stopStarted, supervise, until } from "./supervised.ts";

afterEach(stopStarted);

const spec = {
  command: lineServer,
  socket: "own-fd0",
  ready: "accept",
} as const satisfies Partial<BackendSpec>;

function open(address: string | undefined, words: string): Socket {
  const socket = connect({ path: address as string, allowHalfOpen: true });
  socket.write(words);
  return socket;
}

const ask = async (address: string | undefined): Promise<number> => Number(await text(open(address, "who?\n")));

const addressOf = (backend: Backend, pid: number | undefined): string =>
  backend.processes.find((process) => process.pid === pid)?.address as string;

requires("perl")("each process answers at its own address, and the files are gone with them", async () => {
  const { backend } = supervise({ ...spec, processes: 2 });
  await until(backend, ({ state }) => state === "ready");
  const { addresses } = backend;
  expect(new Set(addresses).size).toBe(2);
  const pids = await Promise.all(addresses.map((address) => ask(address)));
  expect(pids.sort()).toEqual(pidsOf(backend).sort());
  const folder = dirname(addresses[0] as string);
  expect(readdirSync(folder).sort()).toEqual(["1.sock", "2.sock"]);
  await backend.stop();
  expect(() => readdirSync(folder)).toThrow("ENOENT");
});

requires("perl")('"accept": a process is not ready before it takes a connection', async () => {
  const command = [
    "perl",
    "-e",
    `${"$"}SIG{USR1} = sub { ${"$"}go = 1 }; sleep 1 until ${"$"}go; ${lineServer[2]}`,
  ] as const;
  const { backend } = supervise({ ...spec, command });
  await until(backend, ({ processes }) => processes.length === 1);
  const [pid] = pidsOf(backend);
  // A shell of its own is asked meanwhile: time enough for a probe that asks too little.
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(backend.state).toBe("starting");
  process.kill(pid as number, "SIGUSR1");
  await backend.ready;
  expect(await ask(backend.addresses[0])).toBe(pid);
});

requires("perl")("who is connected, or waits, is told at once when the process dies", async () => {
  const { backend } = supervise(spec, { clock: new HandClock() });
  await backend.ready;
  const [address] = backend.addresses;
  const [pid] = pidsOf(backend);
  const [served, waiting] = [open(address, "hold\n"), open(address, "who?\n")];
  const ends = [served, waiting].map((socket) => text(socket).catch((error: NodeJS.ErrnoException) => error.code));
  process.kill(pid as number, "SIGKILL");
  for (const end of await Promise.all(ends)) expect(["", "ECONNRESET", "EPIPE"]).toContain(end);
  await until(backend, ({ state }) => state === "failed");
  await expect(ask(address)).rejects.toThrow(/ENOENT|ECONNREFUSED/);
});

requires("perl")(
  "who is connected to a process that is replaced gets the answer before it is asked to end",
  async () => {
    const { backend } = supervise({ ...spec, drainTimeoutMs: 30_000 });
    await backend.ready;
    const [old] = pidsOf(backend);
    const held = open(backend.addresses[0], "hold\n");
    const recycled = backend.recycle(old as number);
    const address = addressOf(backend, old);
    await until(backend, ({ addresses }) => addresses[0] !== address);
    await new Promise((resolve) => setTimeout(resolve, 200)); // several looks at who is connected
    expect(runs(old as number)).toBe(true);
    held.end("go on\n");
    expect(Number(await text(held))).toBe(old);
    await recycled;
    expect(pidsOf(backend)).not.toContain(old);
    expect(runs(old as number)).toBe(false);
  },
);

requires("perl")("at the drain limit who is still connected is cut", async () => {
  const { backend } = supervise({ ...spec, drainTimeoutMs: 200 });
  await backend.ready;
  const [old] = pidsOf(backend);
  const held = open(backend.addresses[0], "hold\n");
  await backend.recycle(old as number);
  expect(await text(held).catch((error: NodeJS.ErrnoException) => error.code)).toMatch(/^(ECONNRESET|EPIPE)?$/);
});

requires("perl")("code 0 is an end that the program chose: its successor starts at once", async () => {
  const clock = new HandClock();
  const { backend } = supervise({ ...spec, ready: "spawn" }, { clock });
  await backend.ready;
  const [first] = pidsOf(backend);
  await ask(backend.addresses[0]); // so that it has its handler
  process.kill(first as number, "SIGUSR1");
  await until(backend, ({ state, processes }) => state === "ready" && processes[0]?.pid !== first);
  expect(clock.pauses).toEqual([]);
});

requires("perl")("fewer processes: those that do not serve go first, and none is a state, too", async () => {
  const { backend } = supervise({ ...spec, processes: 2 }, { clock: new HandClock() });
  await until(backend, ({ state }) => state === "ready");
  const [first, second] = pidsOf(backend);
  process.kill(first as number, "SIGKILL");
  await until(backend, ({ state }) => state === "degraded");
  await backend.resize(1);
  expect([pidsOf(backend), backend.state]).toEqual([[second], "ready"]);
  await backend.resize(0);
  expect([pidsOf(backend), backend.state, backend.addresses]).toEqual([[], "ready", []]);
  await backend.resize(1);
  await until(backend, ({ addresses }) => addresses.length === 1);
  expect(await ask(backend.addresses[0])).toBe(pidsOf(backend)[0]);
});

test("a spec that cannot be judged ready is refused", () => {
  const base = { name: "x", command: ["x"], env: {} } as const;
  expect(() => checkSpec({ ...base, socket: "fd0", ready: "accept" })).toThrow("who accepts at a shared one");
  expect(() => checkSpec({ ...base, socket: "path", ready: "accept", drainTimeoutMs: -1 })).toThrow("drain");
});
