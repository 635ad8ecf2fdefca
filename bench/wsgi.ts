// WSGI apps in Python next to gunicorn and uWSGI, large bodies next to uvicorn, too: CPU of the whole process tree for each
// request, in interleaved rounds. asgi.ts has the ASGI apps.
//
//   PYTHON=./venv/bin/python node wsgi.ts [rounds] [requests] [cases: "raw,1 MiB down"]
//
// The interpreter needs flask, django, gunicorn, uwsgi, uvicorn, uvloop and httptools. V8 takes some ten thousand requests
// until it has compiled what they need: two rounds are not counted. gunicorn's sync worker and uWSGI's --http-socket close every
// connection; the client opens a new one then, which costs it, and is part of what they cost.
import { execFileSync } from "node:child_process";
import { Agent, request } from "node:http";
import { dirname, join, resolve } from "node:path";
import { freePort, liveTime, Stage } from "./processes.ts";
import { interleave, median, table, type Variant } from "./rounds.ts";

const rounds = Number(process.argv[2] ?? 5);
const requests = Number(process.argv[3] ?? 3_000);
const wanted = process.argv[4]?.split(",");
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

const uvicorn: Command = (port, app) => [
  `${bin}/uvicorn`,
  "--no-access-log",
  "--log-level",
  "warning",
  "--port",
  port,
  app,
];

const wsgiServers: Readonly<Record<string, Command>> = {
  "gunicorn sync": gunicorn("-w", "1"),
  "gunicorn sync × 2": gunicorn("-w", "2"),
  "gunicorn gthread": gunicorn("-k", "gthread", "--threads", "8"),
  uWSGI: uwsgi("1"),
  "gw, no threads": ours("&threads=1"),
  "gw, 8 threads": ours(""),
};

interface Case {
  readonly app: string;
  readonly path: string;
  /** Of the requests. */
  readonly share: number;
  /** Bytes to send. */
  readonly bytes: number;
  /** uvicorn's app that does the same. */
  readonly asgi?: string;
}

const cases: Readonly<Record<string, Case>> = {
  raw: { app: "raw:wsgi", path: "/hello", share: 1, bytes: 0 },
  Flask: { app: "raw:flask()", path: "/hello", share: 1, bytes: 0 },
  Django: { app: "raw:django()", path: "/hello", share: 1, bytes: 0 },
  "1 MiB down": { app: "raw:wsgi", path: "/mebibyte", share: 0.3, bytes: 0, asgi: "raw:large" },
  "8 MiB up": { app: "raw:wsgi", path: "/upload", share: 0.01, bytes: 8_388_608, asgi: "raw:received" },
};

const stage = new Stage();

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

interface Started {
  readonly port: number;
  readonly pid: number;
  /** From the start of the process to its first answer. */
  readonly firstMs: number;
}

async function start(command: Command, app: string): Promise<Started> {
  const port = await freePort();
  const [program, ...words] = command(String(port), app) as [string, ...string[]];
  const begun = performance.now();
  const pid = stage.start(program, words, { cwd });
  const agent = new Agent();
  for (;;) {
    if (performance.now() - begun > 60_000) throw new Error(`${program} does not answer`);
    const answered = await ask({ port, path: "/hello", body: Buffer.alloc(0), agent }).catch(() => null);
    if (answered !== null) return { port, pid, firstMs: performance.now() - begun };
    await new Promise((done) => setTimeout(done, 5));
  }
}

const perSecond = new Map<string, number[]>();

function variant(title: string, { port, pid }: Started, { path, share, bytes }: Case): Variant {
  const count = Math.ceil(requests * share);
  const body = Buffer.alloc(bytes, "0123456789abcdef");
  perSecond.set(title, []);
  return {
    name: title,
    async measure() {
      const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
      const before = liveTime(pid);
      const begun = performance.now();
      let left = count;
      const client = async (): Promise<void> => {
        // A kept connection that the server has just closed is no failure of either side.
        while (left-- > 0) await ask({ port, path, body, agent }).catch(() => ask({ port, path, body, agent }));
      };
      await Promise.all(Array.from({ length: bytes > 0 || share < 1 ? 8 : CONNECTIONS }, client));
      perSecond.get(title)?.push((count * 1_000) / (performance.now() - begun));
      agent.destroy();
      return ((liveTime(pid) - before) / count) * 1_000;
    },
  };
}

try {
  const versions = execFileSync(`${bin}/pip`, ["list", "--format=freeze"], { encoding: "utf8" });
  const named = versions.split("\n").filter((line) => /^(flask|django|gunicorn|uwsgi|uvicorn)==/i.test(line));
  console.log(`node ${process.versions.node}, ${named.join(", ")}; ${rounds} rounds of ${requests} requests\n`);
  for (const [name, one] of Object.entries(cases)) {
    if (wanted !== undefined && !wanted.includes(name)) continue;
    const variants: Variant[] = [];
    const first: string[] = [];
    const begin = async (server: string, command: Command, app: string): Promise<void> => {
      const started = await start(command, app);
      first.push(`${server} ${Math.round(started.firstMs)} ms`);
      variants.push(variant(`${name}: ${server}`, started, one));
    };
    for (const [server, command] of Object.entries(wsgiServers)) await begin(server, command, one.app);
    if (one.asgi !== undefined) await begin("uvicorn (ASGI)", uvicorn, one.asgi);
    console.log(table(await interleave(variants, { rounds, warmUp: 2 }), "µs"));
    for (const { name: title } of variants) {
      console.log(`${title}: ${Math.round(median(perSecond.get(title) ?? []))} requests/s`);
    }
    console.log(`first answer after the start: ${first.join(", ")}\n`);
  }
} finally {
  stage.end();
}
