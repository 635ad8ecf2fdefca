// CPU of a server process per echoed WebSocket message of 16 bytes, next to bare `ws`, in interleaved rounds.
//
//   node bench/websocket.ts [rounds] [messages]
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { cpuSeconds } from "./load.ts";
import { interleave, table, type Variant } from "./rounds.ts";

const rounds = Number(process.argv[2] ?? 7);
const messages = Number(process.argv[3] ?? 50_000);
const SOCKETS = 64;
const OPENING = Buffer.from(
  "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
);
/** A masked text frame of 16 bytes (mask 0), and what comes back. */
const FRAME = Buffer.concat([Buffer.from([0x81, 0x90, 0, 0, 0, 0]), Buffer.from("0123456789abcdef")]);
const ECHO_BYTES = 18;

const children: ChildProcess[] = [];

async function echo(port: number): Promise<void> {
  let left = messages;
  await Promise.all(
    Array.from({ length: SOCKETS }, async () => {
      const socket = connect(port, "127.0.0.1").setNoDelay(true);
      socket.write(OPENING);
      await once(socket, "data");
      await new Promise<void>((resolve, reject) => {
        let received = 0;
        const next = (): void => {
          if (left-- <= 0) return resolve();
          socket.write(FRAME);
        };
        socket.on("data", (chunk) => {
          received += chunk.length;
          if (received < ECHO_BYTES) return;
          received -= ECHO_BYTES;
          next();
        });
        socket.on("error", reject);
        next();
      });
      socket.destroy();
    }),
  );
}

async function variant(name: string): Promise<Variant> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "websocket-server.ts"), name], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  const [line] = (await once(child.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
  return {
    name,
    async measure() {
      const before = cpuSeconds(child.pid as number);
      await echo(Number(line.toString()));
      return ((cpuSeconds(child.pid as number) - before) / messages) * 1e6;
    },
  };
}

try {
  const variants = [await variant("ws"), await variant("gw"), await variant("gw, ASGI shape")];
  console.log(
    `node ${process.versions.node}, ${rounds} rounds of ${messages} messages over ${SOCKETS} sockets, CPU µs of the server per message\n`,
  );
  console.log(table(await interleave(variants, { rounds, warmUp: 2 }), "µs"));
} finally {
  for (const child of children) child.kill();
}
