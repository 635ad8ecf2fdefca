// Replacing processes under load: nothing is lost, nothing is left.
import { spawnSync } from "node:child_process";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, test } from "vitest";
import { requires } from "../../../scripts/testing/requires.ts";
import type { Backend, BackendSpec } from "../src/index.ts";
import { runs } from "./processes.ts";
import {
  echoServer,
  HandClock,
  lineServer,
  perlServer,
  pidsOf,
  sh,
  stopStarted,
  supervise,
  until,
} from "./supervised.ts";

afterEach(stopStarted);

/** One request on one connection: the pid that answered. */
async function ask(path: string): Promise<number> {
  const socket = connect({ path, allowHalfOpen: true });
  socket.end("request\n");
  const answer = await text(socket);
  if (answer === "") throw new Error("no answer");
  return Number(answer);
}

/** Asks without pause until told to stop. A process that closes is asked no more: like a client, we turn to the next once. */
function load(backend: Backend, clients: number) {
  const answeredBy = new Map<number, number>();
  let on = true;
  let retries = 0;
  const one = async (): Promise<void> => {
    while (on) {
      const pid = await ask(pick(backend)).catch(() => {
        retries++;
        return ask(pick(backend));
      });
      answeredBy.set(pid, (answeredBy.get(pid) ?? 0) + 1);
    }
  };
  const running = Promise.all(Array.from({ length: clients }, one));
  running.catch(() => {}); // end() tells
  return {
    answeredBy,
    async end(): Promise<{ requests: number; retries: number }> {
      on = false;
      await running;
      return { requests: [...answeredBy.values()].reduce((sum, count) => sum + count, 0), retries };
    },
  };
}

function pick({ addresses }: Backend): string {
  const address = addresses[Math.floor(Math.random() * addresses.length)];
  if (address === undefined) throw new Error("there is a moment without an address");
  return address;
}

/** Settles when this process has answered at least once more. */
async function answers(load: { answeredBy: Map<number, number> }, pid: number): Promise<void> {
  const before = load.answeredBy.get(pid) ?? 0;
  while ((load.answeredBy.get(pid) ?? 0) === before) await new Promise(setImmediate);
}

describe.each<[string, Partial<BackendSpec> & Pick<BackendSpec, "command">, string]>([
  ["each process at its own path", { command: echoServer, socket: "path", ready: "connect" }, process.execPath],
  [
    "each at a descriptor 0 of its own",
    {
      command: lineServer,
      socket: "own-fd0",
      ready: "accept",
      drainTimeoutMs: 10_000,
    },
    "perl",
  ],
  ["all at descriptor 0", { command: perlServer, socket: "fd0", ready: "spawn" }, "perl"],
])("rolling under load, %s", (_, spec, program) => {
  requires(program)("every request is answered", async () => {
    const { backend } = supervise({ ...spec, processes: 2 });
    await until(backend, ({ state }) => state === "ready");
    const states = new Set<string>();
    backend.onChange(() => states.add(`${backend.state} ${backend.addresses.length > 0}`));
    const old = pidsOf(backend);
    const running = load(backend, 8);
    await Promise.all(old.map((pid) => answers(running, pid)));
    await backend.roll();
    const fresh = pidsOf(backend);
    await Promise.all(fresh.map((pid) => answers(running, pid)));
    const { requests, retries } = await running.end();
    expect(new Set([...old, ...fresh]).size).toBe(4);
    expect([old.filter(runs), fresh.filter(runs)]).toEqual([[], fresh]);
    expect([...states]).toEqual(["ready true"]);
    expect(requests).toBeGreaterThan(20);
    // A request that came to an old process' own socket as it closed goes to the next; one that is drained first loses none.
    expect(retries).toBeLessThanOrEqual(spec.socket === "path" ? 16 : 0);
  });
});

requires("perl")("requests wait in a shared socket while its only process is started again", async () => {
  const clock = new HandClock();
  const { backend } = supervise({ command: perlServer, socket: "fd0" }, { clock });
  await backend.ready;
  const [address] = backend.addresses;
  const [first] = pidsOf(backend);
  expect(await ask(address as string)).toBe(first);
  process.kill(first as number, "SIGKILL");
  await clock.count(1);
  expect([backend.state, backend.addresses]).toEqual(["failed", []]);
  const waiting = ask(address as string);
  await clock.pass(() => true);
  const second = await waiting;
  expect(second).not.toBe(first);
});

test("recycle replaces one process and leaves the others alone", async () => {
  const { backend } = supervise({ command: sh("exec sleep 1000"), processes: 3 });
  await until(backend, ({ state }) => state === "ready");
  const [one, ...others] = pidsOf(backend);
  await backend.recycle(one as number);
  const after = pidsOf(backend);
  expect(after).toHaveLength(3);
  expect(after).toEqual(expect.arrayContaining(others));
  expect(after).not.toContain(one);
  await backend.recycle(1); // no process of ours: nothing happens
  expect(pidsOf(backend)).toEqual(after);
});

test("R-O2: when the new processes do not get ready the old ones stay", async () => {
  const flag = `/tmp/gw-roll-${process.pid}`;
  const script = `[ -e ${flag} ] && exit 9; echo ready >&3; exec sleep 1000`;
  const { backend, logged } = supervise({ command: sh(script), ready: "line", processes: 2 });
  await until(backend, ({ state }) => state === "ready");
  const old = pidsOf(backend);
  spawnSync("touch", [flag]);
  try {
    await expect(backend.roll()).rejects.toMatchObject({ message: "exited with code 9 before it was ready" });
  } finally {
    spawnSync("rm", [flag]);
  }
  expect(backend.state).toBe("ready");
  expect(backend.lastError).toBe("exited with code 9 before it was ready");
  expect(pidsOf(backend)).toEqual(old);
  expect(logged.map(({ msg }) => msg)).toContain(
    "the old processes stay: a new one failed: exited with code 9 before it was ready",
  );
  await backend.roll();
  expect(backend.lastError).toBeNull();
  expect(pidsOf(backend).filter((pid) => old.includes(pid))).toEqual([]);
});

test("a process that crashes while its successor starts has that one as its successor", async () => {
  const clock = new HandClock();
  const release: (() => void)[] = [];
  let count = 0;
  const { backend, metrics } = supervise(
    { command: sh("exec sleep 1000") },
    {
      clock,
      attach: async () => {
        if (count++ > 0) await new Promise<void>((go) => release.push(go));
      },
    },
  );
  await backend.ready;
  const [old] = pidsOf(backend);
  const recycled = backend.recycle(old as number);
  await until(backend, ({ processes }) => processes.length === 2);
  process.kill(old as number, "SIGKILL");
  await until(backend, ({ processes }) => processes.length === 1);
  const [fresh] = pidsOf(backend);
  expect(backend.state).toBe("starting");
  release[0]?.();
  await recycled;
  expect([backend.state, pidsOf(backend), backend.lastError]).toEqual(["ready", [fresh], null]);
  expect([clock.pauses, count]).toEqual([[], 2]);
  expect(metrics.toText()).toContain('gw_backend_restarts_total{backend="test"} 0\n');
});
