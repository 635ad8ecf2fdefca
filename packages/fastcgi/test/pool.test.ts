// Pools of a real FastCGI program: a C program with libfcgi, which answers one request after the other.
import { existsSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type App, type GatewayError, silentLogger } from "@gw/core";
import { createLogger, nodeContext } from "@gw/core/node";
import { type RunningApp, run, type TestResponse } from "@gw/core/testing";
import { isThere, requires } from "@gw-private/requires";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type FastcgiPoolOptions, fastcgiPool } from "../src/index.ts";
import { compileLibfcgi, LIBFCGI_NEEDS } from "./libfcgi.ts";

let compiled: ReturnType<typeof compileLibfcgi> | null = null;
const running: RunningApp[] = [];

beforeAll(() => {
  if (LIBFCGI_NEEDS.every(isThere)) compiled = compileLibfcgi();
}, 60_000);
afterAll(() => compiled?.remove());
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop(AbortSignal.abort());
});

interface Pool {
  readonly app: App;
  ask(path?: string, init?: Parameters<RunningApp["request"]>[1]): Promise<TestResponse>;
  /** The process that answers. */
  pid(path?: string): Promise<number>;
  /** Processes that are ready. */
  pids(): number[];
  /** Settles when the test is true of the pool. */
  until(condition: (pool: Pool) => boolean): Promise<void>;
  stop(deadline?: AbortSignal): Promise<void>;
}

