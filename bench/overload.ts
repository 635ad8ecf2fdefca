// Goodput under overload: requests that come at a fixed rate, whatever becomes of those before (open loop), with and without
// a limit. Good is an answer 200 within the patience of the client. Also: how connections spread over workers.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const [secondsText = "6", roundsText = "3"] = process.argv.slice(2);
const SECONDS = Number(secondsText);
const ROUNDS = Number(roundsText);
const PATIENCE_MS = 500;
/** Places of the resource that the app uses, 20 ms each; the gateway lets in half as many more, so that none is idle. */
const PLACES = 4;
const LIMIT = 6;

const command = join(import.meta.dirname, "../packages/cli/bin/gw.js");

interface Gateway {
  readonly port: number;
  stop(): Promise<void>;
}

async function gatewayWith(workers: number, words: readonly string[] = []): Promise<Gateway> {
  const call = [command, "serve", "overload-app.mjs", "-p", "0", "-w", String(workers), "--no-access-log", ...words];
  const env = { ...process.env, PLACES: String(PLACES) };
  const child: ChildProcessWithoutNullStreams = spawn(process.execPath, call, { cwd: import.meta.dirname, env });
  const port = await new Promise<number>((done, fail) => {
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      const found = /listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(said);
      if (found !== null) done(Number(found[1]));
    });
    child.on("exit", () => fail(new Error(said)));
  });
  return {
    port,
    async stop() {
      child.kill("SIGTERM");
      child.kill("SIGTERM");
      await once(child, "exit");
    },
  };
}

interface Answer {
  readonly status: number;
  readonly ms: number;
  readonly text: string;
}

function ask(port: number, agent: Agent | false): Promise<Answer> {
  const begun = performance.now();
  return new Promise((done) => {
    const end = (status: number, text = ""): void => done({ status, ms: performance.now() - begun, text });
    const sent = request({ port, host: "127.0.0.1", agent, timeout: 10 * PATIENCE_MS }, (answer) => {
      let text = "";
      answer.on("data", (chunk: Buffer) => {
        text += chunk.toString();
      });
      answer.on("end", () => end(answer.statusCode as number, text.trim()));
      answer.on("error", () => end(0));
    });
    sent.on("timeout", () => sent.destroy());
    sent.on("error", () => end(0)).end();
  });
}

/** Requests per second that come back in time, of so many per second that are sent. */
async function goodput(port: number, perSecond: number): Promise<{ good: number; refused: number; late: number }> {
  const agent = new Agent({ keepAlive: true, maxSockets: 4_000 });
  const asked: Promise<Answer>[] = [];
  const begun = performance.now();
  for (let sent = 0; performance.now() - begun < SECONDS * 1_000; await pause(5)) {
    for (const due = ((performance.now() - begun) / 1_000) * perSecond; sent < due; sent++)
      asked.push(ask(port, agent));
  }
  const answers = await Promise.all(asked);
  agent.destroy();
  const good = answers.filter(({ status, ms }) => status === 200 && ms <= PATIENCE_MS).length;
  const refused = answers.filter(({ status }) => status === 503).length;
  return { good: good / SECONDS, refused: refused / SECONDS, late: (answers.length - good - refused) / SECONDS };
}

/** What the gateway serves when as many clients ask as it has places, one request after the other. */
async function capacity(port: number): Promise<number> {
  const agent = new Agent({ keepAlive: true });
  const end = performance.now() + 2_000;
  let served = 0;
  const client = async (): Promise<void> => {
    while (performance.now() < end) if ((await ask(port, agent)).status === 200) served++;
  };
  await Promise.all(Array.from({ length: 4 * PLACES }, client));
  agent.destroy();
  return served / 2;
}

const middle = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] as number;

async function measureGoodput(): Promise<void> {
  const limits = [
    "--limit-concurrency",
    String(LIMIT),
    "--limit-queue",
    String(4 * PLACES),
    "--queue-timeout",
    "400ms",
  ];
  const kinds = { "no limit": [], limit: limits } as const;
  const found = new Map<string, { good: number; refused: number; late: number }[]>();
  const capacities: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    for (const [kind, words] of Object.entries(kinds)) {
      for (const times of [1, 2, 3]) {
        const gateway = await gatewayWith(1, words);
        const most = await capacity(gateway.port);
        capacities.push(most);
        const key = `${kind}, ${times} ×`;
        found.set(key, [...(found.get(key) ?? []), await goodput(gateway.port, times * (PLACES * 50))]);
        await gateway.stop();
      }
    }
  }
  console.log(
    `closed loop: ${Math.round(middle(capacities))}/s; nominal capacity ${PLACES * 50}/s; ${ROUNDS} rounds of ${SECONDS} s\n`,
  );
  console.log("| offered | good answers/s | 503/s | late or cut/s |\n|---|---:|---:|---:|");
  for (const [key, rows] of found) {
    const [good, refused, late] = (["good", "refused", "late"] as const).map((name) =>
      Math.round(middle(rows.map((row) => row[name]))),
    );
    console.log(`| ${key} | ${good} | ${refused} | ${late} |`);
  }
}

/** How many connections each worker has, of so many that are opened one by one or all at once. */
async function measureSpread(count: number, isBurst: boolean): Promise<string> {
  const gateway = await gatewayWith(2);
  const agents: Agent[] = [];
  const connected = async (): Promise<string> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    agents.push(agent);
    return (await ask(gateway.port, agent)).text;
  };
  const pids: string[] = [];
  if (isBurst) pids.push(...(await Promise.all(Array.from({ length: count }, connected))));
  else for (let at = 0; at < count; at++) pids.push(await connected());
  for (const agent of agents) agent.destroy();
  await gateway.stop();
  const shares = new Map<string, number>();
  for (const pid of pids) shares.set(pid, (shares.get(pid) ?? 0) + 1);
  return [...shares.values()].sort((a, b) => b - a).join(" : ");
}

if (ROUNDS > 0) await measureGoodput();
console.log("\n| kept connections over two workers | round 1 | round 2 | round 3 |\n|---|---:|---:|---:|");
for (const [name, isBurst] of [
  ["200, one after the other", false],
  ["200 at once", true],
] as const) {
  const rounds = [];
  for (let round = 0; round < 3; round++) rounds.push(await measureSpread(200, isBurst));
  console.log(`| ${name} | ${rounds.join(" | ")} |`);
}
