// The session's id is the gateway's alone: no backend of any kind is handed it, and none can lock a user out with a cookie
// of the same name.
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AsgiApp, fromAsgi } from "@gw/asgi";
import { cgiProgram } from "@gw/cgi";
import { compose, encodeText, gateway, http, type Middleware, text, withPrincipal } from "@gw/core";
import { fastcgi, serveFastcgi } from "@gw/fastcgi";
import { fromNodeHandler, proxy, type RunningServer, serve } from "@gw/http";
import { requireUser } from "@gw/middleware/require-user";
import { session, sessionOf } from "@gw/middleware/session";
import { memoryStore } from "@gw/middleware/session/memory";
import { fromWsgi, type WsgiApp } from "@gw/wsgi";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";

const folder = mkdtempSync(join(tmpdir(), "gw-sid-"));
const upstream = createServer((request, response) => {
  response.setHeader("Set-Cookie", "sid=theirs; Path=/");
  response.end(request.headers.cookie ?? "none");
});
const sockets = new WebSocketServer({ server: upstream });
sockets.on("connection", (socket, opening: IncomingMessage) => socket.send(opening.headers.cookie ?? "none"));

const inWsgi: WsgiApp = (environ, start) => {
  start("200 OK", [["Content-Type", "text/plain"]]);
  return [encodeText(String(environ.HTTP_COOKIE ?? "none"))];
};

const inAsgi: AsgiApp = async (scope, _receive, send) => {
  if (scope.type !== "http") return;
  const found = [...scope.headers].find(([name]) => Buffer.from(name).toString() === "cookie");
  await send({ type: "http.response.start", status: 200, headers: [] });
  await send({ type: "http.response.body", body: found?.[1] ?? encodeText("none") });
};

/** What login layers do. */
const asTheSessionSays: Middleware = (next) => (request) => {
  const { principal } = sessionOf(request);
  return next(principal === null ? request : withPrincipal(request, principal));
};

let front: RunningServer;
let responder: ReturnType<typeof serveFastcgi>;

beforeAll(async () => {
  writeFileSync(
    join(folder, "cookie.sh"),
    `#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n%s' "\${HTTP_COOKIE-none}"\n`,
    {
      mode: 0o755,
    },
  );
  const address = `unix:${join(folder, "fcgi.sock")}`;
  responder = serveFastcgi(
    http((request) => text(request.headers.get("cookie") ?? "none")),
    { listen: address },
  );
  await responder.ready;
  upstream.listen(0, "127.0.0.1");
  await once(upstream, "listening");
  const target = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  const login = http((request) => {
    sessionOf(request).logIn({ user: "ann", type: "form", groups: [], claims: {} });
    return text("in");
  });
  front = serve(
    gateway()
      .use(session({ store: memoryStore() }), asTheSessionSays)
      .mount("/login", login)
      .mount("/app", compose([requireUser()], proxy({ target })))
      .mount("/cgi", cgiProgram({ command: join(folder, "cookie.sh") }))
      .mount("/fastcgi", fastcgi({ address }))
      .mount("/wsgi", fromWsgi(inWsgi))
      .mount("/asgi", fromAsgi(inAsgi))
      .mount(
        "/node",
        fromNodeHandler((request, response) => void response.end(request.headers.cookie ?? "none")),
      )
      .run(http(() => text("root"))),
    { bind: "127.0.0.1:0", idleGraceMs: 0, gracefulTimeoutMs: 500 },
  );
  await front.ready;
}, 20_000);

afterAll(async () => {
  await front.close();
  await responder.close();
  sockets.close();
  upstream.closeAllConnections();
  upstream.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Logs in; the cookie. */
async function logIn(): Promise<string> {
  const answer = await fetch(`${front.url}/login/`);
  return (answer.headers.getSetCookie()[0] as string).split(";", 1)[0] as string;
}

async function handed(path: string, Cookie: string): Promise<string> {
  const answer = await fetch(front.url + path, { headers: { Cookie } });
  return answer.ok ? answer.text() : `${answer.status}`;
}

async function handedSocket(Cookie: string): Promise<string> {
  const socket = new WebSocket(`${front.url.replace("http", "ws")}/app/`, { headers: { Cookie } });
  const [data] = await once(socket, "message");
  socket.terminate();
  return String(data);
}

test.each(["/app/", "/cgi/", "/fastcgi/", "/wsgi/", "/asgi/", "/node/"])(
  "R-M8: what is mounted at %s is not handed the session's id",
  async (path) => {
    const sid = await logIn();
    expect(await handed(path, sid)).toBe("none");
    expect(await handed(path, `a=1; ${sid}; b="2"`)).toBe('a=1; b="2"');
  },
);

test("R-M8: nor is a socket's upstream", async () => {
  const sid = await logIn();
  expect(await handedSocket(`${sid}; a=1`)).toBe("a=1");
  expect(await handedSocket(sid)).toBe("none");
});

test("an upstream whose cookie has our name keeps it, and locks nobody out of its mount", async () => {
  const sid = await logIn();
  const answer = await fetch(`${front.url}/app/`, { headers: { Cookie: sid } });
  const [theirs] = answer.headers.getSetCookie();
  expect(theirs).toBe("sid=theirs; Path=/app");
  // A browser sends the cookie of the longer path first (RFC 6265bis §5.8.3).
  const again = await logIn();
  for (const ours of [sid, again]) expect(await handed("/app/", `sid=theirs; ${ours}`)).toBe("sid=theirs");
  expect(await handed("/app/", "sid=theirs")).toBe("401");
});
