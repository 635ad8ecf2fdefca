// The conformance list's groups 12 and 13: permessage-deflate (RFC 7692), where it is switched on.
import { HeaderList, type WebSocketAccept } from "@gw/core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type RunningServer, serve } from "../src/index.ts";
import { closeCode } from "./websocket-cases/case.ts";
import { Compressor, Decompressor, readAgreement } from "./websocket-cases/deflate.ts";
import { BINARY, CLOSE, CONTINUATION, closePayload, maskedFrame, TEXT } from "./websocket-cases/frames.ts";
import { type OpenWire, overHttp1, overHttp2, type Wire } from "./websocket-cases/wire.ts";

/** Messages per case: the published list sends 1,000. */
const count = Math.ceil(1_000 * Number(process.env.GW_SOAK ?? 0.002));

const echo: WebSocketAccept = {
  kind: "accept",
  subprotocol: null,
  headers: HeaderList.empty,
  async run(peer) {
    for await (const message of peer) await peer.send(message.isText ? message.text() : message.bytes);
  },
};

/** Message sizes, and sizes of fragments; 0: whole. */
const SIZES: readonly (readonly [bytes: number, fragmentBytes: number])[] = [
  ...[16, 64, 256, 1_024, 4_096, 8_192, 16_384, 32_768, 65_536, 131_072].map((bytes) => [bytes, 0] as const),
  ...[8_192, 16_384, 32_768, 65_536, 131_072].map((bytes) => [bytes, 256] as const),
  ...[1_024, 4_096, 32_768].map((fragment) => [131_072, fragment] as const),
];

/** What is sent, from what compresses well to what does not. */
const DATA: readonly (readonly [about: string, opcode: number, make: (bytes: number) => Buffer])[] = [
  ["JSON", TEXT, (bytes) => repeated((at) => `{"id":${at},"name":"user ${at % 7}","tags":["a","b"]},`, bytes)],
  ["a grey picture", BINARY, (bytes) => Buffer.from(Uint8Array.from({ length: bytes }, (_, at) => (at * at) >> 9))],
  ["words", BINARY, (bytes) => repeated((at) => WORDS[noise(at) % WORDS.length] as string, bytes)],
  [
    "markup",
    TEXT,
    (bytes) => repeated((at) => `<li class="row-${at % 2}"><a href="/items/${at}">${at}</a></li>`, bytes),
  ],
  ["noise", BINARY, (bytes) => Buffer.from(Uint8Array.from({ length: bytes }, (_, at) => noise(at)))],
];

const WORDS = ["alles ", "Leben ", "und ", "der ", "Geist ", "verneint ", "stets ", "was ", "entsteht "];

function repeated(part: (at: number) => string, bytes: number): Buffer {
  let text = "";
  for (let at = 0; text.length < bytes; at++) text += part(at);
  return Buffer.from(text.slice(0, bytes));
}

/** A number that looks random and is always the same. */
function noise(at: number): number {
  let value = Math.imul(at + 1, 0x9e3779b1);
  value = Math.imul(value ^ (value >>> 15), 0x85ebca77);
  return (value ^ (value >>> 13)) & 0xff;
}

const OFFER = "permessage-deflate; client_no_context_takeover; client_max_window_bits";
/** 13.1 to 13.7: offers, and what the answer must hold. */
const OFFERS: readonly (readonly [offer: string, answer: readonly string[]])[] = [
  [OFFER, []],
  [`${OFFER}; server_no_context_takeover`, ["server_no_context_takeover"]],
  [`${OFFER}; server_max_window_bits=9`, ["server_max_window_bits=9"]],
  [`${OFFER}; server_max_window_bits=15`, ["server_max_window_bits=15"]],
  [
    `${OFFER}; server_no_context_takeover; server_max_window_bits=9`,
    ["server_no_context_takeover", "server_max_window_bits=9"],
  ],
  [
    `${OFFER}; server_no_context_takeover; server_max_window_bits=15`,
    ["server_no_context_takeover", "server_max_window_bits=15"],
  ],
  [
    `${OFFER}; server_no_context_takeover; server_max_window_bits=9, ${OFFER}; server_no_context_takeover, ${OFFER}`,
    ["server_no_context_takeover"],
  ],
];

