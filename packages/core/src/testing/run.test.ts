import { expect, test } from "vitest";
import { GatewayError } from "../model/errors.ts";
import { HeaderList } from "../model/headers.ts";
import { text } from "../pipeline/answers.ts";
import { gateway } from "../pipeline/gateway.ts";
import { accept, http, webSocket } from "../pipeline/kinds.ts";
import { layer } from "../pipeline/layer.ts";
import { bodySource } from "./body-source.ts";
import { openSocket, request, run } from "./run.ts";

test("runs one request and gives status, headers, body and outcome", async () => {
  const answer = await request((asked) => text(`${asked.method} ${asked.path}?${asked.query}`), "/a%20b?x=1", {
    method: "POST",
  });
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toBe("text/plain; charset=utf-8");
  expect(answer.text()).toBe("POST /a b?x=1");
  expect(answer.outcome).toEqual({ status: 200, bytesSent: 13, result: "sent", error: null });
});

test("percent-encodes what is no byte in a target, as a browser would", async () => {
  const answer = await request((asked) => text(asked.target), "/안녕");
  expect(answer.text()).toBe("/%EC%95%88%EB%85%95");
});

test("announces the length of a known body and none for chunks", async () => {
  const lengths: (number | null)[] = [];
  const app = http((asked) => {
    lengths.push(asked.body.length);
    return text(asked.headers.get("content-length") ?? "none");
  });
  expect((await request(app, "/", { method: "POST", body: "abc" })).text()).toBe("3");
  expect((await request(app, "/", { method: "POST", body: [new Uint8Array(3)] })).text()).toBe("none");
  expect(lengths).toEqual([3, null]);
});

test("R-H18: client spellings of identity headers are gone before the app", async () => {
  const app = http((asked) => text(JSON.stringify([...asked.headers])));
  const answer = await request(app, "/", { headers: { "Remote-User": "root", Remote_User: "root", "X-A": "1" } });
  expect(answer.json()).toEqual([
    ["Host", "localhost"],
    ["X-A", "1"],
  ]);
});

test("answers a target that cannot be read as a carrier would", async () => {
  const answer = await request(() => text("never"), "/%zz");
  expect(answer.status).toBe(400);
});

test("R-H5: a head that cannot be sent becomes a 500", async () => {
  const headers = HeaderList.from({ "X-Bad": "a\r\nb" });
  const answer = await request(() => ({ kind: "response", status: 200, headers, body: null }), "/", { lint: false });
  expect(answer.status).toBe(500);
});

test("starts before the first request, stops after the last, and waits for afterResponse tasks", async () => {
  const seen: string[] = [];
  const running = await run({
    start: () => void seen.push("start"),
    stop: () => void seen.push("stop"),
    handle: (asked) => {
      asked.exchange.onEnd(async () => {
        await Promise.resolve();
        seen.push("task");
      });
      return text("ok");
    },
  });
  await running.request("/1");
  await running.request("/2");
  await running.stop();
  expect(seen).toEqual(["start", "task", "task", "stop"]);
});

test("a failing start rejects and runs no request", async () => {
  const app = {
    start: () => {
      throw new GatewayError("GW_TEST", 500, "no database");
    },
    handle: () => text("never"),
  };
  await expect(request(app)).rejects.toThrow("no database");
});

test("R-W5: a body that breaks is seen as cut, with what arrived", async () => {
  const app = http(() => ({
    kind: "response",
    status: 200,
    headers: HeaderList.empty,
    body: (async function* () {
      yield new TextEncoder().encode("half");
      throw new Error("disk gone");
    })(),
  }));
  const answer = await request(app);
  expect(answer.text()).toBe("half");
  expect(answer.outcome).toMatchObject({ result: "cut", bytesSent: 4 });
  expect((answer.outcome.error as Error).message).toBe("disk gone");
});

test("a client that leaves makes the outcome gone and stops the body", async () => {
  const source = bodySource();
  const client = new AbortController();
  const app = http(() => ({ kind: "response", status: 200, headers: HeaderList.empty, body: source.body }));
  const answering = request(app, "/", { signal: client.signal, onChunk: () => client.abort() });
  await Promise.all([source.push(new Uint8Array(5)), source.returned]);
  expect((await answering).outcome).toMatchObject({ result: "gone", bytesSent: 5 });
});

