// The original Autobahn testsuite against our listener, over HTTP/1.1 and over HTTP/2:
//   node conformance/autobahn.ts "python2.7 /path/to/wstest" [cases, such as "1.*,2.*"]
//
// wstest (PyPI: autobahntestsuite 0.8.2) runs on Python 2.7 only and speaks HTTP/1.1 only, so this is no part of CI: the
// cases are ported in packages/http/test/websocket-conformance.test.ts. For HTTP/2 a bridge turns wstest's upgrade into
// an extended CONNECT (RFC 8441) and hands on every byte as it comes. Needs built packages.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { type ClientHttp2Session, connect } from "node:http2";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HeaderList, type WebSocketAccept } from "@gw/core";
import { type RunningServer, serve } from "@gw/http";

const [, , wstest = "wstest", cases = "*"] = process.argv;
const folder = mkdtempSync(join(tmpdir(), "gw-autobahn-"));

const echo: WebSocketAccept = {
  kind: "accept",
  subprotocol: null,
  headers: HeaderList.empty,
  async run(peer) {
    for await (const message of peer) await peer.send(message.isText ? message.text() : message.bytes);
  },
};

/** Compression only where it is tested: groups 1 to 10 say that reserved bits are errors. */
async function listen(http: 1 | 2, compression: boolean): Promise<RunningServer> {
  const webSocket = { compression, maxMessageBytes: 20_000_000, maxUnsentBytes: 64_000_000 };
  const server = serve(() => echo, { bind: "127.0.0.1:0", http, webSocket });
  await server.ready;
  return server;
}

/** Listens for HTTP/1.1 upgrades and hands them on as HTTP/2 streams. */
async function bridge(target: string): Promise<{ url: string; close(): void }> {
  const session = connect(target);
  await once(session, "remoteSettings");
  const server = createServer({ noDelay: true }, (socket) => void tunnel(socket, session));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = (): void => {
    server.close();
    session.destroy();
  };
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`, close };
}

async function tunnel(socket: Socket, session: ClientHttp2Session): Promise<void> {
  socket.on("error", () => {});
  let head = "";
  while (!head.endsWith("\r\n\r\n")) {
    const byte: Buffer | null = socket.read(1);
    if (byte === null) await once(socket, "readable");
    else head += byte.toString("latin1");
  }
  const field = (name: string): string | undefined => new RegExp(`^${name}: *(.*)\r$`, "im").exec(head)?.[1];
  const offer = field("sec-websocket-extensions");
  const opening = {
    ":method": "CONNECT",
    ":protocol": "websocket",
    ":scheme": "http",
    ":path": "/",
    "sec-websocket-version": "13",
  };
  const fields = offer === undefined ? opening : { ...opening, "sec-websocket-extensions": offer };
  const stream = session.request(fields, { endStream: false });
  stream.on("error", () => socket.destroy());
  const [answer] = await once(stream, "response");
  const proof = createHash("sha1")
    .update(`${field("sec-websocket-key")}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest("base64");
  const agreed = answer["sec-websocket-extensions"];
  const lines = [
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Accept: ${proof}`,
  ];
  if (agreed !== undefined) lines.push(`Sec-WebSocket-Extensions: ${agreed}`);
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  socket.pipe(stream).pipe(socket);
}

/** Runs wstest and prints how many cases came to which verdict, and which were not simply OK. */
async function fuzz(title: string, url: string, wanted: readonly string[]): Promise<void> {
  const outdir = join(folder, title.replaceAll(/\W+/g, "-"));
  const spec = join(folder, "spec.json");
  const server = { agent: "gw", url, options: { version: 18 } };
  writeFileSync(
    spec,
    JSON.stringify({ outdir, servers: [server], cases: wanted, "exclude-cases": [], "exclude-agent-cases": {} }),
  );
  const child = spawn(`${wstest} -m fuzzingclient -s ${spec}`, { shell: true, stdio: ["ignore", "ignore", "inherit"] });
  await once(child, "exit");
  const verdicts: Record<string, { behavior: string }> = JSON.parse(
    readFileSync(join(outdir, "index.json"), "utf8"),
  ).gw;
  for (const verdict of new Set(Object.values(verdicts).map(({ behavior }) => behavior))) {
    const found = Object.entries(verdicts).filter(([, { behavior }]) => behavior === verdict);
    const names =
      verdict === "OK"
        ? ""
        : `: ${found
            .map(([id]) => id)
            .sort()
            .join(" ")}`;
    console.log(`${title}: ${found.length} ${verdict}${names}`);
  }
}

const groups = cases === "*" ? ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "9.*", "10.*"] : cases.split(",");
const compressed = cases === "*" ? ["12.*", "13.*"] : [];
for (const [wanted, compression] of [
  [groups, false],
  [compressed, true],
] as const) {
  if (wanted.length === 0) continue;
  for (const http of [1, 2] as const) {
    const server = await listen(http, compression);
    const between = http === 1 ? null : await bridge(server.url);
    await fuzz(
      `HTTP/${http === 1 ? "1.1" : "2"}${compression ? ", compressed" : ""}`,
      between?.url ?? `${server.url.replace("http", "ws")}/`,
      wanted,
    );
    between?.close();
    await server.close();
  }
}
