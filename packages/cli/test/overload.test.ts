// R-O10: limits of concurrency over all workers of a gateway, with a line in front; who is refused, and what comes back.
import { readFileSync, writeFileSync } from "node:fs";
import { Agent, request as httpRequest } from "node:http";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { run } from "@gw/core/testing";
import { fastcgi } from "@gw/fastcgi";
import { expect, onTestFinished, test } from "vitest";
import type { GatewayStatus } from "../src/admin/control.ts";
import { type Folder, folderWith, gw, type Server, serving } from "./gw.ts";

/** Says in a file shared by all workers when a request begins and ends; holds it while there is no file "go". */
const app = `import { appendFileSync, existsSync } from "node:fs";
import { text } from "@gw/core";
const log = (word) => appendFileSync("log", word + " " + process.pid + "\\n");
export default async (request) => {
  if (request.path === "/free") return text("free");
  log("begin");
  while (!existsSync("go")) await new Promise((done) => setTimeout(done, 5));
  await new Promise((done) => setTimeout(done, 2));
  log("end");
  return text(String(process.pid));
};
`;

interface Outcome {
  readonly status: number | "cut";
  readonly retryAfter: string | undefined;
}

function ask(server: Server, path = "/", agent?: Agent): Promise<Outcome> {
  return new Promise((done) => {
    const request = httpRequest(`${server.urls[0]}${path}`, { agent: agent ?? false }, (answer) => {
      answer.resume().on("error", () => done({ status: "cut", retryAfter: undefined }));
      answer.on("end", () => done({ status: answer.statusCode as number, retryAfter: answer.headers["retry-after"] }));
    });
    request.on("error", () => done({ status: "cut", retryAfter: undefined })).end();
  });
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await pause(10);
}

interface Gateway {
  readonly folder: Folder;
  readonly server: Server;
  status(): Promise<GatewayStatus>;
  /** Lines of the log: what began and ended, in which process. */
  log(): (readonly [word: string, pid: number])[];
}

async function gatewayOf(words: readonly string[], files: Readonly<Record<string, string>> = {}): Promise<Gateway> {
  const folder = folderWith({ "app.mjs": app, log: "", ...files });
  const admin = ["--admin", "unix:admin.sock"];
  const server = await serving(folder, ["serve", ...words, "-p", "0", "--no-access-log", ...admin]);
  return {
    folder,
    server,
    async status() {
      const { stdout, stderr } = await gw(folder, ["ctl", "status", "-j", ...admin]);
      expect(stderr).toBe("");
      return JSON.parse(stdout) as GatewayStatus;
    },
    log: () =>
      readFileSync(join(folder.path, "log"), "utf8")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => [line.split(" ")[0] as string, Number(line.split(" ")[1])] as const),
  };
}

/** The most that ran at once. */
function peakOf(log: ReturnType<Gateway["log"]>): number {
  let [running, peak] = [0, 0];
  for (const [word] of log) {
    running += word === "begin" ? 1 : -1;
    peak = Math.max(peak, running);
  }
  return peak;
}

const count = (outcomes: readonly Outcome[], status: Outcome["status"]): number =>
  outcomes.filter((one) => one.status === status).length;

test("R-O10: of a burst over three workers as many run as the limit says, as many wait as the queue says, the rest is 503", async () => {
  const gateway = await gatewayOf([
    "app.mjs",
    "-w",
    "3",
    "--limit-concurrency",
    "4",
    "--limit-queue",
    "6",
    "--queue-timeout",
    "60s",
  ]);
  const { server, folder } = gateway;
  const outcomes: Outcome[] = [];
  const asked = Array.from({ length: 40 }, async () => void outcomes.push(await ask(server)));
  // A worker that the machine lets wait for a second costs others a place for a moment: there may be a few more refused.
  await until(async () => {
    const [{ running = 0, queued = 0, refused = 0 } = {}] = (await gateway.status()).limits;
    return running === 4 && queued > 0 && running + queued + refused === 40;
  });
  const [limit] = (await gateway.status()).limits;
  const refused = limit?.refused ?? 0;
  expect(limit).toMatchObject({ name: "gateway", limit: 4, running: 4, maxQueued: 6 });
  expect(limit?.queued).toBeLessThanOrEqual(6);
  await until(() => outcomes.length === refused);
  expect(outcomes.map(({ status, retryAfter }) => `${status} ${retryAfter}`)).toEqual(Array(refused).fill("503 1"));
  expect(gateway.log()).toHaveLength(4);
  writeFileSync(join(folder.path, "go"), "");
  await Promise.all(asked);
  expect([count(outcomes, 200), count(outcomes, 503)]).toEqual([40 - refused, refused]);

  // Open now: what comes in over kept connections, faster than it is served.
  const agent = new Agent({ keepAlive: true, maxSockets: 30 });
  const client = async (): Promise<Outcome[]> => {
    const mine: Outcome[] = [];
    for (let time = 0; time < 10; time++) mine.push(await ask(server, "/", agent));
    return mine;
  };
  const more = (await Promise.all(Array.from({ length: 30 }, client))).flat();
  agent.destroy();
  expect(count(more, 200) + count(more, 503)).toBe(300);
  expect(gateway.log()).toHaveLength(2 * (40 - refused + count(more, 200)));
  expect(peakOf(gateway.log())).toBe(4);
  await until(async () => (await gateway.status()).limits[0]?.running === 0);
  expect((await gateway.status()).limits[0]).toMatchObject({
    running: 0,
    queued: 0,
    refused: refused + count(more, 503),
  });
});

