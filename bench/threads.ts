// Sync apps on threads: CPU of the whole process per request, next to the main thread and to piscina, and how n
// threads share handlers that block, in interleaved rounds.
//
//   node bench/threads.ts [rounds] [requests] [blocking requests]
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { cpuSeconds, load } from "./load.ts";
import { interleave, median, table, type Variant } from "./rounds.ts";

const rounds = Number(process.argv[2] ?? 7);
const requests = Number(process.argv[3] ?? 20_000);
const blocking = Number(process.argv[4] ?? 100);
const CONNECTIONS = 64;

const children: ChildProcess[] = [];
const perSecond = new Map<string, number[]>();

/** Starts a server; gives its port. */
async function start(kind: string, threads: number): Promise<{ port: number; pid: number }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "thread-server.ts"), kind, String(threads)], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, NODE_ENV: "production" },
  });
  children.push(child);
  const [line] = (await once(child.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
  return { port: Number(line.toString()), pid: child.pid as number };
}

async function hello(name: string, kind: string, threads: number): Promise<Variant> {
  const { port, pid } = await start(kind, threads);
  perSecond.set(name, []);
  return {
    name,
    async measure() {
      const before = cpuSeconds(pid);
      const seconds = await load({ port, connections: CONNECTIONS, requests });
      perSecond.get(name)?.push(requests / seconds);
      return ((cpuSeconds(pid) - before) / requests) * 1e6;
    },
  };
}

async function block(name: string, kind: string, threads: number): Promise<Variant> {
  const { port } = await start(kind, threads);
  return {
    name,
    async measure() {
      const seconds = await load({ port, connections: 16, requests: blocking, path: "/block" });
      return (seconds / blocking) * 1_000;
    },
  };
}

function piscinaVersion(): string {
  const folders = createRequire(import.meta.url).resolve.paths("piscina") ?? [];
  const manifest = folders.map((folder) => join(folder, "piscina", "package.json")).find((path) => existsSync(path));
  return manifest === undefined ? "?" : (JSON.parse(readFileSync(manifest, "utf8")) as { version: string }).version;
}

try {
  const short = [
    await hello("gw: main thread", "main", 0),
    await hello("gw: 1 thread", "gw", 1),
    await hello("gw: 2 threads", "gw", 2),
    await hello("gw: handler, piscina 1 thread", "piscina", 1),
    await hello("gw: handler, piscina 2 threads", "piscina", 2),
  ];
  const cpu = await interleave(short, { rounds, warmUp: 2 });
  console.log(
    `node ${process.versions.node}, piscina ${piscinaVersion()}, ${rounds} rounds of ${requests} requests, ${CONNECTIONS} connections, CPU µs of the whole process per request\n`,
  );
  console.log(table(cpu, "µs"));
  console.log(
    `\nrequests/s (median): ${[...perSecond].map(([name, all]) => `${name} ${Math.round(median(all))}`).join(", ")}`,
  );
  const long = [
    await block("gw: 1 thread", "gw", 1),
    await block("gw: 2 threads", "gw", 2),
    await block("gw: 4 threads", "gw", 4),
    await block("gw: 8 threads", "gw", 8),
    await block("gw: handler, piscina 4 threads", "piscina", 4),
  ];
  const waits = await interleave(long, { rounds: Math.min(rounds, 3), warmUp: 1 });
  console.log(`\na handler that blocks for 20 ms, 16 connections, ${blocking} requests, milliseconds per request\n`);
  console.log(table(waits, "ms"));
} finally {
  for (const child of children) child.kill();
}
