// The recipe of docs/recipes/background-work.md with a real Redis: nothing is lost when a worker or the gateway dies.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "@gw-private/free-port";
import { requires } from "@gw-private/requires";
import { afterEach, beforeEach, expect } from "vitest";

const withRedis = requires("redis-server");
const root = join(import.meta.dirname, "..");
const gw = join(root, "../../packages/cli/bin/gw.js");
/** Node 20 does not remove types itself. */
const worker = "typescript" in process.features ? ["worker.ts"] : ["--import", "jiti/register", "worker.ts"];
const children: ChildProcess[] = [];
let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "gw-queue-"));
});

afterEach(async () => {
  await Promise.all(children.splice(0).map(end));
  rmSync(folder, { recursive: true, force: true });
});

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}

/** A child and all it has written. */
function start(
  command: string,
  args: readonly string[],
  env: Record<string, string> = {},
): { child: ChildProcess; text(): string } {
  const child = spawn(command, args, { cwd: root, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  children.push(child);
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk) => (text += chunk));
  return { child, text: () => text };
}

async function startRedis(): Promise<string> {
  const socket = join(folder, "redis.sock");
  const server = start("redis-server", ["--port", "0", "--unixsocket", socket, "--save", "", "--dir", folder]);
  await expect.poll(server.text, { timeout: 10_000 }).toMatch(/ready to accept connections/i);
  return socket;
}

async function startGateway(
  env: Record<string, string>,
): Promise<{ child: ChildProcess; url: string; text(): string }> {
  const url = `http://127.0.0.1:${await freePort()}`;
  const gateway = start(process.execPath, [gw, "serve", "./app.ts", "--bind", url.slice("http://".length)], env);
  await expect.poll(gateway.text, { timeout: 15_000 }).toContain("listening");
  return { ...gateway, url };
}

async function order(url: string, to: string): Promise<unknown> {
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(`${url}/orders`, { method: "POST", headers, body: JSON.stringify({ to }) });
  expect(answer.status).toBe(202);
  return answer.json();
}

withRedis(
  "every mail is sent, also when the gateway and a worker are killed in between",
  async () => {
    const outbox = join(folder, "outbox.txt");
    const env = { REDIS_SOCKET: await startRedis(), OUTBOX: outbox, LOCK_MS: "1000" };
    const sent = (): string[] => readFileSync(outbox, { encoding: "utf8", flag: "a+" }).trim().split("\n").sort();
    const gateway = await startGateway(env);
    for (const name of ["ann", "bob", "eve"]) await order(gateway.url, name);
    await expect.poll(gateway.text).toContain("an order was answered");
    await end(gateway.child); // nobody has sent anything yet
    const slow = start(process.execPath, worker, { ...env, MAIL_MS: "60000" });
    await expect.poll(() => slow.text().match(/sending/g)?.length, { timeout: 15_000 }).toBe(3);
    await end(slow.child); // in the middle of all three
    const second = start(process.execPath, worker, env);
    await expect.poll(sent, { timeout: 20_000 }).toEqual(["1 ann", "2 bob", "3 eve"]);
    second.child.kill("SIGTERM");
    const [code] = await once(second.child, "exit");
    expect(code).toBe(0);
  },
  60_000,
);

withRedis(
  "the gateway finishes what it has at SIGTERM, and closes its connection to Redis",
  async () => {
    const env = { REDIS_SOCKET: await startRedis() };
    const gateway = await startGateway(env);
    expect(await order(gateway.url, "ann")).toEqual({ order: 1 });
    gateway.child.kill("SIGTERM");
    const [code] = await once(gateway.child, "exit");
    expect(code).toBe(0);
    expect(gateway.text()).toContain("an order was answered");
  },
  60_000,
);
