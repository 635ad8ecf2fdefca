// The supervisor with real programs: how they start, crash, hang and end.
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import type { Duplex } from "node:stream";
import { afterEach, describe, expect, test } from "vitest";
import type { Backend, BackendSpec, BackendState } from "../src/index.ts";
import { createBackends, createLogger, nodeContext, superviseBackend } from "../src/node/index.ts";
import { runs } from "./processes.ts";
import { echoServer, HandClock, pidsOf, sh, stopStarted, supervise, until } from "./supervised.ts";

afterEach(stopStarted);

const isBackOff = (ms: number): boolean => ms < 30_000;
const restartsOf = (metrics: string): number =>
  Number(/^gw_backend_restarts_total\{.*\} (\d+)$/m.exec(metrics)?.[1] ?? 0);
const isStartTimeout = (ms: number): boolean => ms === 30_000;

describe("starting", () => {
  test("starts as many processes as asked, and stop leaves none", async () => {
    const { backend } = supervise({ command: sh("exec sleep 1000"), processes: 3 });
    expect([backend.state, backend.addresses]).toEqual(["starting", []]);
    await until(backend, ({ state }) => state === "ready");
    const pids = pidsOf(backend);
    expect(pids.map(runs)).toEqual([true, true, true]);
    expect(backend.processes.map(({ state }) => state)).toEqual(["ready", "ready", "ready"]);
    await backend.stop();
    expect(pids.map(runs)).toEqual([false, false, false]);
    expect([backend.state, backend.processes]).toEqual(["stopped", []]);
  });

  test('"line": a process is ready when it has said so', async () => {
    const { backend } = supervise({
      command: sh("echo starting >&3; read go; echo ready >&3; exec sleep 1000"),
      ready: "line",
    });
    await until(backend, ({ processes }) => processes.length === 1);
    expect(backend.state).toBe("starting");
    await backend.stop();
    const other = supervise({ command: sh("echo starting >&3; echo ready >&3; exec sleep 1000"), ready: "line" });
    await other.backend.ready;
    expect(other.backend.state).toBe("ready");
  });

  test.each([
    ["says why it will not be ready", "echo failed: no such module >&3; exec sleep 1000", "no such module"],
    ["closes descriptor 3", "exec 3>&-; exec sleep 1000", "it closed descriptor 3 without the line ready"],
    [
      "exits before",
      "echo 'no licence' >&2; exit 3",
      "exited with code 3 before it was ready; its last words: no licence",
    ],
    ["is killed before", "kill -9 $$", "was ended by SIGKILL before it was ready"],
  ])('"line": a process that %s has failed, and is ended', async (_, script, error) => {
    const { backend } = supervise({ command: sh(script), ready: "line" }, { clock: new HandClock() });
    await expect(backend.ready).rejects.toMatchObject({ code: "GW_BACKEND_FAILED", message: `backend test: ${error}` });
    expect([backend.state, backend.lastError, backend.processes]).toEqual(["failed", error, []]);
  });

  test('"connect": a process is ready when its socket accepts', async () => {
    const { backend } = supervise({ command: echoServer, socket: "path", ready: "connect" });
    await backend.ready;
    expect(backend.addresses).toHaveLength(1);
    expect(existsSync(backend.addresses[0] ?? "")).toBe(true);
  });

  test("a process that does not get ready in time is killed and counts as failed", async () => {
    const clock = new HandClock();
    const script = "trap '' TERM; echo hanging >&2; while :; do sleep 1000; done";
    const { backend } = supervise({ command: sh(script), ready: "line", stopTimeoutMs: 20 }, { clock });
    await until(backend, ({ processes }) => processes.length === 1);
    const pids = pidsOf(backend);
    await clock.pass(isStartTimeout);
    await until(backend, ({ state }) => state === "failed");
    expect(backend.lastError).toBe("not ready after 30000 ms");
    expect(pids.map(runs)).toEqual([false]);
  });

  test("a program that does not exist is an error, not a crash of ours", async () => {
    const { backend } = supervise({ command: ["/no/such/program"] }, { clock: new HandClock() });
    await expect(backend.ready).rejects.toMatchObject({ code: "GW_BACKEND_FAILED", cause: { code: "GW_SPAWN" } });
    expect(backend.lastError).toContain('cannot start "/no/such/program": ENOENT');
  });
});

