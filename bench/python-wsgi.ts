// WSGI apps in Python next to gunicorn and uWSGI: CPU of the whole process tree for each request, in interleaved rounds.
//
//   PYTHON=./venv/bin/python node bench/python-wsgi.ts [rounds] [requests]
//
// The interpreter needs flask, django, gunicorn and uwsgi. gunicorn's sync worker and uWSGI's --http-socket close every
// connection; the client opens a new one then, which costs it, and is part of what they cost.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { createServer } from "node:net";
import { dirname, join, resolve } from "node:path";
import { cpuSeconds } from "./load.ts";
import { interleave, median, table, type Variant } from "./rounds.ts";

const rounds = Number(process.argv[2] ?? 5);
const requests = Number(process.argv[3] ?? 3_000);
const python = resolve(process.env.PYTHON ?? "python3");
const bin = dirname(python);
const cwd = join(import.meta.dirname, "python-apps");
const gw = join(import.meta.dirname, "../packages/cli/bin/gw.js");
const CONNECTIONS = 32;

type Command = (port: string, app: string) => string[];

const gunicorn =
  (...words: string[]): Command =>
  (port, app) => [`${bin}/gunicorn`, ...words, "-b", `127.0.0.1:${port}`, "--log-level", "error", app];
const uwsgi =
  (processes: string): Command =>
  (port, app) => {
    const words = [
      "--http-socket",
      `127.0.0.1:${port}`,
      "--master",
      "-p",
      processes,
      "--disable-logging",
      "--need-app",
      "--add-header",
      "Connection: close", // it does, and does not say so by itself
    ];
    return [`${bin}/uwsgi`, ...words, "--module", app, "--die-on-term"];
  };
const ours =
  (options: string): Command =>
  (port, app) => [
    process.execPath,
    gw,
    "serve",
    "-p",
    port,
    "--no-access-log",
    "--python",
    python,
    `wsgi:${app}?workers=1${options}`,
  ];

const servers: Readonly<Record<string, Command>> = {
  "gunicorn sync": gunicorn("-w", "1"),
  "gunicorn sync × 2": gunicorn("-w", "2"),
  "gunicorn gthread": gunicorn("-k", "gthread", "--threads", "8"),
  uWSGI: uwsgi("1"),
  "gw, no threads": ours("&threads=1"),
  "gw, 8 threads": ours(""),
};
/** Name, app, path, share of the requests, bytes to send. */
const cases = [
  ["raw", "raw:wsgi", "/hello", 1, 0],
  ["Flask", "raw:flask()", "/hello", 1, 0],
  ["Django", "raw:django()", "/hello", 1, 0],
  ["1 MiB down", "raw:wsgi", "/mebibyte", 0.1, 0],
  ["8 MiB up", "raw:wsgi", "/upload", 0.01, 8_388_608],
] as const;

const children: ChildProcess[] = [];

/** A process and all that it has started. */
function tree(root: number): number[] {
  const parents = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const fields = readFileSync(`/proc/${name}/stat`, "utf8")
          .replace(/^.*\) /s, "")
          .split(" ");
        return [[Number(name), Number(fields[1])] as const];
      } catch {
        return [];
      }
    });
  const found = [root];
  for (const pid of found) for (const [child, parent] of parents) if (parent === pid) found.push(child);
  return found;
}

const cpuOf = (root: number): number => tree(root).reduce((sum, pid) => sum + cpuSeconds(pid), 0);

interface Call {
  readonly port: number;
  readonly path: string;
  readonly body: Buffer;
  readonly agent: Agent;
}

function ask({ port, path, body, agent }: Call): Promise<number> {
  return new Promise((done, fail) => {
    const method = body.length === 0 ? "GET" : "POST";
    const sent = request({ host: "127.0.0.1", port, path, method, agent, headers: { "Content-Length": body.length } });
    sent.on("error", fail);
    sent.on("response", (answer) => {
      let bytes = 0;
      answer.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
      });
      answer.on("end", () =>
        answer.statusCode === 200 ? done(bytes) : fail(new Error(`status ${answer.statusCode}`)),
      );
      answer.on("error", fail);
    });
    sent.end(body);
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}

interface Started {
  readonly port: number;
  readonly child: ChildProcess;
  /** From the start of the process to its first answer. */
  readonly firstMs: number;
}

async function start(command: Command, app: string): Promise<Started> {
  const port = await freePort();
  const [program, ...words] = command(String(port), app) as [string, ...string[]];
  const begun = performance.now();
  const child = spawn(program, words, { cwd, stdio: "ignore" });
  children.push(child);
  const agent = new Agent();
  for (;;) {
    if (performance.now() - begun > 60_000) throw new Error(`${program} does not answer`);
    const answered = await ask({ port, path: "/hello", body: Buffer.alloc(0), agent }).catch(() => null);
    if (answered !== null) return { port, child, firstMs: performance.now() - begun };
    await new Promise((done) => setTimeout(done, 5));
  }
}

const perSecond = new Map<string, number[]>();

function variant(title: string, { port, child }: Started, path: string, share: number, bytes: number): Variant {
  const count = Math.ceil(requests * share);
  const body = Buffer.alloc(bytes, "0123456789abcdef");
  perSecond.set(title, []);
  return {
    name: title,
    async measure() {
      const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
      const before = cpuOf(child.pid as number);
      const begun = performance.now();
      let left = count;
      const client = async (): Promise<void> => {
        // A kept connection that the server has just closed is no failure of either side.
        while (left-- > 0) await ask({ port, path, body, agent }).catch(() => ask({ port, path, body, agent }));
      };
      await Promise.all(Array.from({ length: bytes > 0 || share < 1 ? 8 : CONNECTIONS }, client));
      perSecond.get(title)?.push((count * 1_000) / (performance.now() - begun));
      agent.destroy();
      return ((cpuOf(child.pid as number) - before) / count) * 1e6;
    },
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  await ended;
}

try {
  const versions = execFileSync(`${bin}/pip`, ["list", "--format=freeze"], { encoding: "utf8" });
  const named = versions.split("\n").filter((line) => /^(flask|django|gunicorn|uwsgi)==/i.test(line));
  console.log(`node ${process.versions.node}, ${named.join(", ")}; ${rounds} rounds of ${requests} requests\n`);
  for (const [name, app, path, share, bytes] of cases) {
    const variants: Variant[] = [];
    const first: string[] = [];
    const mine: ChildProcess[] = [];
    for (const [server, command] of Object.entries(servers)) {
      const started = await start(command, app);
      mine.push(started.child);
      first.push(`${server} ${Math.round(started.firstMs)} ms`);
      variants.push(variant(`${name}: ${server}`, started, path, share, bytes));
    }
    console.log(table(await interleave(variants, { rounds, warmUp: 1 }), "µs"));
    for (const { name: title } of variants) {
      console.log(`${title}: ${Math.round(median(perSecond.get(title) ?? []))} requests/s`);
    }
    console.log(`first answer after the start: ${first.join(", ")}\n`);
    await Promise.all(mine.map(end));
  }
} finally {
  for (const child of children) child.kill("SIGTERM");
}
