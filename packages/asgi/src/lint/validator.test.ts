import { encodeText, text } from "@gw/core";
import { LintError } from "@gw/core/lint";
import { openSocket, request } from "@gw/core/testing";
import { describe, expect, test } from "vitest";
import type { AsgiApp } from "../app.ts";
import { communicator } from "../communicator.ts";
import type { ReceiveEvent, SendEvent } from "../events.ts";
import { fromAsgi } from "../from-asgi.ts";
import { toAsgi } from "../to-asgi.ts";
import { receiveRules, sendRules } from "./event-rules.ts";
import { scopeRules } from "./scope-rules.ts";
import { validator } from "./validator.ts";

const bytes = encodeText;
const start: SendEvent = {
  type: "http.response.start",
  status: 200,
  headers: [[bytes("content-type"), bytes("text/plain")]],
};
const end: SendEvent = { type: "http.response.body", body: bytes("Hello") };

async function good(...[scope, , send]: Parameters<AsgiApp>): Promise<void> {
  if (scope.type !== "http") throw new TypeError(`no ${scope.type} here`);
  await send(start);
  await send(end);
}

/** The rule that a call breaks, with the side at fault; `null` if it breaks none. */
async function broken(app: AsgiApp, scope: object, input: readonly unknown[] = []): Promise<string | null> {
  const call = communicator(validator(app), scope as never);
  for (const event of input) await call.sendInput(event as ReceiveEvent);
  try {
    await call.wait();
    return null;
  } catch (error) {
    if (!(error instanceof LintError)) throw error;
    return `${error.layer}: ${error.rule}`;
  }
}

/** An app that sends these events. */
function sending(events: readonly unknown[]): AsgiApp {
  return async function bad(_scope, _receive, send) {
    for (const event of events) await send(event as SendEvent);
  };
}

const reading: AsgiApp = async (_scope, receive, send) => {
  await receive();
  await send(start);
  await send(end);
};