describe("crashing", () => {
  test("R-O3: a crash loop backs off from 1 to 30 seconds, and counts its restarts", async () => {
    const clock = new HandClock();
    const { backend, logged, metrics } = supervise(
      { command: sh("echo broken >&2; exit 3"), ready: "line" },
      { clock },
    );
    const pauses: number[] = [];
    for (let round = 0; round < 7; round++) pauses.push(await clock.pass(isBackOff));
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000]);
    await until(backend, ({ state, processes }) => state === "failed" && processes.length === 0);
    expect(metrics.toText()).toMatch(/gw_backend_restarts_total\{backend="test"\} [78]/);
    expect(metrics.toText()).toContain('gw_backend_processes{backend="test"} 0');
    expect(logged.find(({ level }) => level === "error")).toMatchObject({
      backend: "test",
      msg: "a process failed: exited with code 3 before it was ready; its last words: broken",
      retryInMs: 1_000,
    });
    expect(logged.find(({ stream }) => stream === "stderr")).toMatchObject({ msg: "broken", pid: expect.any(Number) });
  });

  test("R-O3: one that was ready for a minute starts again at once", async () => {
    const clock = new HandClock();
    const { backend } = supervise({ command: sh("exec sleep 1000") }, { clock });
    await backend.ready;
    const [first] = pidsOf(backend);
    clock.ms += 60_000;
    process.kill(first as number, "SIGKILL");
    await until(backend, ({ state, processes }) => state === "ready" && processes[0]?.pid !== first);
    expect(clock.pauses).toEqual([]);
    expect(backend.lastError).toBeNull();
  });

  test("code 0 after 150 ms of service is a wish to be replaced: never a pause, never a failure", async () => {
    const clock = new HandClock();
    let control: Duplex | null = null;
    const { backend, logged, metrics } = supervise(
      { command: sh("read word <&3; exit 0") },
      {
        clock,
        attach: (process) => {
          control = process.control;
        },
      },
    );
    const seen = new Set<number>();
    for (let ends = 0; ends < 40; ends++) {
      const isFresh = ({ state, processes }: Backend): boolean =>
        state === "ready" && !seen.has(processes[0]?.pid ?? 0);
      await until(backend, (now) => isFresh(now) || now.lastError !== null);
      expect([isFresh(backend), backend.lastError]).toEqual([true, null]);
      for (const pid of pidsOf(backend)) seen.add(pid);
      clock.ms += 150;
      (control as Duplex | null)?.write("leave\n");
    }
    expect(logged.filter(({ level }) => level === "error")).toEqual([]);
    expect(restartsOf(metrics.toText())).toBeGreaterThanOrEqual(39);
  });

  test("code 0 at once, for ever, is slowed down like a crash", async () => {
    const clock = new HandClock();
    const { metrics } = supervise({ command: sh("exit 0") }, { clock });
    const pauses: number[] = [];
    for (let round = 0; round < 4; round++) pauses.push(await clock.pass(isBackOff));
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000]);
    expect(restartsOf(metrics.toText())).toBeLessThanOrEqual(15);
  });

  test.each([
    ["code 0", "exit 0"],
    ["a crash", "exit 3"],
  ])(
    "R-O3: eight processes that end at once, for ever, with %s: few are started before the pauses",
    async (_, script) => {
      const clock = new HandClock();
      const { backend, metrics } = supervise({ command: sh(script), processes: 8 }, { clock });
      await clock.count(8, isBackOff);
      // Eight at first, ten that a new backend can afford; none that a sibling's start has woken.
      expect(restartsOf(metrics.toText())).toBeLessThanOrEqual(18);
      await clock.pass(isBackOff);
      await clock.count(8, isBackOff);
      expect(restartsOf(metrics.toText())).toBeLessThanOrEqual(19);
      await backend.stop();
    },
  );

  test("with some processes down the backend is degraded until each has made its pause", async () => {
    const clock = new HandClock();
    const { backend } = supervise({ command: sh("exec sleep 1000"), processes: 3 }, { clock });
    await until(backend, ({ state }) => state === "ready");
    const states: BackendState[] = [];
    backend.onChange(() => states.push(backend.state));
    for (const pid of pidsOf(backend).slice(0, 2)) process.kill(pid, "SIGKILL");
    await clock.count(2);
    expect([backend.state, backend.lastError]).toEqual(["degraded", "was ended by SIGKILL"]);
    await clock.pass(isBackOff);
    await clock.pass(isBackOff);
    await until(backend, ({ state }) => state === "ready");
    expect([backend.lastError, clock.pauses]).toEqual([null, []]);
    expect(new Set(states)).toEqual(new Set(["ready", "degraded"]));
  });

  test("once one gets ready, those that never did try at once", async () => {
    const clock = new HandClock();
    let isThere = false;
    const attach = (): void => {
      if (!isThere) throw new Error("no database");
    };
    const { backend } = supervise({ command: sh("exec sleep 1000"), processes: 3 }, { clock, attach });
    await clock.count(3, isBackOff);
    isThere = true;
    await clock.pass(isBackOff);
    await until(backend, ({ state }) => state === "ready");
    expect(clock.pauses).toEqual([]);
  });

  test("roll tries a waiting process at once, and says how that went", async () => {
    const clock = new HandClock();
    const { backend } = supervise({ command: sh("exit 4"), ready: "line" }, { clock });
    await until(backend, ({ state }) => state === "failed");
    await expect(backend.roll()).rejects.toMatchObject({ message: "exited with code 4 before it was ready" });
  });
});

