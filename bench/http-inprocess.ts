// Cost of one request in this process, with a fake socket in place of the kernel: node:http alone, and gw on top of it.
//
//   node bench/http-inprocess.ts [rounds]

import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { Server as NetServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Duplex } from "node:stream";
import type { AppSource } from "@gw/core";
import { type RunningServer, serve } from "@gw/http";
import { asgi, plain, raw, sixAsyncLayers, sixLayers, wsgi } from "./apps.ts";
import { interleave, table, type Variant } from "./rounds.ts";

// Short rounds, and many: the least of them is what the code costs when nothing else has the machine.
const SOCKETS = 8;
const REQUESTS = 480;
const rounds = Number(process.argv[2] ?? 400);
const request = Buffer.from(
  [
    "GET /hello?name=world HTTP/1.1",
    "Host: localhost:8000",
    "User-Agent: bench",
    "Accept: */*",
    "Accept-Encoding: gzip, br",
    "Cookie: a=1; b=2",
    "",
    "",
  ].join("\r\n"),
);

/** A socket whose peer is this program: what is pushed is what the server reads, what it writes is counted. */
class FakeSocket extends Duplex {
  remoteAddress = "127.0.0.1";
  remotePort = 50_000;
  remoteFamily = "IPv4";
  localAddress = "127.0.0.1";
  localPort = 8_000;
  writes = 0;
  setTimeout(): this {
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
  destroySoon(): void {
    this.destroy();
  }
  override _read(): void {}
  override _write(_chunk: Buffer, _encoding: string, done: () => void): void {
    this.writes++;
    done();
  }
}

/** Connects sockets to a server and sends the requests, one per socket and turn of the loop; gives microseconds per request. */
function driver(server: NetServer): () => Promise<number> {
  const sockets = Array.from({ length: SOCKETS }, () => new FakeSocket());
  for (const socket of sockets) server.emit("connection", socket);
  const turns = REQUESTS / SOCKETS;
  return async () => {
    const before = sockets.map(({ writes }) => writes);
    const begun = process.hrtime.bigint();
    for (let turn = 0; turn < turns; turn++) {
      for (const socket of sockets) socket.push(request);
      await new Promise(setImmediate);
    }
    const nanoseconds = Number(process.hrtime.bigint() - begun);
    sockets.forEach(({ writes }, index) => {
      const made = writes - (before[index] as number);
      if (made !== turns) throw new Error(`${made} writes for ${turns} requests: each answer must leave in one`);
    });
    return nanoseconds / REQUESTS / 1_000;
  };
}

const folder = mkdtempSync(join(tmpdir(), "gw-bench-"));
const servers: RunningServer[] = [];

/** The net.Server behind `serve`: it says `listening` when it is ready. */
async function serverOf(name: string, app: AppSource): Promise<NetServer> {
  const emit = NetServer.prototype.emit;
  let found: NetServer | null = null;
  NetServer.prototype.emit = function (this: NetServer, event: string | symbol, ...rest: unknown[]): boolean {
    if (event === "listening") found = this;
    return (emit as (...given: unknown[]) => boolean).call(this, event, ...rest);
  } as typeof emit;
  const running = serve(app, { bind: `unix:${join(folder, name)}` });
  await running.ready;
  NetServer.prototype.emit = emit;
  servers.push(running);
  if (found === null) throw new Error("no server began to listen");
  return found;
}

const bare: Server = createServer(raw);
/** With the option that gw sets, which spares requests without a body the life cycle of streams (Node 24.9 on). */
const lean: Server = createServer({ optimizeEmptyRequests: true, keepAliveTimeout: 0 }, raw);
const apps: [string, AppSource][] = [
  ["plain handler", plain],
  ["six sync layers", sixLayers],
  ["six async layers", sixAsyncLayers],
  ["WSGI shape", wsgi],
  ["ASGI shape", asgi],
];
const variants: Variant[] = [
  { name: "node:http", measure: driver(bare) },
  { name: "node:http, tuned alike", measure: driver(lean) },
];
for (const [name, app] of apps) {
  variants.push({ name, measure: driver(await serverOf(name.replaceAll(" ", "-"), app)) });
}
console.log(`node ${process.versions.node}, ${rounds} rounds of ${REQUESTS} requests, µs per request\n`);
console.log(table(await interleave(variants, { rounds, warmUp: 30 }), "µs"));
rmSync(folder, { recursive: true, force: true });
process.exit(); // the fake sockets do not know how to close
