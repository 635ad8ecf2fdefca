// proxy() in front of upstreams that behave, and of those that do not.
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createContext, gateway, type HttpRequest, type Middleware, silentLogger, withPrincipal } from "@gw/core";
import { type RunningApp, run, type SendInit, type TestResponse } from "@gw/core/testing";
import { afterEach, describe, expect, test } from "vitest";
import { type ProxyOptions, proxy } from "../src/index.ts";

const running: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const stop of running.splice(0).reverse()) await stop();
});

async function listen(server: Server): Promise<string> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  running.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const upstream = (listener: RequestListener): Promise<string> => listen(createHttpServer(listener));

/** An upstream that speaks bytes: called once a request head has come. */
function rawUpstream(answer: (socket: Socket, visit: number) => void): Promise<string> {
  let visits = 0;
  return listen(
    createServer((socket) => {
      socket.on("data", (chunk) => {
        if (chunk.includes("\r\n\r\n")) answer(socket, ++visits);
      });
    }),
  );
}

async function start(options: ProxyOptions, layers: readonly Middleware[] = [], mount = "/"): Promise<RunningApp> {
  let builder = gateway();
  for (const one of layers) builder = builder.use(one);
  const app = mount === "/" ? builder.run(proxy(options)) : builder.mount(mount, proxy(options));
  const started = await run(app, { context: createContext({ log: silentLogger }) });
  running.push(() => started.stop(AbortSignal.abort()));
  return started;
}

async function ask(target: string, init: SendInit = {}, options: ProxyOptions = {}): Promise<TestResponse> {
  return (await start({ target, ...options })).request("/x", init);
}

/** Answers with what it was asked. */
const mirror: RequestListener = (req, res) => {
  const chunks: Buffer[] = [];
  req.on("data", (chunk: Buffer) => chunks.push(chunk));
  req.on("end", () => {
    res.setHeader("Content-Type", "application/json");
    res.end(
      JSON.stringify({
        method: req.method,
        url: req.url,
        headers: req.headers,
        raw: req.rawHeaders.filter((_, at) => at % 2 === 0),
        body: Buffer.concat(chunks).toString(),
      }),
    );
  });
};

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly raw: readonly string[];
  readonly body: string;
}

const seen = (answer: TestResponse): Seen => JSON.parse(answer.text()) as Seen;

describe("what the upstream gets", () => {
  test("method, path, query and body, with the true length", async () => {
    const got = seen(
      await (await start({ target: await upstream(mirror) })).request("/a%2Fb?q=1", { method: "POST", body: "data" }),
    );
    expect([got.method, got.url, got.body, got.headers["content-length"]]).toEqual(["POST", "/a%2Fb?q=1", "data", "4"]);
  });

  test("the path under the mount, below the target's prefix", async () => {
    const app = await start({ target: `${await upstream(mirror)}/base/` }, [], "/app");
    expect(seen(await app.request("/app/x?y")).url).toBe("/base/x?y");
    expect(seen(await app.request("/app")).url).toBe("/base");
  });

  test("the whole path if the mount is kept", async () => {
    const app = await start({ target: await upstream(mirror), stripMount: false }, [], "/app");
    expect(seen(await app.request("/app/x")).url).toBe("/app/x");
  });

  test("R-H17, R-H18, R-C2, R-M16: forwarding fields are ours, identity fields and Proxy of clients are gone in every spelling", async () => {
    const as: Middleware = (next) => (request) =>
      next(withPrincipal(request, { user: "ann", type: "form", groups: ["a", "b"], claims: {} }));
    const app = await start({ target: await upstream(mirror), userHeader: "X-User", groupsHeader: "X-Groups" }, [as]);
    const headers: [string, string][] = [
      ["X-Forwarded-For", "6.6.6.6"],
      ["x_forwarded_proto", "gopher"],
      ["Forwarded", "for=6.6.6.6"],
      ["X-User", "root"],
      ["X_USER", "root"],
      ["x.groups", "root"],
      ["Remote-User", "root"],
      ["Proxy", "http://evil"],
      ["X-Original-URL", "/evil"],
      ["x_rewrite_url", "/evil"],
      ["X-Kept", "yes"],
    ];
    const got = seen(await app.request("/", { headers }));
    expect(JSON.stringify(got)).not.toMatch(/6\.6\.6\.6|gopher|root|evil/);
    expect(got.headers).toMatchObject({
      "x-user": "ann",
      "x-groups": "a,b",
      "x-kept": "yes",
      "x-forwarded-proto": "http",
    });
  });

  test("R-C10: no field that concerns the connection of the client", async () => {
    const headers = {
      Connection: "X-Hop",
      "X-Hop": "1",
      "Keep-Alive": "5",
      "Proxy-Authorization": "Basic x",
      Upgrade: "h2c",
    };
    const got = seen(await ask(await upstream(mirror), { headers }));
    for (const name of ["x-hop", "proxy-authorization", "upgrade", "keep-alive"])
      expect(got.headers[name]).toBeUndefined();
  });

  test("R-C6: Authorization, unless it is not to", async () => {
    const target = await upstream(mirror);
    const headers = { Authorization: "Bearer x" };
    expect(seen(await ask(target, { headers })).headers.authorization).toBe("Bearer x");
    expect(seen(await ask(target, { headers }, { authorization: false })).headers.authorization).toBeUndefined();
  });

  test("a user that no field can carry is a 500, not another user", async () => {
    for (const user of [" root", "a\r\nX: y", ""]) {
      const as: Middleware = (next) => (request) =>
        next(withPrincipal(request as HttpRequest, { user, type: "form", groups: [], claims: {} }));
      const app = await start({ target: await upstream(mirror), userHeader: "X-User" }, [as]);
      expect((await app.request("/")).status, user).toBe(500);
    }
  });
});