describe("files", () => {
  test("a program finds the files of its spec where $GW_FILES says, for itself alone; they go with the backend", async () => {
    const { backend, logged } = supervise({
      command: ["/bin/sh", "-c", 'stat -c %a "$0" && cat "$0"; echo $0; exec sleep 1000', "$GW_FILES/app.conf"],
      files: { "app.conf": "port = 1\n" },
    });
    const said = (): string[] => logged.filter(({ stream }) => stream === "stdout").map(({ msg }) => String(msg));
    await expect.poll(said).toHaveLength(3);
    const [mode, content, path = ""] = said();
    expect([mode, content, existsSync(path)]).toEqual(["600", "port = 1", true]);
    await backend.stop();
    expect(existsSync(dirname(path))).toBe(false);
  });

  test("names that lead elsewhere are refused", () => {
    expect(() => supervise({ command: ["/bin/true"], files: { "../x": "" } })).toThrow("files");
  });
});

describe("ending", () => {
  test("a process group that ignores TERM gets KILL", async () => {
    const script = "trap '' TERM; sleep 1000 & echo $! >&3; echo ready >&3; while :; do wait; sleep 1; done";
    const { backend } = supervise({ command: sh(script), ready: "line", stopTimeoutMs: 50 });
    await backend.ready;
    const pids = pidsOf(backend);
    await backend.stop();
    expect(pids.map(runs)).toEqual([false]);
  });

  test("stop while starting, while pausing and twice", async () => {
    const clock = new HandClock();
    const early = supervise({ command: sh("exec sleep 1000"), ready: "line" }, { clock });
    await Promise.all([early.backend.stop(), early.backend.stop()]);
    await expect(early.backend.ready).rejects.toMatchObject({ code: "GW_BACKEND_FAILED" });
    const pausing = supervise({ command: sh("exit 1"), ready: "line" }, { clock });
    await until(pausing.backend, ({ state }) => state === "failed");
    await pausing.backend.stop();
    expect([early.backend.processes, pausing.backend.processes, clock.pauses]).toEqual([[], [], []]);
  });

  test("stop leaves no socket file and no directory", async () => {
    const { backend } = supervise({ command: echoServer, socket: "path", ready: "connect", processes: 2 });
    await until(backend, ({ state }) => state === "ready");
    const addresses = [...backend.addresses];
    expect(new Set(addresses).size).toBe(2);
    await backend.stop();
    expect(addresses.map(existsSync)).toEqual([false, false]);
    expect(existsSync(dirname(addresses[0] ?? ""))).toBe(false);
    expect(backend.addresses).toEqual([]);
  });

  test("resize starts what is missing and stops what is too much", async () => {
    const { backend, metrics } = supervise({ command: sh("exec sleep 1000") });
    await backend.ready;
    await backend.resize(3);
    await until(backend, ({ state }) => state === "ready");
    const pids = pidsOf(backend);
    expect(pids).toHaveLength(3);
    await backend.resize(1);
    expect(pids.filter(runs)).toHaveLength(1);
    expect(metrics.toText()).toContain('gw_backend_processes{backend="test"} 1');
    await expect(backend.resize(-1)).rejects.toMatchObject({ code: "GW_BACKEND_SPEC" });
  });
});

