// What happens when a broker, or the gateway, is killed; which broker is chosen.
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { createContext, silentLogger } from "@gw/core";
import { request, testRequest } from "@gw/core/testing";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { BrokerLauncher } from "../src/broker/spawner.ts";
import { cgiProgram } from "../src/index.ts";
import { childrenOf, commandOf, isAlive } from "./processes.ts";
import { shellProgram, temporaryDirectory } from "./programs.ts";
import { serveApp } from "./serve.ts";

const HEAD = String.raw`printf 'Content-Type: text/plain\n\n'`;

/** Processes of the brokers that this process has started: each parent and its broker. */
function brokers(): { parent: number; broker: number }[] {
  return childrenOf(process.pid)
    .filter((pid) => isAlive(pid) && /gw_broker\.py|node-helper\.js/.test(commandOf(pid)))
    .flatMap((parent) =>
      childrenOf(parent)
        .filter((pid) => /gw_broker\.py|node-helper\.js/.test(commandOf(pid)))
        .map((broker) => ({ parent, broker })),
    );
}

/** The broker that is not among those of before. */
async function newBroker(before: readonly { parent: number }[]): Promise<{ parent: number; broker: number }> {
  const found = (): { parent: number; broker: number }[] =>
    brokers().filter(({ parent }) => !before.some((known) => known.parent === parent));
  await expect.poll(found).toHaveLength(1);
  return found()[0] as { parent: number; broker: number };
}

/** An app of its own broker, served. */
async function serveOwn(
  kind: "python" | "node",
  script: string,
): Promise<{
  url: string;
  outcomes: readonly { result: string }[];
  parent: number;
  broker: number;
  launcher: BrokerLauncher;
}> {
  const before = brokers();
  const launcher = new BrokerLauncher(kind);
  const server = await serveApp(cgiProgram({ command: shellProgram(script), launcher, stopTimeoutMs: 200 }));
  return { ...server, ...(await newBroker(before)), launcher };
}

const kill = (pid: number): void => void process.kill(pid, "SIGKILL");

