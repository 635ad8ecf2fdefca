// CPU of the whole process tree per request of Python apps, next to gunicorn and uvicorn, in interleaved rounds.
//
//   PYTHON=./venv/bin/python node bench/python.ts [rounds] [requests]
//
// The interpreter needs flask, fastapi, gunicorn, uvicorn, uvloop and httptools. gunicorn's sync worker closes every
// connection, which this load generator does not measure; gthread keeps them.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join, resolve } from "node:path";
import { cpuSeconds, load } from "./load.ts";
import { interleave, median, table, type Variant } from "./rounds.ts";

const rounds = Number(process.argv[2] ?? 5);
const requests = Number(process.argv[3] ?? 10_000);
const python = resolve(process.env.PYTHON ?? "python3");
const bin = dirname(python);
const cwd = join(import.meta.dirname, "python-apps");
const gw = join(import.meta.dirname, "../packages/cli/bin/gw.js");
const CONNECTIONS = 64;

const ours = (target: string) => (port: string) => [
  process.execPath,
  gw,
  "serve",
  "-p",
  port,
  "--no-access-log",
  `${target}${target.includes("?") ? "&" : "?"}workers=1&python=${python}`,
];
const gunicorn = (app: string) => (port: string) => [
  `${bin}/gunicorn`,
  "-k",
  "gthread",
  "--threads",
  "8",
  "-w",
  "1",
  "-b",
  `127.0.0.1:${port}`,
  app,
];
const uvicorn = (app: string) => (port: string) => [
  `${bin}/uvicorn`,
  "--no-access-log",
  "--log-level",
  "warning",
  "--port",
  port,
  ...(app.endsWith("()") ? ["--factory", app.slice(0, -2)] : [app]),
];

const commands: Readonly<Record<string, (port: string) => string[]>> = {
  "WSGI raw: gw, no threads": ours("wsgi:raw:wsgi?threads=1"),
  "WSGI raw: gw, 8 threads": ours("wsgi:raw:wsgi"),
  "WSGI raw: gunicorn gthread": gunicorn("raw:wsgi"),
  "Flask: gw, no threads": ours("wsgi:raw:flask()?threads=1"),
  "Flask: gw, 8 threads": ours("wsgi:raw:flask()"),
  "Flask: gunicorn gthread": gunicorn("raw:flask()"),
  "ASGI raw: gw": ours("asgi:raw:asgi"),
  "ASGI raw: uvicorn": uvicorn("raw:asgi"),
  "FastAPI: gw": ours("asgi:raw:fastapi()"),
  "FastAPI: uvicorn": uvicorn("raw:fastapi()"),
};

const children: ChildProcess[] = [];
const perSecond = new Map<string, number[]>();

/** A process and all that it has started. */
function tree(root: number): number[] {
  const parents = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const parent = readFileSync(`/proc/${name}/stat`, "utf8")
          .replace(/^.*\) /s, "")
          .split(" ")[1];
        return [[Number(name), Number(parent)] as const];
      } catch {
        return [];
      }
    });
  const found = [root];
  for (const pid of found) for (const [child, parent] of parents) if (parent === pid) found.push(child);
  return found;
}

const cpuOf = (root: number): number => tree(root).reduce((sum, pid) => sum + cpuSeconds(pid), 0);

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}

async function variant(name: string, command: (port: string) => string[]): Promise<Variant> {
  const port = await freePort();
  const [program, ...words] = command(String(port)) as [string, ...string[]];
  const child = spawn(program, words, { cwd, stdio: "ignore" });
  children.push(child);
  for (let tries = 0; tries < 100; tries++) {
    const answered = await fetch(`http://127.0.0.1:${port}/hello?name=world`).then(
      (one) => one.ok,
      () => false,
    );
    if (answered) break;
    await new Promise((done) => setTimeout(done, 100));
  }
  perSecond.set(name, []);
  return {
    name,
    async measure() {
      const before = cpuOf(child.pid as number);
      const seconds = await load({ port, connections: CONNECTIONS, requests });
      perSecond.get(name)?.push(requests / seconds);
      return ((cpuOf(child.pid as number) - before) / requests) * 1e6;
    },
  };
}

try {
  const variants: Variant[] = [];
  for (const [name, command] of Object.entries(commands)) variants.push(await variant(name, command));
  const measured = await interleave(variants, { rounds, warmUp: 1 });
  console.log(`node ${process.versions.node}, ${rounds} rounds of ${requests} requests, ${CONNECTIONS} connections\n`);
  console.log(table(measured, "µs"));
  for (const [name, values] of perSecond) console.log(`${name}: ${Math.round(median(values))} requests/s`);
} finally {
  for (const child of children) child.kill();
}
