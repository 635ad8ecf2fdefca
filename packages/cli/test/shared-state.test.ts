// What several worker processes share, and what they refuse to have each for itself.
import { execFile } from "node:child_process";
import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { requires } from "@gw-private/requires";
import { expect, test } from "vitest";
import { folderWith, gw, serving } from "./gw.ts";

const memoryApp = `import { compose, text } from "@gw/core";
import { session } from "@gw/middleware/session";
import { memoryStore } from "@gw/middleware/session/memory";
export default compose([session({ store: memoryStore() })], () => text("ok"));
`;

const loginApp = `import { compose, text } from "@gw/core";
import { formLogin } from "@gw/middleware/form-login";
import { rateLimit } from "@gw/middleware/rate-limit";
import { session } from "@gw/middleware/session";
const layers = [
  session(),
  formLogin({ verify: () => false, throttle: { perAccountAndAddress: 4 } }),
  rateLimit({ limit: 6, windowMs: 3_600_000 }),
];
export default compose(layers, () => text(String(process.pid)));
`;

test("R-M8: a gateway of several workers refuses sessions in memory at start, and says what to use", async () => {
  const folder = folderWith({ "app.mjs": memoryApp });
  const { code, stderr } = await gw(folder, ["serve", "app.mjs", "-p", "0", "-w", "2"]);
  expect(code).toBe(1);
  expect(stderr).toContain(
    "memoryStore() keeps sessions in one process, and this gateway has several: use localStore()",
  );
});

test("R-M14: requests and failed logins are counted for the gateway, not for each worker", async () => {
  const folder = folderWith({ "app.mjs": loginApp });
  const server = await serving(folder, ["serve", "app.mjs", "-p", "0", "-w", "2", "--no-access-log"]);
  const url = server.urls[0] as string;
  // A connection for each request, so that both workers get some.
  const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(url + path, { ...init, headers: { ...init.headers, Connection: "close" } });
  const statuses: number[] = [];
  for (let at = 0; at < 10; at++) statuses.push((await ask("/")).status);
  expect(statuses).toEqual([200, 200, 200, 200, 200, 200, 429, 429, 429, 429]);
  const attempts: number[] = [];
  const form = { method: "POST", body: new URLSearchParams({ user: "ann", password: "x" }) };
  for (let at = 0; at < 6; at++) attempts.push((await ask("/login", form)).status);
  expect(attempts).toEqual([401, 401, 401, 401, 429, 429]);
});

const threadedApp = `import { compose } from "@gw/core";
import { session, sessionCopy, sessionOf } from "@gw/middleware/session";
import { wsgiThreads } from "@gw/wsgi";
const app = wsgiThreads("./thread.mjs", {
  threads: 1,
  keys: (request) => ({ "gw.session": sessionCopy(request, ["visits"]) }),
});
const counting = (next) => (request) => {
  sessionOf(request).update("visits", (before = 0) => before + 1);
  sessionOf(request).set("hidden", true);
  return next(request);
};
export default compose([session(), counting], app);
`;
const threadApp = `export default (environ, startResponse) => {
  const copy = environ["gw.session"];
  startResponse("200 OK", [["Content-Type", "application/json"]]);
  const seen = JSON.stringify(copy);
  copy.values.visits = 1000; // its own, and gone with the request
  return [new TextEncoder().encode(seen)];
};
`;

test("an app in a thread gets a copy of the session: what it changes there, nothing keeps", async () => {
  const folder = folderWith({ "app.mjs": threadedApp, "thread.mjs": threadApp });
  const server = await serving(folder, ["serve", "app.mjs", "-p", "0", "--no-access-log"]);
  const first = await fetch(server.urls[0] as string);
  expect(await first.json()).toEqual({ user: null, values: { visits: 1 } });
  const Cookie = (first.headers.get("set-cookie") as string).split(";", 1)[0] as string;
  const second = await fetch(server.urls[0] as string, { headers: { Cookie } });
  expect(await second.json()).toEqual({ user: null, values: { visits: 2 } });
});