async function pool(
  options: Partial<FastcgiPoolOptions> = {},
  context = nodeContext({ log: silentLogger }),
): Promise<Pool> {
  const app = fastcgiPool({ command: compiled?.program ?? "", stopTimeoutMs: 2_000, ...options });
  const started = await run(app, { context });
  running.push(started);
  const made: Pool = {
    app,
    ask: (path = "/", init) => started.request(path, init),
    pid: async (path = "/") => Number((await started.request(path)).text()),
    pids: () =>
      (app.status?.().children ?? [])
        .filter(({ state }) => state === "ready")
        .map(({ name }) => Number(name.split(" ")[1])),
    async until(condition) {
      const giveUp = performance.now() + 10_000;
      while (!condition(made)) {
        if (performance.now() > giveUp) throw new Error(`not so: ${JSON.stringify(app.status?.())}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
    stop: (deadline) => started.stop(deadline),
  };
  return made;
}

const fact = ({ app }: Pool, name: string): number => Number(app.status?.().facts?.[name]);
function isAlive(pid: number): boolean {
  try {
    // pid (name) state: a dead one that nobody has asked for yet is a Z
    return !/\) Z/.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
}
let files = 0;
const freshFile = (): string => join(compiled?.folder ?? "", `release-${++files}`);

const withLibfcgi = requires(...LIBFCGI_NEEDS);

describe("how many processes", () => {
  withLibfcgi("the minimum is there, one process answers one request after the other", async () => {
    const one = await pool();
    const pid = await one.pid();
    expect([await one.pid(), one.pids()]).toEqual([pid, [pid]]);
    expect((await one.ask("/", { method: "POST", body: "x" })).headers.get("x-served")).toBe("3");
  });

  withLibfcgi("requests at once start more, up to the maximum; the others wait for their turn", async () => {
    const some = await pool({ max: 3 });
    const release = freshFile();
    const held = Array.from({ length: 5 }, () => some.pid(`/hold?${release}`));
    await some.until((now) => now.pids().length === 3 && fact(now, "running") === 3);
    expect([fact(some, "queued"), fact(some, "wanted")]).toEqual([2, 3]);
    writeFileSync(release, "");
    const pids = await Promise.all(held);
    expect([...new Set(pids)].sort()).toEqual(some.pids().sort());
  });

  withLibfcgi("processes that are not needed end after the idle time, the minimum stays", async () => {
    const some = await pool({ max: 3, idleTimeoutMs: 100 });
    const release = freshFile();
    const held = Array.from({ length: 3 }, () => some.pid(`/hold?${release}`));
    await some.until((now) => now.pids().length === 3 && fact(now, "running") === 3);
    await new Promise((resolve) => setTimeout(resolve, 250)); // long requests are no idle time
    expect(fact(some, "wanted")).toBe(3);
    writeFileSync(release, "");
    const pids = await Promise.all(held);
    await some.until((now) => fact(now, "processes") === 1);
    await some.until((now) => pids.filter(isAlive).join() === now.pids().join());
    expect((await some.ask()).status).toBe(200);
  });

  withLibfcgi("min: 0 starts the first process for the first request, and ends the last one", async () => {
    const none = await pool({ min: 0, idleTimeoutMs: 50 });
    expect([none.pids(), none.app.status?.().state]).toEqual([[], "ready"]);
    const pid = await none.pid();
    await none.until((now) => fact(now, "processes") === 0);
    await none.until(() => !isAlive(pid));
    expect(await none.pid()).not.toBe(pid);
  });

  withLibfcgi("R-O10: who waits too long, or too many, are 503 with Retry-After", async () => {
    const one = await pool({ max: 1, maxQueued: 1, queueTimeoutMs: 100 });
    const release = freshFile();
    const held = one.ask(`/hold?${release}`);
    await one.until((now) => fact(now, "running") === 1);
    const late = one.ask();
    const many = await one.ask();
    expect([many.status, many.headers.get("retry-after")]).toEqual([503, "1"]);
    expect((await late).status).toBe(503);
    writeFileSync(release, "");
    expect((await held).status).toBe(200);
  });
});

describe("replacing", () => {
  withLibfcgi("a process is replaced after so many requests", async () => {
    const one = await pool({ max: 1, maxRequests: 3 });
    const first = await one.pid();
    expect([await one.pid(), await one.pid()]).toEqual([first, first]);
    await one.until((now) => now.pids().length === 1 && !now.pids().includes(first) && !isAlive(first));
    expect((await one.ask()).headers.get("x-served")).toBe("1");
  });

  withLibfcgi("a process is replaced at its age, and when it has grown too large", async () => {
    const old = await pool({ maxLifetimeMs: 150, idleTimeoutMs: 100 });
    const first = await old.pid();
    await old.until((now) => now.pids().length > 0 && !now.pids().includes(first));
    const large = await pool({ maxRssBytes: 32 << 20 });
    const grown = await large.pid("/grow");
    await large.until((now) => now.pids().length > 0 && !now.pids().includes(grown));
    expect((await large.ask()).status).toBe(200);
  });

  withLibfcgi("a program that ends itself after so many requests costs none", async () => {
    const lines: string[] = [];
    const log = createLogger({ format: "json", destination: (line) => lines.push(line) });
    const some = await pool({ args: ["serves", "3"], max: 2, min: 2 }, nodeContext({ log }));
    for (let at = 0; at < 24; at++) expect((await some.ask()).status).toBe(200);
    expect(lines.filter((line) => line.includes("a process has ended itself")).length).toBeGreaterThanOrEqual(6);
    expect(lines.filter((line) => line.includes("a process failed"))).toEqual([]);
  });

  withLibfcgi("R-O2: a roll under load drops no request, and ends every old process", async () => {
    const some = await pool({ min: 2, max: 2, maxQueued: 64 });
    await some.until((now) => now.pids().length === 2);
    const old = some.pids();
    const answers = new Map<number, number>();
    let on = true;
    const one = async (): Promise<void> => {
      while (on) {
        const { status } = await some.ask("/", { method: "POST", body: "may not be repeated" });
        answers.set(status, (answers.get(status) ?? 0) + 1);
      }
    };
    const load = Promise.all(Array.from({ length: 8 }, one));
    for (let rolls = 0; rolls < 2; rolls++) await some.app.reload?.();
    on = false;
    await load;
    expect([...answers.keys()]).toEqual([200]);
    expect(answers.get(200)).toBeGreaterThan(50);
    expect([old.filter(isAlive), some.pids().length]).toEqual([[], 2]);
  });

  withLibfcgi("a request that runs when its process is replaced is answered by it", async () => {
    const one = await pool({ max: 1 });
    const pid = await one.pid();
    const release = freshFile();
    const held = one.pid(`/hold?${release}`);
    await one.until(() => existsSync(`${release}.begun`));
    const rolled = one.app.reload?.();
    await one.until((now) => now.pids().length === 1 && !now.pids().includes(pid));
    expect(await one.pid()).not.toBe(pid);
    writeFileSync(release, "");
    expect(await held).toBe(pid);
    await rolled;
    expect(isAlive(pid)).toBe(false);
  });

  withLibfcgi("R-O2: a roll to a program that does not start changes nothing", async () => {
    const file = freshFile();
    const one = await pool({ args: ["unless", file] });
    const pid = await one.pid();
    writeFileSync(file, "");
    await expect(one.app.reload?.()).rejects.toMatchObject({ code: "GW_BACKEND_FAILED" });
    expect(await one.pid()).toBe(pid);
  });
});

describe("faults", () => {
  withLibfcgi("R-O5: a process that dies in the middle of a request costs that request only", async () => {
    const some = await pool({ min: 2, max: 2, backOffMs: [20, 20] });
    await some.until((now) => now.pids().length === 2);
    expect((await some.ask("/crash", { method: "POST", body: "x" })).status).toBe(502);
    expect((await some.ask("/", { method: "POST", body: "x" })).status).toBe(200);
    const cut = await some.ask("/half");
    expect([cut.text(), cut.outcome.result]).toEqual(["half", "cut"]);
    await some.until((now) => now.pids().length === 2);
  });

  withLibfcgi("R-O5: kill -9 under load costs what the process had, and nothing else", async () => {
    const some = await pool({ min: 2, max: 2, backOffMs: [20, 50] });
    await some.until((now) => now.pids().length === 2);
    const statuses: number[] = [];
    let on = true;
    const one = async (): Promise<void> => {
      while (on) statuses.push((await some.ask("/", { method: "POST", body: "x" })).status);
    };
    const load = Promise.all(Array.from({ length: 6 }, one));
    for (let kills = 0; kills < 5; kills++) {
      await some.until((now) => now.pids().length === 2);
      process.kill(some.pids()[0] as number, "SIGKILL");
      const seen = statuses.length;
      await some.until(() => statuses.length > seen + 20);
    }
    await some.until((now) => now.pids().length === 2);
    on = false;
    await load;
    expect(statuses.filter((status) => status !== 200).length).toBeLessThanOrEqual(5);
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThan(50);
  });

  withLibfcgi(
    "R-O3: a program that crashes at its start is a 503 mount with back-off, and back by itself",
    async () => {
      const file = freshFile();
      writeFileSync(file, "");
      const broken = await pool({ args: ["unless", file], backOffMs: [30, 60], queueTimeoutMs: 1_000 });
      await broken.until(({ app }) => app.status?.().state === "failed");
      expect((await broken.ask()).status).toBe(503);
      await new Promise((resolve) => setTimeout(resolve, 1_050));
      const refused = performance.now();
      const answer = await broken.ask();
      expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "5"]);
      expect(performance.now() - refused, "nobody waits for a program that is broken").toBeLessThan(800);
      expect(broken.app.status?.().error).toContain("exited with code 3");
      rmSync(file);
      await broken.until(({ app }) => app.status?.().state === "ready");
      expect((await broken.ask()).status).toBe(200);
    },
  );

  withLibfcgi("a program that never accepts has failed at the start limit; ready: spawn takes it", async () => {
    const mute = await pool({ args: ["mute"], startTimeoutMs: 50, queueTimeoutMs: 20 });
    await mute.until(({ app }) => app.status?.().state === "failed");
    expect(mute.app.status?.().error).toBe("not ready after 50 ms");
    expect((await mute.ask()).status).toBe(503);
    const trusted = await pool({ args: ["mute"], ready: "spawn", headerTimeoutMs: 30 });
    expect((await trusted.ask()).status).toBe(504);
  });

  test("R-O3: a program that is not there is a 503, not a crash of ours", async () => {
    const none = await pool({ command: "/no/such/program", queueTimeoutMs: 20 });
    await none.until(({ app }) => app.status?.().state === "failed");
    expect((await none.ask()).status).toBe(503);
    expect(none.app.status?.().error).toContain("ENOENT");
  });

  withLibfcgi("R-O4: a process that hangs is replaced, even one that ignores TERM", async () => {
    const one = await pool({ args: ["stubborn"], max: 1, headerTimeoutMs: 60, stopTimeoutMs: 50 });
    const pid = await one.pid();
    expect((await one.ask("/hang")).status).toBe(504);
    await one.until((now) => now.pids().length === 1 && !now.pids().includes(pid) && !isAlive(pid));
    expect((await one.ask()).status).toBe(200);
  });

  withLibfcgi(
    "R-F16, R-O4: a process that hangs in the middle of a body is cut at the limit, and replaced",
    async () => {
      const one = await pool({ max: 1, ioTimeoutMs: 60, headerTimeoutMs: 5_000 });
      const pid = await one.pid();
      const cut = await one.ask(`/half?${freshFile()}`);
      expect([cut.status, cut.text(), cut.outcome.result]).toEqual([200, "half", "cut"]);
      await one.until((now) => now.pids().length === 1 && !now.pids().includes(pid) && !isAlive(pid));
      expect((await one.ask()).status).toBe(200);
    },
  );

  withLibfcgi("a process whose client has left gets no other request until it is done with that one", async () => {
    const some = await pool({ min: 2, max: 2 });
    await some.until((now) => now.pids().length === 2);
    const release = freshFile();
    const left = new AbortController();
    const abandoned = some.ask(`/hold?${release}`, { signal: left.signal });
    await some.until(() => existsSync(`${release}.begun`));
    left.abort(new Error("left"));
    await abandoned;
    const pids = new Set<number>();
    for (let at = 0; at < 6; at++) pids.add(await some.pid());
    expect([pids.size, fact(some, "running")]).toEqual([1, 1]);
    writeFileSync(release, "");
    await some.until((now) => fact(now, "running") === 0);
    for (let at = 0; at < 6; at++) pids.add(await some.pid());
    expect(pids.size).toBe(2);
  });

  withLibfcgi("a process that goes on for too long when its client has left is replaced", async () => {
    const one = await pool({ max: 1, busyTimeoutMs: 50 });
    const pid = await one.pid();
    const left = new AbortController();
    const abandoned = one.ask("/hang", { signal: left.signal });
    await one.until((now) => fact(now, "running") === 1);
    left.abort(new Error("left"));
    await abandoned;
    await one.until((now) => now.pids().length === 1 && !now.pids().includes(pid));
    expect((await one.ask()).status).toBe(200);
  });
});

describe("life", () => {
  withLibfcgi("stop leaves no process; a request after it is a 503", async () => {
    const some = await pool({ min: 3 });
    await some.until((now) => now.pids().length === 3);
    const pids = some.pids();
    await some.stop();
    expect(pids.filter(isAlive)).toEqual([]);
    const answer = await some.ask();
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "5"]);
  });

  withLibfcgi("two pools of one program live side by side, as they do at a reload", async () => {
    const context = nodeContext({ log: silentLogger });
    const [one, other] = [await pool({}, context), await pool({}, context)];
    expect(await one.pid()).not.toBe(await other.pid());
    await one.stop();
    expect((await other.ask()).status).toBe(200);
    const third = await pool({}, context);
    expect((await third.ask()).status).toBe(200);
  });

  withLibfcgi("it says what it is and how it does", async () => {
    const one = await pool({ args: ["serves", "1000"], max: 7 });
    await one.ask();
    const name = `${compiled?.program} serves 1000`;
    expect(one.app.describe?.()).toEqual({ kind: "fastcgi-pool", name, facts: { min: 1, max: 7 } });
    const [pid] = one.pids();
    expect(one.app.status?.()).toEqual({
      name,
      state: "ready",
      error: null,
      facts: { running: 0, queued: 0, processes: 1, wanted: 1 },
      children: [{ name: `process ${pid}`, state: "ready", error: null, facts: { served: 1 } }],
    });
  });

  withLibfcgi(
    "the program gets its own environment and folder, the request's variables and ours, and nothing else",
    async () => {
      process.env.GW_TEST_SECRET = "secret";
      const one = await pool({ env: { MODE: "test" }, cwd: compiled?.folder ?? "", variables: { APP_ENV: "테스트" } });
      const [pid] = [await one.pid()];
      delete process.env.GW_TEST_SECRET;
      const environment = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").filter(Boolean).sort();
      expect(environment).toEqual(["MODE=test", "PATH=/usr/local/bin:/usr/bin:/bin"]);
      expect(readlinkSync(`/proc/${pid}/cwd`)).toBe(compiled?.folder);
      expect((await one.ask("/variables")).text()).toContain("APP_ENV=테스트\n");
    },
  );

  test.each<[Partial<FastcgiPoolOptions>, string]>([
    [{ command: "" }, 'needs a "command"'],
    [{ min: 5, max: 4 }, "max is 5 or more, which min is; found 4"],
    [{ max: 0, min: 0 }, "max is a whole number from 1 to 1024, found 0"],
    [{ max: 1.5 }, "max is a whole number from 1 to 1024, found 1.5"],
    [{ requestsPerProcess: 0 }, "requestsPerProcess is a whole number from 1 on, or Infinity, found 0"],
    [{ stopTimeoutMs: Number.NaN }, "stopTimeoutMs is milliseconds from 0 to 2147483647, found NaN"],
    [{ maxIdleConnections: -1 }, "maxIdleConnections is a whole number from 0 on, or Infinity, found -1"],
  ])("refuses %j", (options, message) => {
    expect(() => fastcgiPool({ command: "x", ...options })).toThrow(message);
  });

  requires("root privileges")("a user that is not there is an error at the start", async () => {
    await expect(pool({ command: "/bin/true", user: "no-such-user" })).rejects.toSatisfy(
      (error: GatewayError) => error.code === "GW_FCGI_OPTION",
    );
  });
});
