// CPU of a server process per request over TCP, next to its rivals, in interleaved rounds.
//
//   node bench/http-tcp.ts [rounds] [requests]
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { cpuSeconds, load } from "./load.ts";
import { loadHttp2 } from "./load-http2.ts";
import { interleave, median, table, type Variant } from "./rounds.ts";

const rounds = Number(process.argv[2] ?? 7);
const requests = Number(process.argv[3] ?? 20_000);
const names = [
  "node:http",
  "gw: plain handler",
  "gw: six sync layers",
  "gw: mount, async app",
  "node:http2",
  "gw: HTTP/2",
  "fastify",
  "h3",
  "hono",
  "express",
];
const CONNECTIONS = 64;

/** Versions of the rivals, as installed. */
function versions(): string {
  const { resolve } = createRequire(import.meta.url);
  const rivals = ["fastify", "h3", "hono", "@hono/node-server", "express"];
  const manifests = rivals.map((name) =>
    (resolve.paths(name) ?? []).map((folder) => join(folder, name, "package.json")).find((path) => existsSync(path)),
  );
  return manifests
    .map(
      (path, index) => `${rivals[index]} ${path === undefined ? "?" : JSON.parse(readFileSync(path, "utf8")).version}`,
    )
    .join(", ");
}

const children: ChildProcess[] = [];
const perSecond = new Map<string, number[]>();

async function variant(name: string): Promise<Variant> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "http-server.ts"), name], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, NODE_ENV: "production" },
  });
  children.push(child);
  const [line] = (await once(child.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
  const port = Number(line.toString());
  perSecond.set(name, []);
  return {
    name,
    async measure() {
      const before = cpuSeconds(child.pid as number);
      const isHttp2 = /HTTP\/2|http2/.test(name);
      const seconds = isHttp2
        ? await loadHttp2({ port, streams: CONNECTIONS, requests })
        : await load({ port, connections: CONNECTIONS, requests });
      perSecond.get(name)?.push(requests / seconds);
      return ((cpuSeconds(child.pid as number) - before) / requests) * 1e6;
    },
  };
}

try {
  const variants: Variant[] = [];
  for (const name of names) variants.push(await variant(name));
  const measured = await interleave(variants, { rounds, warmUp: 2 });
  console.log(
    `node ${process.versions.node}, ${rounds} rounds of ${requests} requests, ${CONNECTIONS} connections (HTTP/2: one, ${CONNECTIONS} streams), CPU µs of the server per request\n`,
  );
  console.log(`${versions()}\n`);
  console.log(table(measured, "µs"));
  console.log(
    `\nrequests/s (median): ${[...perSecond].map(([name, values]) => `${name} ${Math.round(median(values))}`).join(", ")}`,
  );
} finally {
  for (const child of children) child.kill();
}
