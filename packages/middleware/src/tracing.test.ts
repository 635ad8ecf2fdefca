import {
  accept,
  beginPhase,
  compose,
  GatewayError,
  type GatewayRequest,
  type Handler,
  http,
  inPhase,
  layer,
  mountVariables,
  text,
  withPrincipal,
} from "@gw/core";
import { openSocket, request } from "@gw/core/testing";
import { type Context, context, propagation, type SpanContext, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from "@opentelemetry/core";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { promisesMadeBy } from "../test/promises.ts";
import { spanOf, type TracingOptions, tracing } from "./tracing.ts";

const exporter = new InMemorySpanExporter();
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
const manager = new AsyncLocalStorageContextManager().enable();
const PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

context.setGlobalContextManager(manager);
propagation.setGlobalPropagator(
  new CompositePropagator({ propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()] }),
);
trace.setGlobalTracerProvider(provider);
beforeEach(() => exporter.reset());
afterAll(async () => {
  await provider.shutdown();
  context.disable();
  propagation.disable();
  trace.disable();
});

const traced = (app: Handler, options: TracingOptions = {}) => compose([tracing(options)], app);
const spans = (): readonly ReadableSpan[] => exporter.getFinishedSpans();
const serverSpan = (): ReadableSpan => spans().at(-1) as ReadableSpan;
const idsOf = ({ traceId, spanId }: SpanContext): string => `${traceId} ${spanId}`;