describe("validator", () => {
  test("finds nothing wrong with our own server and our own handlers", async () => {
    expect((await request(fromAsgi(validator(good)))).text()).toBe("Hello");
    const post = { method: "POST", body: "x" };
    expect((await request(fromAsgi(validator(toAsgi(() => text("ok")))), "/", post)).text()).toBe("ok");
    expect((await openSocket(fromAsgi(validator(toAsgi(() => text("no", { status: 401 })))))).response?.status).toBe(
      401,
    );
  });

  test.each<[string, object]>([
    ["asgi-scope-type", { type: "" }],
    ["asgi-scope-version", { type: "http", asgi: {} }],
    ["asgi-scope-path", { type: "http", path: bytes("/") }],
    ["asgi-scope-query-string", { type: "http", query_string: "a" }],
    ["asgi-scope-raw-path", { type: "http", raw_path: "/" }],
    ["asgi-scope-root-path", { type: "http", root_path: bytes("/") }],
    ["asgi-scope-scheme", { type: "websocket", scheme: "" }],
    ["asgi-scope-method", { type: "http", method: "get" }],
    ["asgi-scope-http-version", { type: "http", http_version: "HTTP/1.1" }],
    ["asgi-scope-headers", { type: "http", headers: { host: "x" } }],
    ["asgi-scope-headers", { type: "http", headers: [["host", "x"]] }],
    ["asgi-scope-header-case", { type: "http", headers: [[bytes("Host"), bytes("x")]] }],
    ["asgi-scope-pseudo-headers", { type: "http", headers: [[bytes(":authority"), bytes("x")]] }],
    ["asgi-scope-client", { type: "http", client: ["127.0.0.1", "80"] }],
    ["asgi-scope-client", { type: "http", client: ["/run/x.sock", null] }],
    ["asgi-scope-server", { type: "http", server: "localhost" }],
    ["asgi-scope-subprotocols", { type: "websocket", subprotocols: "v1" }],
    ["asgi-scope-state", { type: "http", state: [] }],
    ["asgi-scope-extensions", { type: "http", extensions: ["tls"] }],
  ])("a server that breaks %s is told so (%#)", async (rule, scope) => {
    expect(await broken(good, scope)).toBe(`the server: ${rule}`);
  });

  test("a scope that is no dict is told", async () => {
    const scope = Object.assign(Object.create({ inherited: 1 }), { type: "http" });
    await expect(
      validator(good)(
        scope,
        async () => ({ type: "http.disconnect" }),
        async () => {},
      ),
    ).rejects.toThrow(/asgi-scope-dict/);
  });

  test.each<[string, object, unknown]>([
    ["asgi-event-dict", { type: "http" }, "http.request"],
    ["asgi-receive-type", { type: "http" }, { type: "websocket.connect" }],
    ["asgi-request-body", { type: "http" }, { type: "http.request", body: "text" }],
    ["asgi-request-more", { type: "http" }, { type: "http.request", more_body: 1 }],
    ["asgi-receive-one", { type: "websocket" }, { type: "websocket.receive" }],
    ["asgi-disconnect-code", { type: "websocket" }, { type: "websocket.disconnect" }],
  ])("a server that breaks %s is told so", async (rule, scope, event) => {
    expect(await broken(reading, scope, [event])).toBe(`the server: ${rule}`);
  });

  const http = { type: "http" };
  const socket = { type: "websocket" };
  const accept = { type: "websocket.accept" };
  test.each<[string, object, readonly unknown[]]>([
    ["asgi-event-dict", http, [null]],
    ["asgi-send-type", http, [{ type: "websocket.accept" }]],
    ["asgi-send-type", { type: "lifespan" }, [start]],
    ["asgi-send-status", http, [{ ...start, status: "200" }]],
    ["asgi-send-headers", http, [{ ...start, headers: [["a", "b"]] }]],
    ["asgi-send-header-case", http, [{ ...start, headers: [[bytes("Content-Type"), bytes("x")]] }]],
    ["asgi-send-pseudo-headers", http, [{ ...start, headers: [[bytes(":status"), bytes("200")]] }]],
    ["asgi-send-subprotocol", socket, [{ ...accept, headers: [[bytes("sec-websocket-protocol"), bytes("v1")]] }]],
    ["asgi-send-body", http, [start, { ...end, body: "text" }]],
    ["asgi-send-more", http, [start, { ...end, more_body: "yes" }]],
    ["asgi-send-one", socket, [accept, { type: "websocket.send", text: "a", bytes: bytes("b") }]],
    ["asgi-send-message", { type: "lifespan" }, [{ type: "lifespan.startup.failed", message: new Error("x") }]],
    ["asgi-order-start", http, [end]],
    ["asgi-order-start", http, [start, start]],
    ["asgi-order-start", http, []],
    ["asgi-order-start", http, [start, { ...end, more_body: true }]],
    ["asgi-order-end", http, [start, end, end]],
    ["asgi-order-connect", socket, []],
    ["asgi-order-connect", socket, [{ type: "websocket.send", text: "a" }]],
    ["asgi-order-connect", socket, [accept, accept]],
    ["asgi-order-connect", socket, [accept, { type: "websocket.http.response.start", status: 403 }]],
    ["asgi-order-end", socket, [{ type: "websocket.close" }, { type: "websocket.close" }]],
    ["asgi-order-denial", socket, [{ type: "websocket.http.response.start", status: 403 }, accept]],
  ])("an app that breaks %s is told so (%#)", async (rule, scope, events) => {
    expect(await broken(sending(events), scope)).toBe(`the app bad: ${rule}`);
  });

  test("trailers, files and early hints keep the order", async () => {
    const events = [
      { type: "http.response.early_hint", links: [] },
      { ...start, trailers: true },
      { type: "http.response.zerocopysend", file: 0, more_body: true },
      end,
      { type: "http.response.trailers", more_trailers: true },
      { type: "http.response.trailers" },
    ];
    expect(await broken(sending(events), http)).toBeNull();
    expect(await broken(sending([start, { type: "http.response.pathsend", path: "/x" }]), http)).toBeNull();
  });

  test("with report, tells every broken rule and goes on", async () => {
    const rules: string[] = [];
    const app = validator(sending([{ ...start, headers: [[bytes("A"), bytes("b")]] }, end, end]), {
      report: ({ rule }) => void rules.push(rule),
    });
    await communicator(app, { type: "http" }).wait();
    expect(rules).toEqual(["asgi-send-header-case", "asgi-order-end"]);
  });

  test("an error of the app passes through as it is", async () => {
    const oops = new Error("oops");
    const app: AsgiApp = async () => {
      throw oops;
    };
    await expect(communicator(validator(app), { type: "http" }).wait()).rejects.toBe(oops);
  });

  test("every rule has a name of its own and a sentence", () => {
    const ids = [...scopeRules, ...receiveRules, ...sendRules.slice(1)].map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { sentence } of [...scopeRules, ...receiveRules, ...sendRules])
      expect(sentence.length).toBeGreaterThan(10);
  });
});