test("R-O5, R-O10: what a killed worker held comes back, and the reload of all workers loses none", async () => {
  const gateway = await gatewayOf(["app.mjs", "-w", "2", "--limit-concurrency", "2", "--limit-queue", "20"]);
  const { server, folder } = gateway;
  const first = [ask(server), ask(server)];
  await until(() => gateway.log().length === 2);
  const waiting = [ask(server)];
  await until(async () => (await gateway.status()).limits[0]?.queued === 1);
  const [, killed] = gateway.log()[0] as readonly [string, number];
  process.kill(killed, "SIGKILL");
  // The one that waited may have been there, too. Whoever comes now begins: what the killed one held is free.
  waiting.push(ask(server));
  await until(() => gateway.log().length >= 3);
  writeFileSync(join(folder.path, "go"), "");
  await Promise.all([...first, ...waiting]);
  for (let time = 0; time < 2; time++) {
    const reloaded = server.says(/gw: reloaded in/);
    server.kill("SIGHUP");
    await reloaded;
    const outcomes = await Promise.all(Array.from({ length: 12 }, () => ask(server)));
    expect(outcomes.map(({ status }) => status)).toEqual(Array(12).fill(200));
  }
  const { limits } = await gateway.status();
  expect(limits).toMatchObject([{ limit: 2, running: 0, queued: 0 }]);
});

test("R-O10: a mount has a limit of its own, over all workers; the others do not notice", async () => {
  const config = `export default {
  mounts: { "/slow": { app: "./app.mjs", limitConcurrency: 1, limitQueue: 1, queueTimeout: "60s" }, "/other": "./app.mjs" },
};
`;
  const gateway = await gatewayOf(["-w", "2"], { "gw.config.mjs": config });
  const { server, folder } = gateway;
  const asked = [ask(server, "/slow")];
  await until(() => gateway.log().length === 1);
  await until(async () => {
    asked.push(ask(server, "/slow"));
    return (await gateway.status()).limits[0]?.queued === 1;
  });
  expect(await ask(server, "/slow/free")).toEqual({ status: 503, retryAfter: "1" });
  expect((await ask(server, "/other/free")).status).toBe(200);
  const { stdout } = await gw(folder, ["ctl", "status", "--admin", "unix:admin.sock"]);
  expect(stdout).toMatch(/^limit \/slow: 1 of 1 under way, 1 of 1 wait, \d+ refused$/m);
  writeFileSync(join(folder.path, "go"), "");
  expect(count(await Promise.all(asked), 200)).toBe(2);
});

test("R-O10: gw fastcgi has the same limit, over its workers", async () => {
  const folder = folderWith({ "app.mjs": app, log: "" });
  const words = ["fastcgi", "app.mjs", "--uds", "gw.sock", "-w", "2", "--limit-concurrency", "1", "--limit-queue", "1"];
  await serving(folder, words);
  const front = await run(fastcgi({ address: `unix:${join(folder.path, "gw.sock")}` }));
  onTestFinished(() => front.stop(AbortSignal.abort()));
  const statuses: number[] = [];
  const asked = Array.from({ length: 6 }, async () => void statuses.push((await front.request("/")).status));
  await until(() => statuses.length >= 4); // of six no more than two may stay
  expect(statuses).not.toContain(200);
  writeFileSync(join(folder.path, "go"), "");
  await Promise.all(asked);
  expect(statuses.filter((one) => one === 200).length).toBeGreaterThan(0);
  expect(statuses.filter((one) => one === 503).length).toBeGreaterThanOrEqual(4);
});

test("R-O10: who waits longer than it may is answered 503", async () => {
  const gateway = await gatewayOf(["app.mjs", "--limit-concurrency", "1", "--queue-timeout", "50ms"]);
  const held = ask(gateway.server);
  await until(() => gateway.log().length === 1);
  expect(await ask(gateway.server)).toEqual({ status: 503, retryAfter: "1" });
  writeFileSync(join(gateway.folder.path, "go"), "");
  expect((await held).status).toBe(200);
});

test("a queue without a limit, and a mount's that is no number, are refused", async () => {
  const folder = folderWith({
    "app.mjs": app,
    "gw.config.mjs": `export default { mounts: { "/": { app: "./app.mjs", limitConcurrency: "few" } } };\n`,
  });
  const alone = await gw(folder, ["serve", "app.mjs", "--limit-queue", "5"]);
  expect([alone.code, alone.stderr]).toEqual([
    2,
    "gw: --limit-queue needs --limit-concurrency: how many requests may be under way\n",
  ]);
  const few = await gw(folder, ["serve"]);
  expect([few.code, few.stderr]).toEqual([
    2,
    'gw: gw.config.mjs: mounts["/"].limitConcurrency: found "few", expected a whole number\n',
  ]);
});
