import { encodeText, HeaderList } from "@gw/core";
import { openSocket, run, testSocket } from "@gw/core/testing";
import { describe, expect, test, vi } from "vitest";
import type { AsgiApp, Receive, Send } from "./app.ts";
import type { ReceiveEvent, SendEvent } from "./events.ts";
import { fromAsgi } from "./from-asgi.ts";
import type { WebSocketScope } from "./scopes.ts";

const bytes = encodeText;

/** An app for sockets alone. */
function socketApp(app: (receive: Receive, send: Send, scope: WebSocketScope) => Promise<void>) {
  return fromAsgi(async (scope, receive, send) => {
    if (scope.type !== "websocket") throw new TypeError(`no ${scope.type} here`);
    await app(receive, send, scope);
  });
}

const echo: AsgiApp = async (scope, receive, send) => {
  if (scope.type !== "websocket") throw new TypeError(`no ${scope.type} here`);
  await receive();
  await send({ type: "websocket.accept" });
  for (;;) {
    const event = await receive();
    if (event.type !== "websocket.receive") return;
    if (typeof event.text === "string") await send({ type: "websocket.send", text: event.text });
    else await send({ type: "websocket.send", bytes: event.bytes });
  }
};

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => null,
    (error: unknown) => error,
  );
}

describe("fromAsgi, websocket", () => {
  test("echoes text and bytes", async () => {
    const socket = await openSocket(fromAsgi(echo), "/");
    socket.send("안녕");
    expect(await socket.receive()).toBe("안녕");
    socket.send(Uint8Array.of(1, 2, 3));
    expect(await socket.receive()).toEqual(Uint8Array.of(1, 2, 3));
    socket.close();
    expect(await socket.ended).toMatchObject({ status: 101, result: "sent", error: null });
  });

  test("the first event is connect, then messages, then disconnect with code and reason", async () => {
    const events: ReceiveEvent[] = [];
    const app = socketApp(async (receive, send) => {
      events.push(await receive());
      await send({ type: "websocket.accept" });
      events.push(await receive(), await receive(), await receive());
    });
    const socket = await openSocket(app, "/");
    socket.send("one");
    socket.close(4001, "bye");
    await socket.ended;
    expect(events).toEqual([
      { type: "websocket.connect" },
      { type: "websocket.receive", text: "one" },
      { type: "websocket.disconnect", code: 4001, reason: "bye" },
      { type: "websocket.disconnect", code: 4001, reason: "bye" },
    ]);
  });

  test("a cut connection is 1006", async () => {
    let event: ReceiveEvent | null = null;
    const app = socketApp(async (receive, send) => {
      await receive();
      await send({ type: "websocket.accept" });
      event = await receive();
    });
    const socket = await openSocket(app, "/");
    socket.cut();
    await socket.ended;
    expect(event).toEqual({ type: "websocket.disconnect", code: 1006, reason: "" });
  });

  test("accepts with one of the offered subprotocols and headers", async () => {
    const app = socketApp(async (receive, send) => {
      await receive();
      await send({ type: "websocket.accept", subprotocol: "v2", headers: [[bytes("set-cookie"), bytes("a=1")]] });
    });
    const socket = await openSocket(app, "/", { subprotocols: ["v1", "v2"] });
    expect([socket.subprotocol, socket.headers]).toEqual(["v2", HeaderList.from({ "set-cookie": "a=1" })]);
    await socket.ended;
  });

  test("accept settles when the socket is open: what follows reaches the client", async () => {
    const app = socketApp(async (_receive, send) => {
      await send({ type: "websocket.accept" });
      await send({ type: "websocket.send", text: "first" });
    });
    const socket = await openSocket(app, "/");
    expect(await socket.receive()).toBe("first");
    await socket.ended;
  });

  test("sends that are not awaited arrive in order", async () => {
    const app = socketApp(async (_receive, send) => {
      send({ type: "websocket.accept" });
      for (const one of ["a", "b", "c"]) send({ type: "websocket.send", text: one });
      await send({ type: "websocket.close" });
    });
    const socket = await openSocket(app, "/");
    expect([await socket.receive(), await socket.receive(), await socket.receive()]).toEqual(["a", "b", "c"]);
    await socket.ended;
  });

  test("close sends code and reason", async () => {
    const app = socketApp(async (receive, send) => {
      await receive();
      await send({ type: "websocket.accept" });
      await send({ type: "websocket.close", code: 4000, reason: "enough" });
    });
    const socket = await openSocket(app, "/");
    expect(await socket.closed).toEqual({ code: 4000, reason: "enough" });
    await socket.ended;
  });

  test("an app that returns closes with 1000, one that throws with 1011 (R-W5)", async () => {
    const returning = await openSocket(
      socketApp(async (_receive, send) => send({ type: "websocket.accept" })),
      "/",
    );
    expect((await returning.closed).code).toBe(1000);
    const oops = new Error("oops");
    const throwing = await openSocket(
      socketApp(async (_receive, send) => {
        await send({ type: "websocket.accept" });
        throw oops;
      }),
      "/",
    );
    expect((await throwing.closed).code).toBe(1011);
    expect(await throwing.ended).toMatchObject({ result: "cut", error: oops });
  });

  test("R-W7: send waits for a client that does not read", async () => {
    let sent = 0;
    const app = socketApp(async (_receive, send) => {
      await send({ type: "websocket.accept" });
      for (; sent < 100; sent++) await send({ type: "websocket.send", text: "x" });
    });
    const socket = await openSocket(app, "/");
    await vi.waitFor(() => expect(sent).toBeGreaterThan(10));
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(sent).toBeLessThan(30);
    socket.close();
    await socket.ended;
  });

  test("R-W6: send throws when the client has gone; that is no error of the app", async () => {
    let thrown: unknown = null;
    const app = socketApp(async (receive, send) => {
      await send({ type: "websocket.accept" });
      await receive();
      await receive();
      thrown = await failure(send({ type: "websocket.send", text: "too late" }));
      throw thrown;
    });
    const socket = await openSocket(app, "/");
    socket.close();
    expect(await socket.ended).toMatchObject({ result: "sent", error: null });
    expect(thrown).toMatchObject({ code: "GW_ASGI_DISCONNECTED" });
  });

  test("after its own close an app can send nothing", async () => {
    let thrown: unknown[] = [];
    const app = socketApp(async (_receive, send) => {
      await send({ type: "websocket.accept" });
      await send({ type: "websocket.close" });
      thrown = [
        await failure(send({ type: "websocket.send", text: "x" })),
        await failure(send({ type: "websocket.close" })),
      ];
    });
    await (await openSocket(app, "/")).ended;
    expect(thrown).toEqual([
      expect.objectContaining({ code: "GW_ASGI_DISCONNECTED" }),
      expect.objectContaining({ code: "GW_ASGI_DISCONNECTED" }),
    ]);
  });

  test("an accept that a layer drops throws out of send, and the app sees 1006", async () => {
    let thrown: unknown = null;
    let event: ReceiveEvent | null = null;
    const app = socketApp(async (receive, send) => {
      await receive();
      thrown = await failure(send({ type: "websocket.accept" }));
      event = await receive();
    });
    const answer = await app.handle(testSocket("/"));
    await answer.close?.();
    await vi.waitFor(() => expect(event).toEqual({ type: "websocket.disconnect", code: 1006, reason: "" }));
    expect(thrown).toMatchObject({ code: "GW_ASGI_DISCONNECTED" });
  });
});

