// 1 GiB up, 1 GiB down and 1 GiB through a server: CPU next to bare node:http, and how far its memory moves meanwhile.
//
//   node bench/memory.ts [MiB] [rounds]
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type ClientRequest, request } from "node:http";
import { connect } from "node:http2";
import { join } from "node:path";
import type { Duplex, Readable, Writable } from "node:stream";
import { cpuSeconds } from "./load.ts";
import { interleave, median, type Variant } from "./rounds.ts";

const bytes = Number(process.argv[2] ?? 1_024) * 1_048_576;
const rounds = Number(process.argv[3] ?? 3);
const kinds = ["node:http", "gw", "gw, HTTP/2"];
const directions = ["up", "down", "echo"];
const PAGE_BYTES = 4_096;
const SAMPLE_MS = 20;
const chunk = Buffer.alloc(65_536, "x");

const children: ChildProcess[] = [];

function residentBytes(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]) * PAGE_BYTES;
}

async function send(target: Writable): Promise<void> {
  for (let left = bytes; left > 0; left -= chunk.length) {
    if (!target.write(left >= chunk.length ? chunk : chunk.subarray(0, left))) await once(target, "drain");
  }
  target.end();
}

async function count(source: Readable): Promise<number> {
  let received = 0;
  for await (const part of source) received += part.length;
  return received;
}

async function overHttp1(port: number, direction: string): Promise<number> {
  const method = direction === "down" ? "GET" : "POST";
  const sent: ClientRequest = request({
    port,
    host: "127.0.0.1",
    path: `/${direction}?${bytes}`,
    method,
    agent: false,
  });
  const response = once(sent, "response");
  const sending = direction === "down" ? sent.end() : send(sent);
  const received = await count((await response)[0]);
  await sending;
  return received;
}

async function overHttp2(port: number, direction: string): Promise<number> {
  const session = connect(`http://127.0.0.1:${port}`, { settings: { initialWindowSize: 1 << 20 } });
  await once(session, "connect");
  session.setLocalWindowSize(1 << 20);
  const stream: Duplex = session.request({
    ":path": `/${direction}?${bytes}`,
    ":method": direction === "down" ? "GET" : "POST",
  });
  const sending = direction === "down" ? stream.end() : send(stream);
  const received = await count(stream);
  await sending;
  session.close();
  return received;
}

interface Server {
  readonly pid: number;
  readonly port: number;
}

async function start(kind: string): Promise<Server> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "stream-server.ts"), kind], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  const [line] = (await once(child.stdout as Readable, "data")) as [Buffer];
  return { pid: child.pid as number, port: Number(line.toString()) };
}

const spreads = new Map<string, number[]>();

function variant(kind: string, { pid, port }: Server, direction: string): Variant {
  const name = `${kind}: ${direction}`;
  spreads.set(name, []);
  return {
    name,
    async measure() {
      const before = cpuSeconds(pid);
      const samples: number[] = [];
      const timer = setInterval(() => samples.push(residentBytes(pid)), SAMPLE_MS);
      const received = await (kind.endsWith("2") ? overHttp2 : overHttp1)(port, direction);
      clearInterval(timer);
      if (direction !== "up" && received !== bytes) throw new Error(`${name}: ${received} of ${bytes} bytes came`);
      // The first tenth is the warming up: the heap grows to its working size.
      const steady = samples.slice(Math.ceil(samples.length / 10));
      spreads.get(name)?.push(Math.max(...steady) - Math.min(...steady));
      return cpuSeconds(pid) - before;
    },
  };
}

try {
  const servers = new Map<string, Server>();
  for (const kind of kinds) servers.set(kind, await start(kind));
  console.log(
    `node ${process.versions.node}, ${bytes / 1_048_576} MiB, ${rounds} rounds: CPU seconds of the server, and how far its resident memory moved\n`,
  );
  console.log("| | CPU s | ÷ node:http | memory moved, MB (each round) |\n|---|---:|---:|---:|");
  for (const direction of directions) {
    const variants = kinds.map((kind) => variant(kind, servers.get(kind) as Server, direction));
    const measured = await interleave(variants, { rounds, warmUp: 1 });
    const base = median(measured[0]?.values ?? []);
    for (const { name, values } of measured) {
      const moved = (spreads.get(name) ?? []).slice(1).map((spread) => (spread / 1e6).toFixed(0));
      console.log(
        `| ${name} | ${median(values).toFixed(2)} | ${(median(values) / base).toFixed(2)} | ${moved.join(", ")} |`,
      );
    }
  }
} finally {
  for (const child of children) child.kill();
}
