// R-C20: thousands of runs, good and bad, leave nothing behind. GW_SOAK is the number of runs; docs/proof/cgi-soak.md shows a whole one.
import { readdirSync, readFileSync } from "node:fs";
import { type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { fileSpool } from "@gw/core/node";
import { requires } from "@gw-private/requires";
import { expect } from "vitest";
import { BrokerLauncher } from "../src/broker/spawner.ts";
import { type CgiProgramOptions, cgiProgram, inProcessLauncher, type Launcher } from "../src/index.ts";
import { childrenOf, isAlive, openDescriptors } from "./processes.ts";
import { shellProgram, temporaryDirectory } from "./programs.ts";
import { serveApp } from "./serve.ts";

const RUNS = Number(process.env.GW_SOAK ?? 300);
const AT_ONCE = 5;
const HEAD = String.raw`printf 'Content-Type: text/plain\n\n'`;
const spoolDirectory = temporaryDirectory();

/** One kind of run: asks, and says what came of it. */
interface Kind {
  readonly expected: string;
  readonly ask: () => Promise<string>;
}

async function openKinds(launcher: Launcher): Promise<readonly Kind[]> {
  const serve = async (script: string, options: Partial<CgiProgramOptions> = {}): Promise<number> => {
    const spool = fileSpool({ directory: spoolDirectory });
    const app = cgiProgram({ launcher, spool, stopTimeoutMs: 20, command: shellProgram(script), ...options });
    return (await serveApp(app)).port;
  };
  const echo = await serve(`${HEAD}; cat`);
  const deaf = await serve(`${HEAD}; echo fine`);
  const failing = await serve(`${HEAD}; echo half; echo trouble >&2; kill -KILL $$`);
  const hanging = await serve("sleep 60 & sleep 60", { headerTimeoutMs: 20 });
  const missing = await serve("", { command: "/no/such/program" });
  const stopping = await serve(`${HEAD}; echo start; sleep 60`);
  const body = Buffer.alloc(100_000, "x");
  const inTwo = (client: ClientRequest): void => {
    client.write(body);
    client.end(body);
  };
  return [
    { expected: "200, 100000 bytes", ask: () => ask(echo, (client) => client.end(body)) },
    // Of unknown length: it goes through the spool.
    { expected: "200, 200000 bytes", ask: () => ask(echo, inTwo) },
    { expected: "200, 5 bytes", ask: () => ask(deaf, (client) => client.end(body)) },
    { expected: "200, cut", ask: () => ask(failing, (client) => client.end("x")) },
    { expected: "504, 20 bytes", ask: () => ask(hanging, (client) => client.end()) },
    { expected: "502, 16 bytes", ask: () => ask(missing, (client) => client.end()) },
    { expected: "200, left", ask: () => ask(stopping, (client) => client.end(), { leaves: true }) },
  ];
}

/** One request on a connection of its own. */
function ask(port: number, send: (client: ClientRequest) => void, { leaves = false } = {}): Promise<string> {
  return new Promise((done, fail) => {
    const client = httpRequest({ host: "127.0.0.1", port, method: "POST", agent: false }, (answer: IncomingMessage) => {
      let bytes = 0;
      answer.on("error", () => {});
      answer.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (leaves) client.destroy();
      });
      const came = (): string => (leaves ? "left" : answer.complete ? `${bytes} bytes` : "cut");
      answer.on("close", () => done(`${answer.statusCode}, ${came()}`));
    });
    client.on("error", fail);
    send(client);
  });
}

/** Ours and those of our brokers: processes, zombies among them, descriptors, memory of the broker, files of the spool. */
function figures(): Record<string, number> {
  const brokers = childrenOf(process.pid).flatMap((pid) => [pid, ...childrenOf(pid)]);
  const below = [...new Set([...brokers, ...brokers.flatMap(childrenOf)])];
  return {
    processes: below.length,
    zombies: below.filter((pid) => !isAlive(pid)).length,
    descriptors: openDescriptors().length,
    brokerDescriptors: sum(brokers.map(descriptorsOf)),
    brokerMegabytes: Math.round(sum(brokers.map(kilobytesOf)) / 1_024),
    spoolFiles: readdirSync(spoolDirectory).length,
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);

function descriptorsOf(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0; // it has ended
  }
}

function kilobytesOf(pid: number): number {
  try {
    return Number(/^RssAnon:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

for (const spawner of ["python", "node", "inprocess"] as const) {
  requires("/proc/self/fd")(
    `R-C20: ${RUNS} runs started by ${spawner} leave no process, no zombie, no descriptor and no file behind`,
    async () => {
      const kinds = await openKinds(spawner === "inprocess" ? inProcessLauncher : new BrokerLauncher(spawner));
      const counts = new Map<string, number>();
      const worker = async (first: number, times: number): Promise<void> => {
        for (let at = first; at < first + times; at++) {
          const { ask, expected } = kinds[at % kinds.length] as Kind;
          const came = await ask();
          expect(came).toBe(expected);
          counts.set(came, (counts.get(came) ?? 0) + 1);
        }
      };
      await Promise.all(kinds.map((_, at) => worker(at, 7))); // everything is loaded, every pool filled
      await expect.poll(() => figures().zombies, { timeout: 5_000 }).toBe(0);
      const before = figures();
      const startedAt = performance.now();
      await Promise.all(Array.from({ length: AT_ONCE }, (_, at) => worker(at, Math.ceil(RUNS / AT_ONCE))));
      const seconds = Math.round((performance.now() - startedAt) / 1_000);
      // Programs that were told to end may take their grace time.
      for (const what of ["processes", "descriptors", "brokerDescriptors"]) {
        await expect.poll(() => figures()[what], { timeout: 5_000 }).toBeLessThanOrEqual(before[what] ?? 0);
      }
      await expect.poll(() => figures().zombies, { timeout: 5_000 }).toBe(0); // one that has just ended is one for a moment
      const after = figures();
      expect(after).toMatchObject({ zombies: 0, spoolFiles: 0 });
      // Node collects its garbage late, up to the 64 MB its helper is given.
      expect(after.brokerMegabytes).toBeLessThanOrEqual((before.brokerMegabytes ?? 0) + (spawner === "node" ? 64 : 5));
      if (process.env.GW_SOAK !== undefined) {
        console.log(JSON.stringify({ spawner, seconds, before, after, came: Object.fromEntries(counts) }));
      }
    },
    20_000 + RUNS * 60,
  );
}