describe("protocols of one's own on descriptor 3", () => {
  const worker = sh('echo hello >&3; read word <&3; echo "got $word" >&3; read word <&3; exit 0');

  test("attach decides when a process is ready, detach drains it before TERM", async () => {
    const heard: string[] = [];
    const { backend } = supervise(
      { command: worker },
      {
        attach: ({ control }) =>
          new Promise((ready) => {
            control.on("data", (chunk) => {
              heard.push(String(chunk).trim());
              if (heard.length === 1) control.write("word\n");
              else ready();
            });
          }),
        detach: async ({ control, exited }) => {
          control.write("leave\n");
          heard.push(`code ${(await exited).code}`);
        },
      },
    );
    await backend.ready;
    expect(heard).toEqual(["hello", "got word"]);
    await backend.stop();
    expect(heard.at(-1)).toBe("code 0");
  });

  test("a process that attach refuses is ended and has failed", async () => {
    const attach = () => Promise.reject(new Error("wrong protocol"));
    const { backend } = supervise({ command: worker }, { attach, clock: new HandClock() });
    await expect(backend.ready).rejects.toThrow("backend test: wrong protocol");
    expect(backend.processes).toEqual([]);
  });

  test("a detach that hangs is cut off after the stop time", async () => {
    const clock = new HandClock();
    const { backend } = supervise(
      { command: sh("exec sleep 1000") },
      { attach: () => {}, detach: () => new Promise(() => {}), clock },
    );
    await backend.ready;
    const stopping = backend.stop();
    await clock.pass((ms) => ms === 5_000);
    await stopping;
    expect(backend.processes).toEqual([]);
  });
});

describe("specs and names", () => {
  test.each<[Partial<BackendSpec>, string]>([
    [{ name: "" }, 'backend "": name is ""; allowed is a name'],
    [{ command: [""] }, 'command is [""]; allowed is [program, ...arguments]'],
    [{ processes: 1_025 }, "processes is 1025; allowed is a whole number up to 1024"],
    [{ processes: 1.5 }, "processes is 1.5"],
    [{ startTimeoutMs: 0 }, "startTimeoutMs is 0"],
    [{ backOffMs: [5, 1] }, "backOffMs is [5,1]"],
    [{ socket: "tcp" as "path" }, 'socket is "tcp"; allowed is fd0, own-fd0, path, none'],
    [{ ready: "connect" }, 'ready is "connect"; allowed is "connect" only with socket "path"'],
  ])("refuses %j", (part, message) => {
    const spec: BackendSpec = { name: "x", command: ["x"], env: {}, socket: "none", ready: "spawn", ...part };
    const start = () => superviseBackend(spec, { log: createLogger({ level: "silent" }) });
    expect(start).toThrow(
      expect.objectContaining({ code: "GW_BACKEND_SPEC", message: expect.stringContaining(message) }),
    );
  });

  test("a name is free again once its backend was stopped", async () => {
    const backends = createBackends({ log: createLogger({ level: "silent" }) });
    const spec: BackendSpec = { name: "one", command: sh("exec sleep 1000"), env: {}, socket: "none", ready: "spawn" };
    const first = await backends.start(spec);
    await expect(backends.start(spec)).rejects.toMatchObject({ code: "GW_BACKEND_NAME" });
    await first.stop();
    const second = await backends.start(spec);
    await second.ready;
    expect(backends.list()).toEqual([second]);
    await backends.stopAll();
    expect(backends.list()).toEqual([]);
  });

  test("nodeContext runs backends and measures them", async () => {
    const { backends, metrics } = nodeContext({ level: "silent" });
    const backend = await backends.start({
      name: "ctx",
      command: sh("exec sleep 1000"),
      env: {},
      socket: "none",
      ready: "spawn",
    });
    await backend.ready;
    expect(metrics.toText()).toContain('gw_backend_processes{backend="ctx"} 1');
    await backend.stop();
    expect(metrics.toText()).toContain('gw_backend_processes{backend="ctx"} 0');
  });
});