const cookieApp = `import { compose, text } from "@gw/core";
import { cookies, cookiesOf } from "@gw/middleware/cookies";
import { encryptedCookies, encryptedCookiesOf } from "@gw/middleware/encrypted-cookies";
import { flash, flashOf } from "@gw/middleware/flash";
import { session } from "@gw/middleware/session";
import { sealedStore } from "@gw/middleware/session/sealed";
import { signedCookies, signedCookiesOf } from "@gw/middleware/signed-cookies";
const secrets = ["a secret of a test, of at least thirty-two characters"];
const values = ["", "plain", "a b;c,d\\"e\\\\f=%€\\u0001", "x".repeat(2000), "true; Path=/evil; Domain=example.com"];
const kinds = { plain: cookiesOf, signed: signedCookiesOf, sealed: encryptedCookiesOf };
const layers = [session({ store: sealedStore({ secrets }) }), flash(), cookies(), signedCookies({ secrets }), encryptedCookies({ secrets })];
export default compose(layers, (request) => {
  const wrong = [];
  for (const [kind, of] of Object.entries(kinds)) {
    values.forEach((value, at) => {
      const name = kind + at;
      if (request.path === "/set") of(request).set(name, value);
      else if (of(request).get(name) !== value) wrong.push(name);
    });
  }
  if (request.path === "/set") flashOf(request).add("set");
  const shown = request.path === "/set" ? [] : flashOf(request).take();
  return text(JSON.stringify({ wrong, flash: shown }));
});
`;

requires("curl")("R-M6, R-M7: curl keeps what we set, whatever the value, and sends it back as it was", async () => {
  const folder = folderWith({ "app.mjs": cookieApp });
  const server = await serving(folder, ["serve", "app.mjs", "-p", "0", "--no-access-log"]);
  const jar = join(folder.path, "jar");
  const curl = async (path: string): Promise<unknown> => {
    const { stdout } = await promisify(execFile)("curl", ["-sS", "-b", jar, "-c", jar, server.urls[0] + path]);
    return JSON.parse(stdout);
  };
  await curl("/set");
  expect(await curl("/get")).toEqual({ wrong: [], flash: [{ kind: "info", text: "set" }] });
  expect(await curl("/get")).toEqual({ wrong: [], flash: [] });
});

const socketApp = `import { accept, compose, text } from "@gw/core";
import { session, sessionOf } from "@gw/middleware/session";
export default compose([session()], (request) => {
  const mine = sessionOf(request);
  if (request.kind === "http") return text(String(mine.get("begun")));
  mine.set("begun", "over a socket");
  return accept(async (peer) => {
    for await (const _message of peer);
  });
});
`;

test("R-M8: a session that a socket's opening begins has its cookie in the accept head, for every process", async () => {
  const folder = folderWith({ "app.mjs": socketApp });
  const server = await serving(folder, ["serve", "app.mjs", "-p", "0", "-w", "2", "--no-access-log"]);
  const url = server.urls[0] as string;
  const key = { "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13" };
  const opening = httpRequest(url, { headers: { ...key, Connection: "Upgrade", Upgrade: "websocket", Origin: url } });
  opening.end();
  const [answer, socket] = (await once(opening, "upgrade")) as [IncomingMessage, Socket];
  socket.destroy();
  const lines = answer.headers["set-cookie"] ?? [];
  expect(lines).toEqual([expect.stringMatching(/^sid=[\w-]{22}; Path=\/; HttpOnly; SameSite=Lax$/)]);
  const Cookie = lines[0]?.split(";", 1)[0] as string;
  for (let at = 0; at < 6; at++) {
    const seen = await fetch(url, { headers: { Cookie, Connection: "close" } });
    expect(await seen.text()).toBe("over a socket");
  }
});