describe("what the client gets", () => {
  test("the status, repeated fields and body of the upstream, and none of its connection's fields", async () => {
    const answer = await ask(
      await upstream((_req, res) => {
        res.writeHead(
          418,
          [
            ["Set-Cookie", "a=1"],
            ["Set-Cookie", "b=2"],
            ["Keep-Alive", "timeout=9"],
          ].flat(),
        );
        res.end("tea");
      }),
    );
    expect([answer.status, answer.text(), answer.headers.getAll("set-cookie")]).toEqual([418, "tea", ["a=1", "b=2"]]);
    expect(answer.headers.has("keep-alive")).toBe(false);
    expect(answer.headers.has("connection")).toBe(false);
  });

  test("no body for HEAD, 204 and 304", async () => {
    const target = await upstream((req, res) => {
      if (req.method === "HEAD") res.setHeader("Content-Length", "9");
      else res.statusCode = 304;
      res.end();
    });
    const head = await ask(target, { method: "HEAD" });
    expect([head.status, head.text(), head.headers.get("content-length")]).toEqual([200, "", "9"]);
    expect((await ask(target)).status).toBe(304);
  });

  test("Location and cookie paths point below the mount again; other places stay", async () => {
    const target = await upstream((req, res) => {
      res.setHeader("Location", decodeURIComponent((req.url as string).split("?")[1] as string));
      res.setHeader("Set-Cookie", ["s=1; Path=/base; HttpOnly", "__Host-t=1; Path=/"]);
      res.statusCode = 302;
      res.end();
    });
    const app = await start({ target: `${target}/base` }, [], "/app");
    const cases: [string, string][] = [
      ["/base/login?a#b", "/app/login?a#b"],
      [`${target}/base/x`, "/app/x"],
      ["/other", "/other"],
      ["/basement", "/basement"],
      ["https://elsewhere.example/base/x", "https://elsewhere.example/base/x"],
      ["next", "next"],
    ];
    for (const [from, to] of cases) {
      const answer = await app.request(`/app/go?${encodeURIComponent(from)}`);
      expect(answer.headers.get("location"), from).toBe(to);
      expect(answer.headers.getAll("set-cookie")).toEqual(["s=1; Path=/app; HttpOnly", "__Host-t=1; Path=/"]);
    }
  });

  test("a rewritten Location never names another host", async () => {
    const target = await upstream((_req, res) => res.writeHead(302, { Location: "/base//evil.example" }).end());
    const answer = await (await start({ target: `${target}/base` })).request("/");
    expect(answer.headers.get("location")).toBe("/base//evil.example");
  });

  test("a megabyte up and down", async () => {
    const big = new Uint8Array(1_000_000).fill(97);
    const target = await upstream((req, res) => void req.pipe(res));
    const answer = await ask(target, { method: "POST", body: big });
    expect([answer.text().length, answer.outcome.result]).toEqual([1_000_000, "sent"]);
  });
});

describe("what an upstream does wrong", () => {
  test("R-F23: it is down: 503 with Retry-After", async () => {
    const answer = await ask("http://127.0.0.1:1");
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "1"]);
  });

  test("R-F15: it closes at once, in its head, or talks garbage: 502", async () => {
    for (const bytes of [
      "",
      "HTTP/1.1 200 OK\r\nContent-",
      "SSH-2.0-x\r\n\r\n",
      "HTTP/1.1 200 OK\r\nBad Name: x\r\n\r\n",
    ]) {
      expect((await ask(await rawUpstream((socket) => socket.end(bytes)))).status, bytes).toBe(502);
    }
  });

  test("R-F17: a length or status in doubt: 502", async () => {
    for (const head of [
      "200 OK\r\nContent-Length: 1\r\nContent-Length: 2",
      "200 OK\r\nTransfer-Encoding: gzip, chunked",
      "200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3",
      "101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x",
      "999 No",
    ]) {
      const target = await rawUpstream((socket) => socket.end(`HTTP/1.1 ${head}\r\n\r\n0\r\n\r\n`));
      expect((await ask(target)).status, head).toBe(502);
    }
  });

  test("R-F16: half a body is cut, whatever frames it", async () => {
    for (const head of ["Content-Length: 100\r\n\r\nhalf", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"]) {
      const answer = await ask(await rawUpstream((socket) => socket.end(`HTTP/1.1 200 OK\r\n${head}`)));
      expect([answer.status, answer.text(), answer.outcome.result]).toEqual([200, "half", "cut"]);
    }
  });

  test("R-F19: silence is a 504", async () => {
    const target = await rawUpstream(() => {});
    expect((await ask(target, {}, { headerTimeoutMs: 50 })).status).toBe(504);
  });

  test("R-F14: a kept connection that is closed under our hands costs no GET, and is not used for a POST", async () => {
    const target = await rawUpstream((socket, visit) => {
      if (visit === 2) socket.destroy();
      else socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    });
    const app = await start({ target });
    expect((await app.request("/")).text()).toBe("ok");
    expect((await app.request("/")).text()).toBe("ok");
    expect((await app.request("/", { method: "POST", body: "x" })).text()).toBe("ok");
  });

  test("the next of several upstreams is asked when one is down", async () => {
    const app = await start({ targets: ["http://127.0.0.1:1", await upstream(mirror)] });
    for (let time = 0; time < 3; time++) expect((await app.request("/")).status).toBe(200);
  });
});

test("targets that are none are refused, without their passwords", () => {
  for (const target of ["ftp://x", "http://u:secret@x", "http://x/?q", "localhost:3000"]) {
    expect(() => proxy({ target }), target).toThrow("not an upstream");
    expect(() => proxy({ target }), target).not.toThrow("secret");
  }
});
