// ASGI servers side by side: CPU of all processes per request or message, and how many per second, in interleaved rounds.
//
//   PYTHON=./venv/bin/python node bench/asgi.ts [rounds] [scale] [cases, such as raw,fastapi] [servers, such as gw,uvicorn]
//
// The interpreter needs fastapi, uvicorn, uvloop, httptools, websockets, hypercorn, granian, gunicorn and uvicorn-worker.
import { once } from "node:events";
import { connect } from "node:net";
import { dirname, join, resolve } from "node:path";
import { load } from "./load.ts";
import { freePort, Stage } from "./processes.ts";
import { interleave, median, table, type Variant } from "./rounds.ts";

const rounds = Number(process.argv[2] ?? 5);
const scale = Number(process.argv[3] ?? 1);
const python = resolve(process.env.PYTHON ?? "python3");
const bin = dirname(python);
const gw = join(import.meta.dirname, "../packages/cli/bin/gw.js");
const cwd = join(import.meta.dirname, "python-apps");

/** A case: the app's name in raw.py, whether it is a factory, and how it is driven. */
interface Bench {
  readonly app: string;
  readonly isFactory: boolean;
  readonly count: number;
  /** What a server gets before anything is measured: V8 compiles a path late, and the first thousands cost twice. */
  readonly warmUp: number;
  readonly drive: (port: number, count: number) => Promise<number>;
}

const get = (connections: number) => (port: number, requests: number) => load({ port, connections, requests });
const benches: Readonly<Record<string, Bench>> = {
  raw: { app: "asgi", isFactory: false, count: 10_000, warmUp: 30_000, drive: get(64) },
  fastapi: { app: "fastapi", isFactory: true, count: 5_000, warmUp: 10_000, drive: get(64) },
  large: { app: "large", isFactory: false, count: 500, warmUp: 500, drive: drain },
  upload: { app: "received", isFactory: false, count: 40, warmUp: 40, drive: upload },
  websocket: { app: "sockets", isFactory: true, count: 20_000, warmUp: 40_000, drive: echo },
};
const wanted = process.argv[4]?.split(",") ?? Object.keys(benches);
/** Beginnings of the servers' names. */
const compared = process.argv[5]?.split(",") ?? [""];

type Server = (port: string, bench: Bench) => string[];

const uvicorn =
  (workers: number): Server =>
  (port, { app, isFactory }) => {
    const flags = ["--no-access-log", "--log-level", "error", "--workers", String(workers), "--port", port];
    return [`${bin}/uvicorn`, ...flags, ...(isFactory ? ["--factory"] : []), `raw:${app}`];
  };
const call = ({ app, isFactory }: Bench): string => `raw:${app}${isFactory ? "()" : ""}`;

/** One gateway process before so many workers. */
const gateway =
  (workers: number): Server =>
  (port, bench) => {
    const target = `asgi:${call(bench)}?workers=${workers}&python=${python}`;
    return [process.execPath, gw, "serve", "-p", port, "--no-access-log", target];
  };

const servers: Readonly<Record<string, Server>> = {
  "gw, 1 Python worker": gateway(1),
  "gw, 2 Python workers": gateway(2),
  "uvicorn, 1 worker": uvicorn(1),
  "uvicorn, 2 workers": uvicorn(2),
  "hypercorn, 1 worker": (port, bench) => [`${bin}/hypercorn`, "-k", "uvloop", "-b", `127.0.0.1:${port}`, call(bench)],
  "granian, 1 worker": (port, { app, isFactory }) => {
    const flags = ["--interface", "asgi", "--port", port, "--no-access-log", "--log-level", "error"];
    return [`${bin}/granian`, ...flags, ...(isFactory ? ["--factory"] : []), `raw:${app}`];
  },
  "gunicorn, 1 worker of uvicorn's": (port, bench) => {
    const flags = ["-k", "uvicorn_worker.UvicornWorker", "-w", "1", "--log-level", "error"];
    return [`${bin}/gunicorn`, ...flags, "-b", `127.0.0.1:${port}`, call(bench)];
  },
};