/** Sends compressed messages one after the other, and reads each back. */
async function converse(
  wire: Wire,
  opcode: number,
  make: (at: number) => Buffer,
  fragmentBytes: number,
): Promise<number> {
  const agreement = readAgreement(wire.extensions);
  const [compressor, decompressor] = [new Compressor(agreement), new Decompressor(agreement)];
  let compressed = 0;
  for (let at = 0; at < count; at++) {
    const message = make(at);
    const bytes = compressor.compress(message);
    const step = fragmentBytes === 0 ? bytes.length : fragmentBytes;
    for (let from = 0; from < bytes.length; from += step) {
      const isFirst = from === 0;
      const payload = bytes.subarray(from, from + step);
      const frame = {
        opcode: isFirst ? opcode : CONTINUATION,
        payload,
        isFinal: from + step >= bytes.length,
        reserved: isFirst ? 4 : 0,
      };
      await wire.write(maskedFrame(frame));
    }
    await wire.until((frames) => frames.length > at);
    const reply = wire.frames[at];
    if (reply === undefined) throw new Error("the server has ended the connection");
    expect([reply.opcode, reply.isFinal]).toEqual([opcode, true]);
    const isCompressed = reply.reserved === 4;
    compressed += Number(isCompressed);
    expect((isCompressed ? decompressor.decompress(reply.payload) : reply.payload).equals(message)).toBe(true);
  }
  return compressed;
}

async function close(wire: Wire): Promise<void> {
  await wire.write(maskedFrame({ opcode: CLOSE, payload: closePayload(1000) }));
  await wire.until(() => false);
  expect(closeCode(wire.frames)).toBe(1000);
}

const carriers: readonly [carrier: string, http: 1 | 2, open: OpenWire][] = [
  ["HTTP/1.1", 1, overHttp1],
  ["HTTP/2", 2, overHttp2],
];

describe.each(carriers)("R-H13, R-H15: compressed WebSockets over %s", (_, http, open) => {
  let server: RunningServer;
  let wire: Wire | null = null;

  beforeAll(async () => {
    const webSocket = { compression: true, maxMessageBytes: 200_000, closeTimeoutMs: 2_000 };
    server = serve(() => echo, { bind: "127.0.0.1:0", http, idleGraceMs: 0, webSocket });
    await server.ready;
  });
  afterEach(() => wire?.destroy());
  afterAll(() => server.close());

  test.each(
    DATA.flatMap(([about, opcode, make], kind) =>
      SIZES.map(([bytes, fragment], at) => [`12.${kind + 1}.${at + 1}`, about, bytes, fragment, opcode, make] as const),
    ),
  )("%s %s, %i bytes in fragments of %i", async (_id, _about, bytes, fragment, opcode, make) => {
    wire = await open(server, OFFER);
    const compressed = await converse(wire, opcode, () => make(bytes), fragment);
    expect(compressed).toBe(count);
    await close(wire);
  });

  test.each(
    OFFERS.flatMap(([offer, answer], at) =>
      SIZES.map(([bytes, fragment], size) => [`13.${at + 1}.${size + 1}`, bytes, fragment, offer, answer] as const),
    ),
  )("%s %i bytes in fragments of %i, offered %s", async (_id, bytes, fragment, offer, answer) => {
    wire = await open(server, offer);
    for (const parameter of answer) expect(wire.extensions).toContain(parameter);
    const [, opcode, make] = DATA[0] as (typeof DATA)[number];
    const compressed = await converse(wire, opcode, (at) => make(bytes + at).subarray(at), fragment);
    // Alone, a small message grows when it is compressed.
    expect(compressed).toBe(bytes >= 1_024 || readAgreement(wire.extensions).serverTakesOver ? count : 0);
    await close(wire);
  });

  test("R-H15: a small message that inflates past the limit closes with 1009", async () => {
    wire = await open(server, OFFER);
    const bomb = new Compressor(readAgreement(wire.extensions)).compress(Buffer.alloc(200_001));
    expect(bomb.length).toBeLessThan(1_000);
    await wire.write(maskedFrame({ opcode: BINARY, payload: bomb, reserved: 4 }));
    await wire.until(() => false);
    expect(closeCode(wire.frames)).toBe(1009);
  });

  test("what cannot be inflated closes with 1007, a compressed ping with 1002", async () => {
    wire = await open(server, OFFER);
    await wire.write(maskedFrame({ opcode: TEXT, payload: "\xff\xff\xff\xff", reserved: 4 }));
    await wire.until(() => false);
    expect(closeCode(wire.frames)).toBe(1007);
    wire.destroy();
    wire = await open(server, OFFER);
    await wire.write(maskedFrame({ opcode: 9, payload: "x", reserved: 4 }));
    await wire.until(() => false);
    expect(closeCode(wire.frames)).toBe(1002);
  });

  test("a client that offers nothing gets nothing compressed", async () => {
    wire = await open(server);
    expect(wire.extensions).toBe(null);
    const message = Buffer.alloc(5_000, "x");
    await wire.write(maskedFrame({ opcode: TEXT, payload: message }));
    await wire.until((frames) => frames.length > 0);
    expect(wire.frames[0]).toEqual({ opcode: TEXT, isFinal: true, reserved: 0, payload: message });
    await close(wire);
  });
});

test("R-H15: compression is off unless it is asked for", async () => {
  const server = serve(() => echo, { bind: "127.0.0.1:0", idleGraceMs: 0 });
  await server.ready;
  const wire = await overHttp1(server, OFFER);
  expect(wire.extensions).toBe(null);
  await close(wire);
  wire.destroy();
  await server.close();
});
