// Bodies on their way through the gateway, between real sockets: memory that is given back was read by everybody who may read it.
import { createHash, randomBytes } from "node:crypto";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { request as requestTls } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type AppSource, createContext, gateway, HeaderList, layer, mapBody, silentLogger } from "@gw/core";
import { fastcgi, serveFastcgi } from "@gw/fastcgi";
import { proxy, type ServeOptions, serve } from "@gw/http";
import { pythonWsgi } from "@gw/wsgi";
import { requires } from "@gw-private/requires";
import { afterEach, describe, expect, test } from "vitest";
import { authority, first } from "../../packages/http/test/certificates.ts";

const BODY_BYTES = 3 * 2 ** 20 + 77;
const CLIENTS = 4;
/** Between two reads of a client that is slower than the gateway: what is under way has to wait in the system. */
const PAUSE_MS = 1;

const running: (() => unknown)[] = [];

afterEach(async () => {
  for (const stop of running.splice(0).reverse()) await stop();
});

async function listening(app: AppSource, options: ServeOptions = {}): Promise<string> {
  const server = serve(app, {
    ...options,
    bind: "127.0.0.1:0",
    gracefulTimeoutMs: 100,
    context: createContext({ log: silentLogger }),
  });
  running.push(() => server.close());
  await server.ready;
  return server.url;
}

/** What comes is what was sent, in the pieces it came in. */
const echo: AppSource = ({ body, headers }) => ({
  kind: "response",
  status: 200,
  headers: headers.filter((name) => name === "content-length").with("Content-Type", "application/octet-stream"),
  body,
});

async function overFastcgi(): Promise<AppSource> {
  const folder = mkdtempSync(join(tmpdir(), "gw-passing-"));
  running.push(() => rmSync(folder, { recursive: true }));
  const listen = `unix:${join(folder, "socket")}`;
  const server = serveFastcgi(echo, { listen, context: createContext({ log: silentLogger }) });
  running.push(() => server.close());
  await server.ready;
  return fastcgi({ address: listen });
}

const overHttp = async (): Promise<AppSource> => proxy({ target: await listening(echo) });

const overPython = async (): Promise<AppSource> =>
  pythonWsgi("echo:wsgi", { cwd: join(import.meta.dirname, "../python"), workers: 1, threads: 8 });

/** Sends a body and hashes what comes back, read slowly; `null` if it stops before the end. */
async function exchange(
  url: string,
  sent: Buffer,
  { stopsAt = Number.POSITIVE_INFINITY } = {},
): Promise<string | null> {
  const ask = url.startsWith("https:") ? requestTls : request;
  const outgoing = ask(`${url}/large/echo`, {
    ca: authority,
    method: "POST",
    headers: { "Content-Length": sent.length },
  });
  outgoing.end(sent);
  const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
  if (answer.statusCode !== 200) throw new Error(`${answer.statusCode}: ${await text(answer)}`);
  const hash = createHash("sha256");
  let received = 0;
  for await (const chunk of answer) {
    hash.update(chunk);
    received += chunk.length;
    if (received >= stopsAt) return null;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  expect(received).toBe(sent.length);
  return hash.digest("hex");
}

const digestOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** Several clients at once, and one that leaves in the middle. */
async function allComeBack(url: string): Promise<void> {
  const bodies = Array.from({ length: CLIENTS }, () => randomBytes(BODY_BYTES));
  const [, ...got] = await Promise.all([
    exchange(url, randomBytes(BODY_BYTES), { stopsAt: BODY_BYTES / 2 }),
    ...bodies.map((body) => exchange(url, body)),
  ]);
  expect(got).toEqual(bodies.map(digestOf));
}

const withPython = requires("python3");

describe.each([
  ["FastCGI", overFastcgi, test],
  ["a proxied server", overHttp, test],
  ["Python", overPython, withPython],
] as const)("through %s", (_, backend, run) => {
  run("R-F20: bodies of several clients come back as they were sent, at the pace of slow readers", async () => {
    const url = await listening(await backend());
    for (let round = 0; round < 2; round++) await allComeBack(url);
  });

  run("what a layer keeps of a request and of its answer stays what it was", async () => {
    const kept: Uint8Array[] = [];
    const keep = async function* (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      for await (const chunk of chunks) {
        kept.push(chunk);
        yield chunk;
      }
    };
    const keeper = layer({
      name: "keeper",
      onResponse: (answer) => (answer.kind === "response" ? mapBody(answer, keep) : answer),
    });
    const url = await listening(
      gateway()
        .use(keeper)
        .mount("/", await backend()),
    );
    const sent = randomBytes(BODY_BYTES);
    expect(await exchange(url, sent)).toBe(digestOf(sent));
    expect(digestOf(Buffer.concat(kept))).toBe(digestOf(sent));
  });
});

test("through TLS, bodies come back as they were sent", async () => {
  await allComeBack(await listening(await overFastcgi(), { tls: first, http: 1 }));
});

test("what an app keeps of a request's body stays what it was", async () => {
  const kept: Uint8Array[] = [];
  const url = await listening(async ({ body }) => {
    for await (const chunk of body) kept.push(chunk);
    return { kind: "response", status: 200, headers: HeaderList.fromWire([]), body: [...kept] };
  });
  const sent = randomBytes(BODY_BYTES);
  expect(await exchange(url, sent)).toBe(digestOf(sent));
  expect(digestOf(Buffer.concat(kept))).toBe(digestOf(sent));
});

test("what somebody else who listens to a request keeps of its body stays what it was", async () => {
  const kept: Uint8Array[] = [];
  const listen = (message: unknown): void => {
    (message as { request: IncomingMessage }).request.on("data", (chunk: Uint8Array) => kept.push(chunk));
  };
  const url = await listening(echo);
  subscribe("http.server.request.start", listen);
  running.push(() => unsubscribe("http.server.request.start", listen));
  const sent = randomBytes(BODY_BYTES);
  expect(await exchange(url, sent)).toBe(digestOf(sent));
  expect(digestOf(Buffer.concat(kept))).toBe(digestOf(sent));
});
