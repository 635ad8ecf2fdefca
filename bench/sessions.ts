// What a session adds to a request of somebody logged in, ours and of others: CPU of the server over TCP, in interleaved rounds.
//
//   RIVALS=./folder node bench/sessions.ts [rounds] [requests]
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cpuSeconds, load } from "./load.ts";
import { interleave, median, type Variant } from "./rounds.ts";

const rounds = Number(process.argv[2] ?? 5);
const requests = Number(process.argv[3] ?? 20_000);
const CONNECTIONS = 64;

/** Each after the server that it is compared with: the same one without a session. */
const families: Readonly<Record<string, readonly string[]>> = {
  "gw, plain": [
    "gw, session not touched",
    "gw, session read",
    "gw, session + cookies + formLogin + requireUser",
    "gw, sealed session read",
  ],
  ...(process.env.RIVALS !== undefined && {
    "fastify, plain": ["fastify, @fastify/session", "fastify, @fastify/secure-session"],
    "express, plain": ["express, express-session"],
    "hono, plain": ["hono, hono-sessions"],
  }),
};
const packages = [
  "fastify",
  "@fastify/session",
  "@fastify/secure-session",
  "express",
  "express-session",
  "hono",
  "hono-sessions",
];

const children: ChildProcess[] = [];

async function variant(name: string): Promise<Variant> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "session-server.ts"), name], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, NODE_ENV: "production" },
  });
  children.push(child);
  const [line] = (await once(child.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
  const port = Number(line.toString());
  const headers = await cookieOf(name, port);
  return {
    name,
    async measure() {
      const before = cpuSeconds(child.pid as number);
      await load({ port, connections: CONNECTIONS, requests, headers });
      return ((cpuSeconds(child.pid as number) - before) / requests) * 1e6;
    },
  };
}

/** Logs in, and makes sure that the session is there afterwards. */
async function cookieOf(name: string, port: number): Promise<readonly string[]> {
  const login = await fetch(`http://127.0.0.1:${port}/login`);
  const cookie = login.headers.getSetCookie().map((line) => line.split(";", 1)[0]);
  const headers = cookie.length === 0 ? [] : [`Cookie: theme=dark; ${cookie.join("; ")}`];
  const seen = await fetch(`http://127.0.0.1:${port}/hello`, { headers: { Cookie: cookie.join("; ") } });
  const body = await seen.text();
  if (body !== "Hello, World!\n") throw new Error(`${name} does not know its session: ${body}`);
  return headers;
}

function versions(): string {
  const folder = process.env.RIVALS;
  if (folder === undefined) return "";
  const versionOf = (name: string): string =>
    (JSON.parse(readFileSync(join(folder, "node_modules", name, "package.json"), "utf8")) as { version: string })
      .version;
  return `${packages.map((name) => `${name} ${versionOf(name)}`).join(", ")}\n`;
}

try {
  const variants: Variant[] = [];
  for (const [plain, others] of Object.entries(families)) {
    for (const name of [plain, ...others]) variants.push(await variant(name));
  }
  const measured = new Map(
    (await interleave(variants, { rounds, warmUp: 2 })).map(({ name, values }) => [name, values]),
  );
  const valuesOf = (name: string): readonly number[] => measured.get(name) ?? [];
  console.log(`node ${process.versions.node}, ${rounds} rounds of ${requests} requests, ${CONNECTIONS} connections`);
  console.log(versions());
  console.log("| CPU µs of the server per request | least | median | added, least | added, median |");
  console.log("|---|---:|---:|---:|---:|");
  for (const [plain, others] of Object.entries(families)) {
    const base = valuesOf(plain);
    for (const name of [plain, ...others]) {
      const [least, middle] = [Math.min(...valuesOf(name)), median(valuesOf(name))];
      const added =
        name === plain ? ["", ""] : [least - Math.min(...base), middle - median(base)].map((us) => us.toFixed(1));
      console.log(`| ${[name, least.toFixed(1), middle.toFixed(1), ...added].join(" | ")} |`);
    }
  }
} finally {
  for (const child of children) child.kill();
}