describe.each(["python", "node"] as const)("the %s broker", (kind) => {
  test("one that is killed while idle is started again by its parent, and nobody notices", async () => {
    const { url, parent, broker, launcher } = await serveOwn(kind, `${HEAD}; echo fine`);
    expect(await (await fetch(url)).text()).toBe("fine\n");
    kill(broker);
    // Python's parent holds the socket all the time; with Node there is a moment without one.
    if (kind === "node") await expect.poll(() => launcher.status().facts?.restarts).toBe(1);
    expect(await (await fetch(url)).text()).toBe("fine\n");
    const [next] = childrenOf(parent).filter(isAlive);
    expect(next).not.toBe(broker);
  });

  test("programs that run while it is killed keep their sockets: an answer of known length arrives whole", async () => {
    const go = `${temporaryDirectory()}/go`;
    const head = String.raw`printf 'Content-Type: text/plain\nContent-Length: 11\n\n'`;
    const script = `${head}; echo first; while [ ! -e ${go} ]; do sleep 0.01; done; echo last`;
    const { url, broker } = await serveOwn(kind, script);
    const response = await fetch(url);
    kill(broker);
    await expect.poll(() => isAlive(broker)).toBe(false);
    writeFileSync(go, "");
    expect(await response.text()).toBe("first\nlast\n");
  });

  test("R-C19: an answer of unknown length is whole after its death only if its parent saw the exit", async () => {
    const go = `${temporaryDirectory()}/go`;
    const script = `${HEAD}; echo first; while [ ! -e ${go} ]; do sleep 0.01; done; echo last`;
    const { url, broker, outcomes } = await serveOwn(kind, script);
    const response = await fetch(url);
    kill(broker);
    await expect.poll(() => isAlive(broker)).toBe(false);
    writeFileSync(go, "");
    const text = await response.text().catch(() => "cut");
    // Python's parent takes the programs over; Node has no way to.
    expect(text).toBe(kind === "python" ? "first\nlast\n" : "cut");
    await expect.poll(() => outcomes.map(({ result }) => result)).toEqual([kind === "python" ? "sent" : "cut"]);
  });

  test("R-C14: programs whose broker was killed are still ended when their client leaves", async () => {
    const pid = `${temporaryDirectory()}/pid`;
    const quick = `if [ "$QUERY_STRING" = quick ]; then ${HEAD}; exit; fi`;
    const { url, broker } = await serveOwn(kind, `${quick}; echo $$ > ${pid}; ${HEAD}; echo start; sleep 60`);
    const leaving = new AbortController();
    const response = await fetch(url, { signal: leaving.signal });
    await response.body?.getReader().read();
    kill(broker);
    await expect.poll(() => isAlive(broker)).toBe(false);
    // It is ready again. A broker of several threads takes connections until the last of them has died: those get a 502.
    await expect.poll(async () => (await fetch(`${url}/?quick`)).status).toBe(200);
    leaving.abort();
    await expect.poll(() => isAlive(Number(readFileSync(pid, "utf8"))), { timeout: 5_000 }).toBe(false);
  });

  test("R-C19: however late the news of a failed exit are, its answer does not look whole before them", async () => {
    const pid = `${temporaryDirectory()}/pid`;
    const script = `echo $$ > ${pid}; ${HEAD}; echo half; while [ ! -e ${pid}.go ]; do sleep 0.01; done; exit 3`;
    const { url, broker, outcomes } = await serveOwn(kind, script);
    const response = await fetch(url);
    process.kill(broker, "SIGSTOP");
    writeFileSync(`${pid}.go`, "");
    await expect.poll(() => isAlive(Number(readFileSync(pid, "utf8")))).toBe(false);
    const text = response.text().catch(() => "cut");
    // Longer than a run waits for the exit without asking: this is what the test is about.
    expect(await Promise.race([text, setTimeout(500, "undecided")])).toBe("undecided");
    process.kill(broker, "SIGCONT");
    expect(await text).toBe("cut");
    expect(outcomes.map(({ result }) => result)).toEqual(["cut"]);
  });

  test("R-C18: an answer is whole for a program that closes its output and lives, whoever is asked", async () => {
    const pid = `${temporaryDirectory()}/pid`;
    const script = `echo $$ > ${pid}; ${HEAD}; echo whole; exec >&- 2>&-; while :; do sleep 0.1; done`;
    const { url, outcomes } = await serveOwn(kind, script);
    expect(await (await fetch(url)).text()).toBe("whole\n");
    expect(outcomes.map(({ result }) => result)).toEqual(["sent"]);
    expect(isAlive(Number(readFileSync(pid, "utf8")))).toBe(true);
  });

  test("R-C14: a program whose client left before it was started does not stay, however slow the broker is", async () => {
    const mark = `${temporaryDirectory()}/started`;
    const before = brokers();
    const launcher = new BrokerLauncher(kind);
    const app = cgiProgram({
      command: shellProgram(`touch ${mark}.$QUERY_STRING; ${HEAD}; echo fine; sleep 60`),
      launcher,
    });
    const { url } = await serveApp(app);
    const { broker } = await newBroker(before);
    process.kill(broker, "SIGSTOP");
    const leaving = new AbortController();
    const runs = [1, 2, 3].map((at) => fetch(`${url}/?${at}`, { signal: leaving.signal }).catch(() => "left"));
    // They count as running once their connections to the broker are open.
    await expect.poll(() => app.status?.().facts?.running).toBe(3);
    await setTimeout(50);
    leaving.abort();
    expect(await Promise.all(runs)).toEqual(["left", "left", "left"]);
    await setTimeout(100);
    process.kill(broker, "SIGCONT");
    await expect.poll(() => app.status?.().facts?.running).toBe(0);
    // With Node a program is told to end once its start is known.
    if (kind === "python") expect([1, 2, 3].filter((at) => existsSync(`${mark}.${at}`))).toEqual([]);
  });

  test("when its parent is killed too, a new one is started, and the next request is served", async () => {
    const before = brokers();
    const { url, parent, broker, launcher } = await serveOwn(kind, `${HEAD}; echo fine`);
    kill(parent);
    kill(broker);
    await expect.poll(() => launcher.status().facts?.restarts).toBe(1);
    expect(await (await fetch(url)).text()).toBe("fine\n");
    expect(await newBroker(before)).not.toMatchObject({ parent });
  });

  test("a gateway that is killed leaves no program, no broker and no socket behind", async () => {
    const pid = `${temporaryDirectory()}/pid`;
    const command = shellProgram(`echo $$ > ${pid}; ${HEAD}; echo start; trap '' TERM; while :; do sleep 1; done`);
    const sockets = readdirSync(tmpdir()).filter((name) => name.startsWith("gw-cgi-"));
    const gateway = spawn(process.execPath, [join(import.meta.dirname, "apps/host.mjs"), kind, command], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    onTestFinished(() => void gateway.kill("SIGKILL"));
    await new Promise((started) => gateway.stdout.once("data", started));
    const children = childrenOf(gateway.pid as number);
    const all = [...children, ...children.flatMap(childrenOf), Number(readFileSync(pid, "utf8"))];
    expect(all.length).toBeGreaterThanOrEqual(3);
    gateway.kill("SIGKILL");
    await expect.poll(() => all.filter(isAlive)).toEqual([]);
    await expect
      .poll(() => readdirSync(tmpdir()).filter((name) => name.startsWith("gw-cgi-") && !sockets.includes(name)))
      .toEqual([]);
  });

  test("what a terminal sends to everybody ends neither it nor its programs", async () => {
    const go = `${temporaryDirectory()}/go`;
    const { url, parent, broker } = await serveOwn(
      kind,
      `${HEAD}; echo a; while [ ! -e ${go} ]; do sleep 0.01; done; echo b`,
    );
    const response = await fetch(url);
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
      for (const pid of [parent, broker]) process.kill(pid, signal);
    writeFileSync(go, "");
    expect(await response.text()).toBe("a\nb\n");
    expect([isAlive(parent), isAlive(broker)]).toEqual([true, true]);
  });

  test("a script without an interpreter line is the shell's, as everywhere", async () => {
    const { url } = await serveOwn(kind, `${HEAD}; echo fine`);
    expect((await fetch(url)).status).toBe(200);
    const plain = shellProgram(`${HEAD}; echo plain $0`);
    writeFileSync(plain, readFileSync(plain, "utf8").replace("#!/bin/sh\n", ""));
    const answer = await request(cgiProgram({ command: plain, spawner: kind }));
    expect(answer.text()).toBe(`plain ${plain}\n`);
  });

  test("it ends when its last user has stopped, and its socket is gone", async () => {
    const before = brokers();
    const launcher = new BrokerLauncher(kind);
    await launcher.start({ log: silentLogger });
    const { parent } = await newBroker(before);
    await launcher.stop();
    await expect.poll(() => isAlive(parent), { timeout: 3_000 }).toBe(false);
  });
});

describe("the choice", () => {
  test("auto takes Python where there is one, and says so in log and status", async () => {
    const info = vi.fn();
    const launcher = new BrokerLauncher("auto");
    await launcher.start({ log: { ...silentLogger, info } });
    expect(info).toHaveBeenCalledWith(expect.stringMatching(/^CGI programs are started by: python \(Python 3\./));
    expect([launcher.name, launcher.status().facts]).toEqual([
      "python",
      { reason: expect.stringMatching(/^Python 3\.\d+\.\d+, \//), restarts: 0 },
    ]);
    await launcher.stop();
  });

  test("auto takes Node where there is no Python, and says why", async () => {
    const launcher = new BrokerLauncher("auto", {
      find: async (kind) => {
        if (kind === "python") throw new Error("none here");
        return (await import("../src/broker/kinds.ts")).brokerCommand(kind);
      },
    });
    await launcher.start({ log: silentLogger });
    expect(launcher.name).toBe("node");
    expect(launcher.status().facts?.reason).toMatch(/^Node .*; not by python: none here$/);
    await launcher.stop();
  });

  test("auto starts programs itself where no broker works: one that ends at once, one that is missing", async () => {
    const launcher = new BrokerLauncher("auto", {
      find: async (kind) => ({ command: [kind === "python" ? "/bin/false" : "/no/such/node"], what: kind }),
    });
    const app = cgiProgram({ command: shellProgram(`${HEAD}; echo fine`), launcher });
    expect((await request(app)).text()).toBe("fine\n");
    expect(launcher.name).toBe("inprocess");
    expect(launcher.status().facts?.reason).toMatch(/not by python: it ended at once; not by node: .*ENOENT/);
  });

  test("a spawner that was asked for and cannot be had stops the start", async () => {
    const launcher = new BrokerLauncher("python", { find: () => Promise.reject(new Error("none here")) });
    await expect(launcher.start({ log: silentLogger })).rejects.toMatchObject({
      code: "GW_CGI_OPTION",
      message: expect.stringContaining("none here"),
    });
  });

  test("a spawner nobody knows is refused at once", () => {
    expect(() => cgiProgram({ command: "x", spawner: "perl" as "python" })).toThrow(
      /auto, python, node, inprocess or fastcgi/,
    );
  });

  test("mounts share one broker, and their status shows it", async () => {
    const before = brokers();
    const apps = [1, 2].map((at) => cgiProgram({ command: shellProgram(`${HEAD}; echo ${at}`), spawner: "python" }));
    for (const app of apps) await app.start?.(createContext());
    expect(brokers().length - before.length).toBeLessThanOrEqual(1);
    expect(apps[0]?.status?.().facts).toMatchObject({ spawner: "python", running: 0, queued: 0 });
    for (const app of apps) await app.stop?.(AbortSignal.timeout(1_000));
  });

  test("a launcher that nobody started works too", async () => {
    const app = cgiProgram({ command: shellProgram(`${HEAD}; echo fine`), launcher: new BrokerLauncher("auto") });
    const answer = await app.handle(testRequest("/"));
    expect(answer).toMatchObject({ status: 200 });
    if (answer.kind === "response") for await (const _ of answer.body as AsyncIterable<Uint8Array>);
  });
});