test("a slow reader holds the body back: no chunk is asked for while one waits", async () => {
  const source = bodySource();
  let release: () => void = () => {};
  const reading = new Promise<void>((resolve) => {
    release = resolve;
  });
  let arrive: () => void = () => {};
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const app = http(() => ({ kind: "response", status: 200, headers: HeaderList.empty, body: source.body }));
  const onChunk = (): Promise<void> => {
    arrive();
    return reading;
  };
  const answering = request(app, "/", { onChunk });
  const taken = source.push(new Uint8Array(1));
  await arrived;
  await new Promise((resolve) => setImmediate(resolve));
  expect(source.asked).toBe(1);
  release();
  await taken;
  expect(source.asked).toBe(2);
  source.end();
  expect((await answering).bytes.length).toBe(1);
});

test("a HEAD request gets the head alone, and the answer is closed", async () => {
  let closed = 0;
  const app = http(() => ({ ...text("body"), close: () => void closed++ }));
  const answer = await request(app, "/", { method: "HEAD" });
  expect(answer.bytes.length).toBe(0);
  expect(closed).toBe(1);
});

test("early hints and trailers are kept", async () => {
  const app = http((asked) => {
    asked.exchange.inform?.(HeaderList.from({ Link: "</a.css>; rel=preload" }));
    return { ...text("x"), trailers: () => HeaderList.from({ "X-Sum": "1" }) };
  });
  const answer = await request(app);
  expect(answer.earlyHints.map((one) => one.get("link"))).toEqual(["</a.css>; rel=preload"]);
  expect(answer.trailers?.get("x-sum")).toBe("1");
});

const echo = webSocket((asked) =>
  accept(
    async (peer) => {
      for await (const message of peer) await peer.send(message.isText ? `${message.text()}!` : message.bytes);
    },
    { subprotocol: asked.subprotocols[0] ?? null },
  ),
);

test("opens a socket, talks both ways and closes", async () => {
  const socket = await openSocket(echo, "/chat", { subprotocols: ["v1"] });
  expect(socket.subprotocol).toBe("v1");
  socket.send("hi");
  expect(await socket.receive()).toBe("hi!");
  socket.send(Uint8Array.of(1, 2));
  expect(await socket.receive()).toEqual(Uint8Array.of(1, 2));
  socket.close(1000, "bye");
  expect(await socket.closed).toEqual({ code: 1000, reason: "bye" });
  expect(await socket.ended).toMatchObject({ status: 101, result: "sent", bytesSent: 5 });
});

test("a socket that is cut ends the conversation with 1006", async () => {
  const socket = await openSocket(echo);
  socket.cut();
  expect(await socket.closed).toEqual({ code: 1006, reason: "" });
  expect((await socket.ended).result).toBe("gone");
});

test("an app that goes on sending after the client has closed has not failed", async () => {
  const socket = await openSocket(
    webSocket(() =>
      accept(async (peer) => {
        for (;;) await peer.send("more");
      }),
    ),
  );
  await socket.receive();
  socket.close();
  expect(await socket.ended).toMatchObject({ result: "sent", error: null });
});

test("a conversation that throws closes the socket with 1011", async () => {
  const socket = await openSocket(
    webSocket(() =>
      accept(async () => {
        throw new Error("boom");
      }),
    ),
  );
  expect((await socket.closed).code).toBe(1011);
  expect((await socket.ended).result).toBe("cut");
});

test("a refused opening gives the response, and using it says so", async () => {
  const auth = layer({ name: "auth", onRequest: () => text("no", { status: 401 }) });
  const socket = await openSocket(gateway().use(auth).run(echo));
  expect(socket.response?.status).toBe(401);
  expect(() => socket.send("x")).toThrow("refused with 401");
});

test("a 2xx answer to a socket opening is sent as 501", async () => {
  const socket = await openSocket(() => text("a page"), "/", { lint: false });
  expect(socket.response?.status).toBe(501);
});