/** Runs until `count` are done, `connections` at a time; gives seconds. */
async function each(count: number, connections: number, one: () => Promise<void>): Promise<number> {
  const started = performance.now();
  let left = count;
  const some = async (): Promise<void> => {
    while (left-- > 0) {
      try {
        await one();
      } catch {
        left++; // a server that closes connections under the hands of its clients has not answered
      }
    }
  };
  await Promise.all(Array.from({ length: connections }, some));
  return (performance.now() - started) / 1_000;
}

/** Answers of 1 MiB. */
function drain(port: number, count: number): Promise<number> {
  return each(count, 16, async () => {
    await (await fetch(`http://127.0.0.1:${port}/hello`)).arrayBuffer();
  });
}

/** Requests of 8 MiB. */
function upload(port: number, count: number): Promise<number> {
  const body = new Uint8Array(8 * 2 ** 20);
  return each(count, 8, async () => {
    const answer = await (await fetch(`http://127.0.0.1:${port}/hello`, { method: "POST", body })).text();
    if (answer !== String(body.length)) throw new Error(`not read whole: ${answer}`);
  });
}

const OPENING =
  "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
/** A masked text frame of 16 bytes (mask 0), and what comes back. */
const FRAME = Buffer.concat([Buffer.from([0x81, 0x90, 0, 0, 0, 0]), Buffer.from("0123456789abcdef")]);
const ECHO_BYTES = 18;

/** Messages over 64 sockets, one under way on each; gives seconds. */
async function echo(port: number, count: number): Promise<number> {
  const sockets = Array.from({ length: 64 }, () => connect(port, "127.0.0.1").setNoDelay(true));
  for (const socket of sockets) {
    socket.write(OPENING);
    await once(socket, "data");
  }
  const started = performance.now();
  let left = count;
  const talk = (socket: (typeof sockets)[number]): Promise<void> =>
    new Promise((done) => {
      let received = 0;
      const next = (): void => void (left-- > 0 ? socket.write(FRAME) : done());
      socket.on("data", (chunk) => {
        received += chunk.length;
        for (; received >= ECHO_BYTES; received -= ECHO_BYTES) next();
      });
      next();
    });
  await Promise.all(sockets.map(talk));
  for (const socket of sockets) socket.destroy();
  return (performance.now() - started) / 1_000;
}

async function isServed(port: number): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${port}/hello?name=world`).catch(() => null);
  await answer?.arrayBuffer();
  return answer?.ok ?? false;
}

const stage = new Stage();
const perSecond = new Map<string, number[]>();

/** Started and warmed up. */
async function variant(name: string, bench: Bench, server: Server): Promise<Variant> {
  const port = await freePort();
  const [program, ...words] = server(String(port), bench) as [string, ...string[]];
  const pid = stage.start(program, words, { cwd });
  for (let tries = 0; tries < 300 && !(await isServed(port)); tries++)
    await new Promise((done) => setTimeout(done, 100));
  await bench.drive(port, bench.warmUp);
  const rates: number[] = [];
  perSecond.set(name, rates);
  const count = Math.ceil(bench.count * scale);
  return {
    name,
    async measure() {
      const before = stage.time(pid);
      rates.push(count / (await bench.drive(port, count)));
      return ((stage.time(pid) - before) / count) * 1_000;
    },
  };
}

try {
  console.log(`node ${process.versions.node}, ${rounds} rounds`);
  for (const title of wanted) {
    const bench = benches[title] as Bench;
    const variants: Variant[] = [];
    if (title === "raw") {
      const app = join(import.meta.dirname, "asgi-app.ts:app");
      const serve: Server = (port) => [process.execPath, gw, "serve", "-p", port, "--no-access-log", app];
      variants.push(await variant("raw: gw, TypeScript, no Python", bench, serve));
    }
    for (const [name, server] of Object.entries(servers).filter(([name]) =>
      compared.some((one) => name.startsWith(one)),
    ))
      variants.push(await variant(`${title}: ${name}`, bench, server));
    console.log(`\n${table(await interleave(variants, { rounds, warmUp: 0 }), "µs")}`);
    for (const { name } of variants)
      console.log(`${name}: ${Math.round(median(perSecond.get(name) ?? []))} per second`);
  }
} finally {
  stage.end();
}
