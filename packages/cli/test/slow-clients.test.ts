// R-H6, R-O10: slow clients over real sockets, while others are served: heads that drip, bodies that drip, answers that nobody reads.
import { readdirSync, readlinkSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { connect, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import type { GatewayStatus } from "../src/admin/control.ts";
import { type Folder, folderWith, gw, type Server, serving } from "./gw.ts";

const BIG_BYTES = 100_000_000;
const app = `import { readBytes, text } from "@gw/core";
const part = new Uint8Array(1_000_000);
async function* big() { for (let sent = 0; sent < ${BIG_BYTES}; sent += part.length) yield part; }
export default async (request) => {
  if (request.path === "/big") return { ...text(""), body: big() };
  if (request.method === "POST") return text(String((await readBytes(request)).length));
  return text("ok");
};
`;

const times = ["--header-timeout", "1s", "--timeout", "1s", "--write-timeout", "1s"];
const limits = ["--limit-concurrency", "8", "--limit-queue", "100", "--queue-timeout", "60s"];
const LIMIT = 8;

/** A client that sends its first bytes at once, then one after the other; what it got when its connection was closed. */
function dripping(server: Server, first: string): Promise<string> {
  return new Promise((done) => {
    const socket = opened(server);
    let got = "";
    socket.write(first);
    const drip = setInterval(() => socket.write("x"), 50);
    socket.setEncoding("latin1").on("data", (text: string) => {
      got += text;
    });
    socket.on("close", () => {
      clearInterval(drip);
      done(got);
    });
  });
}

function opened(server: Server): Socket {
  const socket = connect(Number(new URL(server.urls[0] as string).port), "127.0.0.1");
  socket.on("error", () => {}); // "close" follows
  onTestFinished(() => void socket.destroy());
  return socket;
}

/** Bytes that a client gets which reads only when the gateway has given it up. */
async function unread(server: Server, givenUp: Promise<void>): Promise<number> {
  const socket = opened(server).pause();
  socket.write("GET /big HTTP/1.1\r\nHost: h\r\n\r\n");
  await givenUp;
  let bytes = 0;
  socket.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
  });
  await new Promise((done) => socket.once("close", done).resume());
  return bytes;
}

function statusOf(server: Server, path: string): Promise<number | string> {
  return new Promise((done) => {
    const request = httpRequest(`${server.urls[0]}${path}`, { agent: false }, (answer) => {
      answer.resume().on("end", () => done(answer.statusCode as number));
    });
    request.on("error", (error: NodeJS.ErrnoException) => done(error.code ?? error.message)).end();
  });
}

async function gatewayStatus(folder: Folder): Promise<GatewayStatus> {
  return JSON.parse((await gw(folder, ["ctl", "status", "-j", "--admin", "unix:admin.sock"])).stdout);
}

/** Sockets that the workers of a gateway have open. */
function socketsOf({ workers }: GatewayStatus): number {
  const targets = workers.flatMap(({ pid }) =>
    readdirSync(`/proc/${pid}/fd`).map((fd) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${fd}`);
      } catch {
        return ""; // closed meanwhile
      }
    }),
  );
  return targets.filter((target) => target.startsWith("socket:")).length;
}

test("R-H6, R-O10: slow heads, bodies and readers are cut off while all others are served, and nothing of them stays", async () => {
  const folder = folderWith({ "app.mjs": app });
  const words = ["serve", "app.mjs", "-p", "0", "-w", "2", "--no-access-log", "--admin", "unix:admin.sock"];
  const server = await serving(folder, [...words, ...times, ...limits]);
  expect(await statusOf(server, "/")).toBe(200);
  const before = await gatewayStatus(folder);
  const sockets = socketsOf(before);

  let giveUp = (): void => {};
  const givenUp = new Promise<void>((done) => {
    giveUp = done;
  });
  const heads = Array.from({ length: 20 }, () => dripping(server, "GET / HTTP/1.1\r\nHost: h\r\nX: "));
  const bodies = Array.from({ length: 3 }, () =>
    dripping(server, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9999\r\n\r\n"),
  );
  const statuses: (number | string)[] = [];
  let isDone = false;
  const others = Array.from({ length: LIMIT }, async () => {
    while (!isDone) {
      statuses.push(await statusOf(server, "/"));
      await pause(5);
    }
  });
  const readers = Array.from({ length: 3 }, () => unread(server, givenUp));

  for (const got of await Promise.all(heads)) expect(got).toMatch(/^HTTP\/1\.1 408 [^\r]*\r\n/);
  for (const got of await Promise.all(bodies)) expect(got).toMatch(/^HTTP\/1\.1 408 [^\r]*\r\n/);
  const served = statuses.length;
  expect(served).toBeGreaterThan(0);
  while (statuses.length < served + 20) await pause(10); // and they still are
  isDone = true;
  await Promise.all(others);
  expect(new Set(statuses)).toEqual(new Set([200]));
  while ((await gatewayStatus(folder)).limits[0]?.running !== 0) await pause(50);
  giveUp();
  for (const bytes of await Promise.all(readers)) {
    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThan(BIG_BYTES);
  }

  while (socketsOf(before) !== sockets) await pause(50);
  const after = await gatewayStatus(folder);
  expect(after.workers.map(({ pid }) => pid)).toEqual(before.workers.map(({ pid }) => pid));
  expect(after.limits).toMatchObject([{ running: 0, queued: 0, refused: 0 }]);
});