describe("fromAsgi, refusing a socket", () => {
  test("close before accept is a 403", async () => {
    const app = socketApp(async (receive, send) => {
      await receive();
      await send({ type: "websocket.close" });
    });
    expect((await openSocket(app, "/")).response?.status).toBe(403);
  });

  test("a denial response has status, headers and body", async () => {
    const app = socketApp(async (receive, send) => {
      await receive();
      await send({
        type: "websocket.http.response.start",
        status: 401,
        headers: [[bytes("www-authenticate"), bytes("Basic")]],
      });
      await send({ type: "websocket.http.response.body", body: bytes("who "), more_body: true });
      await send({ type: "websocket.http.response.body", body: bytes("are you?") });
    });
    const { response } = await openSocket(app, "/");
    expect([response?.status, response?.headers.get("www-authenticate"), response?.text()]).toEqual([
      401,
      "Basic",
      "who are you?",
    ]);
  });

  test("a denial that says 200 is sent as 501", async () => {
    const app = socketApp(async (_receive, send) => {
      await send({ type: "websocket.http.response.start", status: 200 });
      await send({ type: "websocket.http.response.body" });
    });
    expect((await (await run(app, { lint: false })).openSocket("/")).response?.status).toBe(501);
  });

  test("R-W5: an error before accept is a 500, and so is returning without a word", async () => {
    const throwing = socketApp(async () => {
      throw new Error("oops");
    });
    expect((await openSocket(throwing, "/")).response?.status).toBe(500);
    expect(
      (
        await openSocket(
          socketApp(async () => {}),
          "/",
        )
      ).response?.status,
    ).toBe(500);
  });

  test.each<[string, readonly SendEvent[], string]>([
    ["a message before accept", [{ type: "websocket.send", text: "x" }], "GW_ASGI_ORDER"],
    ["two accepts", [{ type: "websocket.accept" }, { type: "websocket.accept" }], "GW_ASGI_ORDER"],
    [
      "a denial after accept",
      [{ type: "websocket.accept" }, { type: "websocket.http.response.start", status: 403 }],
      "GW_ASGI_ORDER",
    ],
    ["a denial body alone", [{ type: "websocket.http.response.body" }], "GW_ASGI_ORDER"],
    [
      "accept after a denial",
      [{ type: "websocket.http.response.start", status: 403 }, { type: "websocket.accept" }],
      "GW_ASGI_ORDER",
    ],
    ["a subprotocol that was not offered", [{ type: "websocket.accept", subprotocol: "v9" }], "GW_ASGI_EVENT"],
    [
      "the subprotocol as a header",
      [{ type: "websocket.accept", headers: [[bytes("sec-websocket-protocol"), bytes("v1")]] }],
      "GW_ASGI_EVENT",
    ],
    ["a message without content", [{ type: "websocket.accept" }, { type: "websocket.send" }], "GW_ASGI_EVENT"],
    [
      "a message with both",
      [{ type: "websocket.accept" }, { type: "websocket.send", text: "", bytes: bytes("") }],
      "GW_ASGI_EVENT",
    ],
    [
      "bytes as text",
      [{ type: "websocket.accept" }, { type: "websocket.send", text: bytes("x") as never }],
      "GW_ASGI_EVENT",
    ],
    [
      "a code that cannot be sent",
      [{ type: "websocket.accept" }, { type: "websocket.close", code: 1005 }],
      "GW_ASGI_EVENT",
    ],
    [
      "a reason that is too long",
      [{ type: "websocket.accept" }, { type: "websocket.close", reason: "x".repeat(124) }],
      "GW_ASGI_EVENT",
    ],
    ["an http event", [{ type: "http.response.start", status: 200 }], "GW_ASGI_EVENT"],
    ["no event at all", [null as never], "GW_ASGI_EVENT"],
  ])("%s throws out of send", async (_, events, code) => {
    const thrown: unknown[] = [];
    const app = socketApp(async (_receive, send) => {
      for (const event of events) {
        const error = await failure(send(event));
        if (error !== null) thrown.push(error);
      }
      await send({ type: "websocket.close" }).catch(() => {});
    });
    const socket = await openSocket(app, "/", { subprotocols: ["v1"] });
    await socket.ended;
    expect(thrown).toEqual([expect.objectContaining({ code })]);
  });
});
