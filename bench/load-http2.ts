// A small HTTP/2 load generator: one connection, many streams, frames made once, no parsing beyond their heads.
import { once } from "node:events";
import { connect } from "node:net";

/** What to send. */
export interface Http2LoadOptions {
  port: number;
  /** Streams at once. */
  streams: number;
  requests: number;
}

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");
const SETTINGS = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
const SETTINGS_ACK = Buffer.from([0, 0, 0, 4, 1, 0, 0, 0, 0]);
const DATA = 0;
const SETTINGS_TYPE = 4;
const RST_STREAM = 3;
const GOAWAY = 7;
const HEAD_BYTES = 9;

/** The header block every browser would send for the second time: all but the path is in the dynamic or static table. */
function headers(stream: number, first: boolean): Buffer {
  const literal = (text: string): Buffer => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);
  const named = (name: string, value: string): Buffer =>
    Buffer.concat([Buffer.from([0x40]), literal(name), literal(value)]);
  const block = first
    ? Buffer.concat([
        Buffer.from([0x82, 0x86, 0x44]), // :method GET, :scheme http, :path into the table
        literal("/hello?name=world"),
        Buffer.from([0x41]), // :authority into the table
        literal("localhost"),
        named("user-agent", "bench"),
        named("accept", "*/*"),
        named("accept-encoding", "gzip, br"),
      ])
    : Buffer.from([0x82, 0x86, 0xc2, 0xc1, 0xc0, 0xbf, 0xbe]);
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUIntBE(block.length, 0, 3);
  head.writeUInt8(1, 3); // HEADERS
  head.writeUInt8(5, 4); // END_STREAM, END_HEADERS
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, block]);
}

/** Sends the requests and waits for all answers; gives seconds. */
export async function loadHttp2({ port, streams, requests }: Http2LoadOptions): Promise<number> {
  const socket = connect(port, "127.0.0.1");
  socket.setNoDelay(true);
  await once(socket, "connect");
  socket.write(Buffer.concat([PREFACE, SETTINGS]));
  let sent = 0;
  let answered = 0;
  let windowUsed = 0;
  let rest: Buffer = Buffer.alloc(0);
  const begun = performance.now();
  await new Promise<void>((resolve, reject) => {
    const send = (count: number): void => {
      const frames: Buffer[] = [];
      for (; count > 0 && sent < requests; count--) {
        frames.push(headers(sent * 2 + 1, sent === 0));
        sent++;
      }
      if (frames.length > 0) socket.write(Buffer.concat(frames));
    };
    socket.on("data", (chunk) => {
      const bytes = rest.length === 0 ? (chunk as Buffer) : Buffer.concat([rest, chunk as Buffer]);
      let at = 0;
      let done = 0;
      while (bytes.length - at >= HEAD_BYTES) {
        const length = bytes.readUIntBE(at, 3);
        if (bytes.length - at < HEAD_BYTES + length) break;
        const type = bytes[at + 3];
        const flags = bytes[at + 4] as number;
        if (type === DATA) windowUsed += length;
        if ((type === DATA || type === 1) && (flags & 1) === 1) done++;
        if (type === SETTINGS_TYPE && flags === 0) socket.write(SETTINGS_ACK);
        if (type === RST_STREAM || type === GOAWAY) reject(new Error(`the server sent a frame of type ${type}`));
        at += HEAD_BYTES + length;
      }
      rest = bytes.subarray(at);
      if (windowUsed > 30_000) {
        const update = Buffer.from([0, 0, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        update.writeUInt32BE(windowUsed, HEAD_BYTES);
        socket.write(update);
        windowUsed = 0;
      }
      answered += done;
      if (answered >= requests) resolve();
      else send(done);
    });
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("the server closed the connection")));
    send(streams);
  });
  socket.removeAllListeners("close");
  socket.destroy();
  return (performance.now() - begun) / 1_000;
}