describe("tracing", () => {
  test("one span for each exchange: the conventions' attributes, what went out, and no secrets", async () => {
    const app = traced(() => text("hello"));
    await request(app, "/a/b?x=1&token=s3cret", {
      headers: { "User-Agent": "curl/8", Authorization: "Bearer s3cret" },
    });
    expect(spans()).toHaveLength(1);
    expect(serverSpan().name).toBe("GET");
    expect(serverSpan().attributes).toEqual({
      "http.request.method": "GET",
      "url.scheme": "http",
      "url.path": "/a/b",
      "url.query": "x=1&token=***",
      "server.address": "localhost",
      "server.port": 80,
      "client.address": "127.0.0.1",
      "client.port": expect.any(Number),
      "network.protocol.name": "http",
      "network.protocol.version": "1.1",
      "user_agent.original": "curl/8",
      "http.response.status_code": 200,
      "http.response.body.size": 5,
      "gw.result": "sent",
    });
    expect(JSON.stringify(serverSpan().attributes)).not.toContain("s3cret");
  });

  test("goes on with the client's trace, hands its own on as field and variable, and drops the client's", async () => {
    let seen: Record<string, unknown> = {};
    const app = traced((head) => {
      seen = {
        field: head.headers.getAll("traceparent"),
        state: head.headers.get("tracestate"),
        ...mountVariables(head),
      };
      return text("");
    });
    await request(app, "/", { headers: { Traceparent: PARENT, Tracestate: "a=1", Baggage: "b=2" } });
    const { traceId, spanId } = serverSpan().spanContext();
    expect(traceId).toBe("0af7651916cd43dd8448eb211c80319c");
    expect(serverSpan().parentSpanContext?.spanId).toBe("b7ad6b7169203331");
    const own = `00-${traceId}-${spanId}-01`;
    expect(seen).toEqual({ field: [own], state: "a=1", TRACEPARENT: own, TRACESTATE: "a=1", BAGGAGE: "b=2" });
  });

  test.each<[incoming: TracingOptions["incoming"], isSame: boolean, links: number]>([
    ["parent", true, 0],
    ["link", false, 1],
    ["ignore", false, 0],
  ])("a client's trace can be its parent, a link or nothing: %s", async (incoming, isSame, links) => {
    let field: string | null = null;
    const app = traced(
      (head) => {
        field = head.headers.get("traceparent");
        return text("");
      },
      { incoming: incoming as "parent" },
    );
    await request(app, "/", { headers: { traceparent: PARENT, tracestate: "evil=1" } });
    expect(serverSpan().spanContext().traceId === "0af7651916cd43dd8448eb211c80319c").toBe(isSame);
    expect(serverSpan().links).toHaveLength(links);
    expect(field).toContain(serverSpan().spanContext().spanId);
  });

  test("spans of the app lie inside, also after a wait", async () => {
    const app = traced(
      http(async (head) => {
        await new Promise((resolve) => setImmediate(resolve));
        trace.getTracer("app").startSpan("work").end();
        spanOf(head).setAttribute("app.order", 7);
        return text("");
      }),
    );
    await request(app, "/");
    const [work, server] = spans() as [ReadableSpan, ReadableSpan];
    expect([work.name, work.parentSpanContext?.spanId]).toEqual(["work", server.spanContext().spanId]);
    expect(server.attributes["app.order"]).toBe(7);
  });

  test("tells when the head came, when the first byte, and ends with the last", async () => {
    const steps: string[] = [];
    const note = (step: string): void => void steps.push(`${step} ${spans().length}`);
    async function* body(): AsyncGenerator<Uint8Array> {
      note("first");
      yield Buffer.from("one");
      note("second");
      yield Buffer.from("two");
      note("done");
    }
    const app = traced(() => ({ ...text(""), body: body() }));
    const answer = await request(app, "/");
    expect(answer.text()).toBe("onetwo");
    expect(steps).toEqual(["first 0", "second 0", "done 0"]);
    expect(serverSpan().events.map(({ name }) => name)).toEqual(["gw.head", "gw.first_byte"]);
    expect(serverSpan().attributes["http.response.body.size"]).toBe(6);
  });

  test("what the exchange waited for lies inside: queue, spawn, connect, failed ones too", async () => {
    const later = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    const app = traced(
      http(async ({ exchange }) => {
        await inPhase(exchange, "queue", later);
        inPhase(exchange, "queue", () => "at once"); // no wait, no span
        await inPhase(exchange, "spawn", later);
        const connected = beginPhase(exchange, "connect");
        connected(new GatewayError("GW_X", 502, "refused"));
        return text("");
      }),
    );
    await request(app, "/");
    const server = serverSpan().spanContext();
    expect(spans().map(({ name, status }) => `${name} ${status.code}`)).toEqual([
      "gw.queue 0",
      "gw.spawn 0",
      "gw.connect 2",
      "GET 0",
    ]);
    for (const one of spans().slice(0, 3)) expect(one.parentSpanContext?.spanId).toBe(server.spanId);
  });

  test("an error says its code and its stack; a client's mistake is no error", async () => {
    const broken = traced(() => {
      throw new GatewayError("GW_BROKEN", 502, "the backend is gone");
    });
    await request(broken, "/");
    expect(serverSpan().status.code).toBe(2);
    expect(serverSpan().attributes).toMatchObject({ "http.response.status_code": 502, "error.type": "GW_BROKEN" });
    expect(serverSpan().events.map(({ name }) => name)).toContain("exception");
    exporter.reset();
    await request(
      traced(() => text("no", { status: 404 })),
      "/",
    );
    expect(serverSpan().status.code).toBe(0);
  });

  test("an answer that breaks off is an error", async () => {
    async function* body(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("one");
      throw new TypeError("half way");
    }
    await request(
      traced(() => ({ ...text(""), body: body() })),
      "/",
    );
    expect(serverSpan().attributes).toMatchObject({ "gw.result": "cut", "error.type": "TypeError" });
    expect(serverSpan().status.code).toBe(2);
  });

  test("a socket's span lasts as long as the socket", async () => {
    const app = traced(() => accept(async (peer) => peer.close(1000, "bye")));
    const socket = await openSocket(app, "/chat", { headers: { traceparent: PARENT } });
    await socket.ended;
    expect(serverSpan().attributes).toMatchObject({
      "network.protocol.name": "websocket",
      "http.response.status_code": 101,
    });
    expect(serverSpan().spanContext().traceId).toBe("0af7651916cd43dd8448eb211c80319c");
  });

  test("a request that is dispatched again keeps its one span", async () => {
    const ids: string[] = [];
    const app = traced((head: GatewayRequest) => {
      ids.push(idsOf(spanOf(head).spanContext()), mountVariables(head).TRACEPARENT as string);
      if (head.path !== "/" || head.kind === "websocket") return text("there");
      return head.exchange.dispatch({ ...head, path: "/there" });
    });
    await request(app, "/");
    expect(spans()).toHaveLength(1);
    expect([ids[0], ids[1]]).toEqual([ids[2], ids[3]]);
  });

  test("name, attributes, user and skip are settings; unknown methods are one", async () => {
    const as = layer({
      name: "as",
      onRequest: (head) => withPrincipal(head, { user: "ann", type: "x", groups: [], claims: {} }),
    });
    const app = compose(
      [
        tracing({
          name: () => "shop",
          attributes: () => ({ tenant: "a" }),
          user: true,
          skip: (r) => r.path === "/healthz",
        }),
        as,
      ],
      () => text(""),
    );
    await request(app, "/healthz");
    expect(spans()).toHaveLength(0);
    await request(app, "/", { method: "BREW" });
    expect(serverSpan().name).toBe("shop");
    expect(serverSpan().attributes).toMatchObject({
      tenant: "a",
      "user.name": "ann",
      "http.request.method": "_OTHER",
      "http.request.method_original": "BREW",
    });
    exporter.reset();
    await request(
      compose([tracing(), as], () => text("")),
      "/",
    );
    expect(serverSpan().attributes["user.name"]).toBeUndefined();
  });

  test("without the layer, and without an SDK, nothing happens: the client's trace goes through", async () => {
    let field: string | null = null;
    const look: Handler = (head) => {
      field = head.headers.get("traceparent");
      expect(spanOf(head).isRecording()).toBe(false);
      return text("");
    };
    await request(look, "/", { headers: { traceparent: PARENT } });
    const bare = { inject: () => {}, extract: (one: Context) => one, fields: () => [] };
    const nothing = trace.wrapSpanContext({ traceId: "0".repeat(32), spanId: "0".repeat(16), traceFlags: 0 });
    const silent = { startSpan: () => nothing, startActiveSpan: () => undefined as never };
    await request(traced(look, { tracer: silent, propagator: bare }), "/", { headers: { traceparent: PARENT } });
    expect(field).toBe(PARENT);
    expect(spans()).toHaveLength(0);
  });

  test("sync stays sync: no promise is made for a sync app, and a sync body stays one", async () => {
    let promises = -1;
    const app = compose([tracing()], () => ({ ...text(""), body: [Buffer.from("a")] }));
    await request(
      compose([layer({ name: "count", onResponse: (answer) => ({ ...answer }) })], (head) => {
        let answer: ReturnType<Handler> | undefined;
        promises = promisesMadeBy(() => {
          answer = app.handle(head);
        });
        return answer as Awaited<ReturnType<Handler>>;
      }),
      "/",
    );
    expect(promises).toBe(0);
  });
});
