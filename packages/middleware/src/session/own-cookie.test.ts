// The session's cookie among others of its name, and kept from the apps inside.
import { accept, compose, createContext, type Handler, type Logger, layer, type RequestHead, text } from "@gw/core";
import { openSocket, request, run } from "@gw/core/testing";
import { expect, onTestFinished, test } from "vitest";
import { browse } from "../../test/browser.ts";
import { SlowStore, watchedStore } from "../../test/slow-store.ts";
import { type SessionOptions, session, sessionOf } from "../session.ts";
import { memoryStore } from "./memory.ts";
import { sealedStore } from "./sealed.ts";
import { newToken } from "./token.ts";

const secrets = ["a secret of at least thirty-two characters"];
const ann = { user: "ann", type: "form", groups: [], claims: {} };

/** Logs in and out, and tells who it is and which cookies it was handed. */
const tell: Handler = (asked) => {
  const mine = sessionOf(asked);
  if (asked.path === "/login") mine.logIn(ann);
  if (asked.path === "/logout") mine.end();
  return text(`${mine.principal?.user ?? "nobody"} | ${asked.headers.get("cookie")}`);
};

const stores: [kind: string, store: () => NonNullable<SessionOptions["store"]>][] = [
  ["in a synchronous store", () => memoryStore()],
  ["in an asynchronous store", () => new SlowStore()],
  ["sealed", () => sealedStore({ secrets, ended: memoryStore() })],
  ["sealed, ends in an asynchronous store", () => sealedStore({ secrets, ended: new SlowStore() })],
];

async function loggedIn(options: SessionOptions) {
  const browser = await browse(compose([session(options)], tell));
  onTestFinished(() => browser.app.stop());
  await browser.get("/login");
  const id = browser.cookies.get("sid") as string;
  const ask = async (cookie: string) => (await browser.app.request("/", { headers: { Cookie: cookie } })).text();
  return { browser, id, ask };
}

test.each(stores)("a cookie of our name that an app or another host set locks nobody out: %s", async (_kind, store) => {
  const { browser, id, ask } = await loggedIn({ store: store() });
  const ended = browser.copy();
  await ended.get("/login"); // a new id: the old one has ended
  const now = ended.cookies.get("sid") as string;
  for (const tossed of ["x", newToken(), id, `${newToken()}; sid=${newToken()}`]) {
    expect(await ask(`sid=${tossed}; sid=${now}`)).toMatch(/^ann /);
    expect(await ask(`sid=${tossed}`)).toMatch(/^nobody /);
  }
});

test.each(stores)("a login beside a cookie of our name holds, and a logout ends it: %s", async (_kind, store) => {
  const { id, browser, ask } = await loggedIn({ store: store() });
  const shadow = newToken();
  const send = (path: string) => browser.app.request(path, { headers: { Cookie: `sid=${shadow}; sid=${id}` } });
  expect((await send("/logout")).headers.get("set-cookie")).toMatch(/^sid=; Max-Age=0;/);
  expect(await ask(`sid=${id}`)).toMatch(/^nobody /);
});

test("however many there are, at most three are looked for", async () => {
  const sync = watchedStore();
  const slow = new SlowStore();
  for (const store of [sync, slow]) {
    const { id, ask } = await loggedIn({ store });
    store.calls.length = 0;
    const tossed = Array.from({ length: 50 }, () => `sid=${newToken()}`).join("; ");
    expect(await ask(`${tossed}; sid=${id}`)).toMatch(/^nobody /);
    expect(store.calls).toEqual(["read", "read", "read"]);
    store.calls.length = 0;
    expect(await ask(`sid=${id}; ${tossed}`)).toMatch(/^ann /);
    expect(store.calls).toEqual(["read"]);
  }
});

test.each(stores)(
  "R-M8: apps inside are not handed the session's cookie, and others as they came: %s",
  async (_kind, store) => {
    const { id, ask } = await loggedIn({ store: store() });
    expect(await ask(`sid=${id}`)).toBe("ann | null");
    expect(await ask(`a="1 2";sid=${id} ;  b=%zz; sid=app`)).toBe('ann | a="1 2";  b=%zz; sid=app');
  },
);

test("cookie.forward hands it on", async () => {
  const { id, ask } = await loggedIn({ store: memoryStore(), cookie: { forward: true } });
  expect(await ask(`a=1; sid=${id}`)).toBe(`ann | a=1; sid=${id}`);
});

test("R-M8: the cookie of either scheme is kept from apps: a browser sends the one from before TLS too", async () => {
  const app = compose([session({ store: memoryStore() })], (asked) => text(String(asked.headers.get("cookie"))));
  const Cookie = `sid=${newToken()}; a=1; __Host-sid=${newToken()}`;
  for (const scheme of ["http", "https"] as const) {
    expect(await (await request(app, "/", { scheme, headers: { Cookie } })).text()).toBe("a=1");
  }
});

test("R-M8: nor is a socket's opening handed it", async () => {
  let seen: string | null = null;
  const app = compose([session({ store: memoryStore() })], (asked) => {
    if (asked.kind !== "websocket") return text("no socket");
    seen = asked.headers.get("cookie");
    return accept((peer) => peer.close());
  });
  const socket = await openSocket(app, "/", { headers: { Cookie: `sid=${newToken()}; a=1` } });
  await socket.close();
  expect(seen).toBe("a=1");
});

test("layers around the session see the request as it came; without the cookie its fields are the same list", async () => {
  const seen: RequestHead[] = [];
  const note = layer({
    name: "note",
    onRequest(asked) {
      seen.push(asked);
      return asked;
    },
  });
  const app = await run(compose([note, session({ store: memoryStore() }), note], tell));
  onTestFinished(() => app.stop());
  const Cookie = `sid=${newToken()}`;
  for (const headers of [{ Cookie }, { Cookie: "a=1; sid=app" }, {}]) await app.request("/", { headers });
  expect(seen.map(({ headers }) => headers.get("cookie"))).toEqual([
    Cookie,
    null,
    ...Array(2).fill("a=1; sid=app"),
    null,
    null,
  ]);
  expect(seen[3]?.headers).toBe(seen[2]?.headers);
  expect(seen[5]?.headers).toBe(seen[4]?.headers);
});

test("a session() inside another one is that one's session, and says so once when it was told a store or a cookie", async () => {
  const warned: string[] = [];
  const log: Logger = {
    ...createContext().log,
    child: () => log,
    warn: (_facts: object | string, message?: string) => void warned.push(String(message)),
  };
  const inner = session({ store: memoryStore(), cookie: { name: "other" } });
  const app = await run(compose([session({ store: memoryStore() }), inner], tell), { context: createContext({ log }) });
  onTestFinished(() => app.stop());
  const answer = await app.request("/login");
  expect(answer.headers.getAll("set-cookie")).toEqual([expect.stringMatching(/^sid=[\w-]{22};/)]);
  await app.request("/");
  expect(warned).toEqual([expect.stringContaining("its own store and cookie mean nothing")]);
});
