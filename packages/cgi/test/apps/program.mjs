// One app with a path per behaviour; the tests start it as a CGI program.
import { existsSync, writeSync } from "node:fs";
import { runCgi } from "@gw/cgi/program";
import { bytesToByteString, encodeText, HeaderList, html, json, text } from "@gw/core";

const say = (line) => writeSync(2, `${line}\n`);

const routes = {
  "/hello": () => text("hello\n"),
  "/later": async () => text("later\n"),
  "/request": ({ method, mount, path, query, target, client, server, scheme, headers, protocol }) =>
    json({ method, mount, path, query, target, client, server, scheme, protocol, headers: [...headers] }),
  "/user": ({ principal, headers }) =>
    json({ user: principal?.user, type: principal?.type, authorization: headers.get("authorization") }),
  "/printing": () => {
    console.log("printed");
    process.stdout.write("written\n");
    return text("clean\n");
  },
  "/echo": async ({ body }) => {
    const chunks = [];
    for await (const chunk of body) chunks.push(chunk);
    return bytes(Buffer.concat(chunks));
  },
  "/echo-sync": ({ body }) => {
    const chunks = [];
    for (let chunk = body.readSync(1000); chunk.length > 0; chunk = body.readSync(1000)) chunks.push(chunk);
    return bytes(Buffer.concat(chunks));
  },
  "/stream": ({ query }) => bytes(steps(query)),
  "/large": () => bytes(new Uint8Array(5_000_000).fill(97)),
  "/chunks": () => bytes(many(5_000)),
  "/endless": ({ signal, exchange }) => {
    signal.addEventListener("abort", () => say(`signal: ${signal.reason.code}`));
    exchange.onEnd(({ result }) => say(`end: ${result}`));
    return bytes(many(Number.POSITIVE_INFINITY));
  },
  "/waiting": ({ signal }) =>
    new Promise((done) => {
      say("waiting");
      const hold = setInterval(() => {}, 1000);
      signal.addEventListener("abort", () => {
        say(`signal: ${signal.reason.code}`);
        clearInterval(hold);
        done(text("ended\n"));
      });
    }),
  "/throws": () => {
    throw new Error("s3cret detail");
  },
  "/crashes": () => new Promise(() => setTimeout(() => crash("in a callback"), 1)),
  "/breaks": () => bytes(broken()),
  "/short": () => ({ ...bytes([encodeText("short")]), headers: HeaderList.from({ "Content-Length": "10" }) }),
  "/bad-head": () => ({ ...text("x"), headers: HeaderList.from({ "X-A": "a\r\nX-B: b" }) }),
  "/socket": () => ({ kind: "accept", subprotocol: null, headers: HeaderList.empty, run: async () => {} }),
  "/found": () => html("found", { headers: { Location: "/made/1" } }),
  "/created": () => html("made", { status: 201, headers: { Location: "/made/1" } }),
  "/redirect": () => ({ kind: "response", status: 302, headers: HeaderList.from({ Location: "/there" }), body: null }),
  "/no-content": () => ({ kind: "response", status: 204, headers: HeaderList.empty, body: null }),
  "/loaded": () => json(process.moduleLoadList.map((name) => name.replace("NativeModule ", ""))),
  "/never": () => new Promise(() => {}),
  "/lingering": () => {
    setInterval(() => {}, 1000);
    return text("answered\n");
  },
  "/end": ({ exchange }) => {
    exchange.onEnd(({ status, bytesSent, result }) => say(`end: ${status} ${bytesSent} ${result}`));
    return text("ended\n");
  },
  "/hints": ({ exchange }) => json({ inform: exchange.inform !== undefined }),
};

function bytes(body) {
  return { kind: "response", status: 200, headers: HeaderList.from({ "Content-Type": "text/x-bytes" }), body };
}

async function* steps(file) {
  yield encodeText("first\n");
  while (!existsSync(file)) await new Promise((done) => setTimeout(done, 5));
  yield encodeText("second\n");
}

async function* many(count) {
  let sent = 0;
  try {
    for (; sent < count; sent++) yield new Uint8Array(1000).fill(98);
  } finally {
    say(`sent: ${sent}`);
  }
}

function* broken() {
  yield encodeText("half");
  throw new Error("broken body");
}

function crash(where) {
  throw new Error(`thrown ${where}`);
}

const failing = process.env.GW_TEST_FAILS;
await runCgi(
  {
    start() {
      if (failing === "start") throw new Error("no database");
      say("start");
    },
    handle: (request) =>
      routes[request.path]?.(request) ?? text(bytesToByteString(encodeText("none")), { status: 404 }),
    stop() {
      if (failing === "stop") throw new Error("no farewell");
      say("stop");
    },
  },
  { maxBodyBytes: 1_000_000, stopTimeoutMs: 300, trustRemoteUser: true },
);
