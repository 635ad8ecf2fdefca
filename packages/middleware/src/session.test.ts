import { type App, accept, compose, GatewayError, guard, type Handler, type Principal, redirect, text } from "@gw/core";
import { openSocket, request, testRequest } from "@gw/core/testing";
import { afterEach, describe, expect, expectTypeOf, test, vi } from "vitest";
import { type Browser, browse } from "../test/browser.ts";
import { promisesMadeBy } from "../test/promises.ts";
import { SlowStore, watchedStore } from "../test/slow-store.ts";
import { memoryStore } from "./session/memory.ts";
import type { SessionStore } from "./session/store.ts";
import { keyOf } from "./session/token.ts";
import { type JsonValue, type Session, type SessionOptions, session, sessionCopy, sessionOf } from "./session.ts";

const ann: Principal = { user: "ann", type: "form", groups: ["staff"], claims: { email: "ann@example.com" } };

/** An app whose paths are what a session can be told: /set/key/value, /get/key, /inc/key, /login/user, /logout, … */
const tell: Handler = (request) => {
  const [, verb, key = "", value = ""] = request.path.split("/");
  const it = sessionOf(request);
  switch (verb) {
    case "set":
      it.set(key, value);
      return redirect(`/get/${key}`);
    case "get":
      return text(String(it.get(key)));
    case "keys":
      return text(it.keys().join());
    case "inc":
      it.update(key, (before) => Number(before ?? 0) + 1);
      return text(String(it.get(key)));
    case "delete":
      it.delete(key);
      return text("");
    case "clear":
      it.clear();
      return text("");
    case "login":
      it.logIn({ ...ann, user: key });
      return redirect("/who");
    case "who":
      return text(JSON.stringify(it.principal));
    case "rotate":
      it.rotate();
      return text("");
    case "logout":
      it.end({ everywhere: key === "everywhere" });
      return text("");
    case "new":
      return text(String(it.isNew));
    case "throw":
      it.set(key, value);
      it.logIn(ann);
      throw new Error("after the change");
    case "refuse":
      it.set(key, value);
      throw new GatewayError("GW_TEST", 422, "no");
    default:
      return text("untouched");
  }
};

const later: Handler = async (request) => {
  await Promise.resolve();
  return tell(request);
};

const sidOf = (browser: Browser): string | undefined => browser.cookies.get("sid");
const bodyOf = async (browser: Browser, path: string): Promise<string> => (await browser.get(path)).text();

const kinds: [kind: string, app: Handler, store: () => SessionStore][] = [
  ["sync app, sync store", tell, () => memoryStore()],
  ["async app, sync store", later, () => memoryStore()],
  ["sync app, async store", tell, () => new SlowStore()],
  ["async app, async store", later, () => new SlowStore()],
];

describe.each(kinds)("%s", (_kind, handler, newStore) => {
  const open = (options: SessionOptions = {}, layered: Handler = guard(handler)) =>
    browse(compose([session({ store: newStore(), ...options })], layered));

  test("keeps values from one request to the next; a redirect's next request sees them", async () => {
    const browser = await open();
    const { status } = await browser.get("/set/color/blue");
    expect(status).toBe(302);
    expect(await bodyOf(browser, "/get/color")).toBe("blue");
    await browser.get("/set/size/xl");
    await browser.get("/delete/color");
    expect(await bodyOf(browser, "/keys")).toBe("size");
    await browser.get("/clear");
    expect(await bodyOf(browser, "/keys")).toBe("");
  });

  test("R-M8: an id is 128 random bits, sent once, and never one that the client made up", async () => {
    const browser = await open();
    const planted = "A".repeat(22);
    browser.cookies.set("sid", planted);
    expect(await bodyOf(browser, "/new")).toBe("true");
    await browser.get("/set/a/1");
    expect(sidOf(browser)).toMatch(/^[\w-]{22}$/);
    expect(sidOf(browser)).not.toBe(planted);
    const again = await browser.get("/set/a/2");
    expect(again.headers.has("set-cookie")).toBe(false);
  });

  test("R-M8: the store knows ids only by their hash", async () => {
    const store = newStore();
    const browser = await open({ store });
    await browser.get("/set/a/1");
    const id = sidOf(browser) ?? "";
    expect(await store.read(id)).toBe(null);
    expect(await store.read(keyOf(id))).toMatchObject({ data: '{"a":"1"}' });
  });

  test("R-M8: a login gets a new id; the old one is worth nothing, the values stay", async () => {
    const browser = await open();
    await browser.get("/set/cart/full");
    const before = browser.copy();
    await browser.get("/login/ann");
    expect(sidOf(browser)).not.toBe(sidOf(before));
    expect(JSON.parse(await bodyOf(browser, "/who"))).toEqual(ann);
    expect(await bodyOf(browser, "/get/cart")).toBe("full");
    expect(await bodyOf(before, "/who")).toBe("null");
    expect(await bodyOf(before, "/get/cart")).toBe("undefined");
  });

  test("R-M8: another user's login begins a new session without the values of the first", async () => {
    const browser = await open();
    await browser.get("/login/ann");
    await browser.get("/set/secret/x");
    const asAnn = browser.copy();
    await browser.get("/login/bob");
    expect(await bodyOf(browser, "/get/secret")).toBe("undefined");
    expect(JSON.parse(await bodyOf(browser, "/who"))).toMatchObject({ user: "bob" });
    expect(await bodyOf(asAnn, "/who")).toBe("null");
  });

  test("R-M8: a session ends on the server; its cookie is taken back", async () => {
    const browser = await open();
    await browser.get("/login/ann");
    const thief = browser.copy();
    const answer = await browser.get("/logout");
    expect(answer.headers.get("set-cookie")).toMatch(/^sid=; Max-Age=0; /);
    expect(sidOf(browser)).toBe(undefined);
    expect(await bodyOf(thief, "/who")).toBe("null");
  });

  test("ends every session of a user, and nobody else's", async () => {
    const browser = await open();
    const [phone, other] = [browser.copy(), browser.copy()];
    await browser.get("/login/ann");
    await phone.get("/login/ann");
    await other.get("/login/bob");
    await browser.get("/logout/everywhere");
    expect(await bodyOf(phone, "/who")).toBe("null");
    expect(JSON.parse(await bodyOf(other, "/who"))).toMatchObject({ user: "bob" });
  });

  test("a new id without a login keeps values and user", async () => {
    const browser = await open();
    await browser.get("/login/ann");
    const old = browser.copy();
    await browser.get("/rotate");
    expect(sidOf(browser)).not.toBe(sidOf(old));
    expect(JSON.parse(await bodyOf(browser, "/who"))).toEqual(ann);
    expect(await bodyOf(old, "/who")).toBe("null");
  });

  test.each(["/throw/a/1", "/refuse/a/1"])("a throw saves nothing: %s", async (path) => {
    const around = compose([session({ store: newStore() })], guard(handler));
    const browser = await browse(around);
    const answer = await browser.get(path);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.headers.has("set-cookie")).toBe(false);
    await browser.get("/set/kept/1");
    await browser.get(path);
    expect(await bodyOf(browser, "/keys")).toBe("kept");
    expect(await bodyOf(browser, "/who")).toBe("null");
  });

  test("a throw that passes the layer saves nothing either", async () => {
    const browser = await open({}, handler);
    const answer = await browser.get("/throw/a/1");
    expect([answer.status, answer.headers.has("set-cookie")]).toEqual([500, false]);
  });

  test("R-M8: answers that used the session are for no shared cache; others are left alone", async () => {
    const browser = await open();
    expect((await browser.get("/get/a")).headers.get("cache-control")).toBe("no-store");
    expect((await browser.get("/other")).headers.has("cache-control")).toBe(false);
  });

  test("R-M9: parallel requests of one session lose no change", async () => {
    const browser = await open();
    await browser.get("/set/start/1");
    const paths = Array.from({ length: 20 }, (_, at) => (at % 2 === 0 ? `/set/key${at}/x` : "/inc/n"));
    await Promise.all(paths.map((path) => browser.copy().get(path)));
    expect(await bodyOf(browser, "/get/n")).toBe("10");
    expect((await bodyOf(browser, "/keys")).split(",")).toHaveLength(12);
  });
});

test("R-M9: a request that is slower than a logout does not bring the session back", async () => {
  for (const store of [memoryStore(), new SlowStore()]) {
    let release = (): void => {};
    const waiting = new Promise<void>((resolve) => {
      release = resolve;
    });
    const handler: Handler = async (request) => {
      if (request.path !== "/slow") return tell(request);
      sessionOf(request).set("late", "1");
      await waiting;
      return text("done");
    };
    const browser = await browse(compose([session({ store })], handler));
    await browser.get("/login/ann");
    const slow = browser.copy();
    const pending = slow.get("/slow");
    const other = browser.copy();
    await browser.get("/logout");
    release();
    const answer = await pending;
    expect([answer.status, answer.headers.has("set-cookie")]).toEqual([200, false]);
    expect(await bodyOf(other, "/who")).toBe("null");
    expect(await bodyOf(other, "/keys")).toBe("");
  }
});

test("R-M9: two logins at one time both succeed, each with a session of its own", async () => {
  const browser = await browse(compose([session({ store: new SlowStore() })], later));
  await browser.get("/set/cart/full");
  const [one, two] = [browser.copy(), browser.copy()];
  await Promise.all([one.get("/login/ann"), two.get("/login/ann")]);
  expect(JSON.parse(await bodyOf(one, "/who"))).toEqual(ann);
  expect(JSON.parse(await bodyOf(two, "/who"))).toEqual(ann);
  expect(sidOf(one)).not.toBe(sidOf(two));
});

test("a copy holds the user and the values asked for, and cannot be changed", async () => {
  let copies: unknown[] = [];
  const app = compose([session({ store: memoryStore() })], (request) => {
    const it = sessionOf(request);
    it.logIn(ann);
    it.set("cart", ["book"]);
    it.set("secret", "x");
    copies = [sessionCopy(request, ["cart", "absent"]), sessionCopy(request)];
    return text("");
  });
  await request(app);
  expect(copies).toEqual([
    { user: "ann", values: { cart: ["book"] } },
    { user: "ann", values: { cart: ["book"], secret: "x" } },
  ]);
  expect(() => {
    (copies[0] as { values: { cart: string } }).values.cart = "";
  }).toThrow(TypeError);
});

describe("what the store is asked", () => {
  test("R-M9: reading a session writes nothing", async () => {
    const store = watchedStore();
    const browser = await browse(compose([session({ store })], tell));
    await browser.get("/set/a/1");
    store.calls.length = 0;
    for (let time = 0; time < 5; time++) await browser.get("/get/a");
    expect(store.calls).toEqual(["read", "read", "read", "read", "read"]);
  });

  test("a request that does not touch the session reads no store", async () => {
    const store = watchedStore();
    const browser = await browse(compose([session({ store })], tell));
    await browser.get("/set/a/1");
    store.calls.length = 0;
    await browser.get("/other");
    expect(store.calls).toEqual([]);
  });

  test("a request without a cookie reads no store, even eagerly, and makes no session by reading", async () => {
    const store = new SlowStore();
    const browser = await browse(compose([session({ store })], tell));
    await browser.get("/get/a");
    await browser.get("/delete/a");
    await browser.get("/logout");
    expect(store.calls).toEqual([]);
    expect(sidOf(browser)).toBe(undefined);
  });
});

describe("time", () => {
  afterEach(() => void vi.useRealTimers());

  test("R-M8: ends after 30 idle minutes, and after 24 hours of use; R-M9: use is noted once a minute", async () => {
    vi.useFakeTimers({ toFake: ["Date", "performance"] });
    const store = watchedStore();
    const browser = await browse(compose([session({ store })], tell));
    await browser.get("/set/a/1");
    for (let minute = 0; minute < 24 * 60 - 1; minute++) {
      vi.advanceTimersByTime(60_000);
      expect(await bodyOf(browser, "/get/a")).toBe("1");
    }
    vi.advanceTimersByTime(60_000);
    expect(await bodyOf(browser, "/get/a")).toBe("undefined");
    const touches = store.calls.filter((call) => call === "touch").length;
    expect(touches).toBeGreaterThan(1_300);
    expect(touches).toBeLessThan(24 * 60);
    expect(store.calls.filter((call) => call === "replace")).toEqual([]);
  });

  test("R-M8: ends after 30 idle minutes", async () => {
    vi.useFakeTimers({ toFake: ["Date", "performance"] });
    const browser = await browse(compose([session({ store: memoryStore() })], tell));
    await browser.get("/set/a/1");
    vi.advanceTimersByTime(1_799_000);
    expect(await bodyOf(browser, "/get/a")).toBe("1");
    vi.advanceTimersByTime(1_801_000);
    expect(await bodyOf(browser, "/get/a")).toBe("undefined");
  });
});

describe("after the head", () => {
  const lateOf = async (use: (it: Session) => unknown): Promise<unknown> => {
    let caught: unknown = null;
    const app = compose([session({ store: memoryStore() })], (request) => {
      const it = sessionOf(request);
      it.set("a", 1);
      return {
        ...text(""),
        body: (async function* () {
          yield new Uint8Array(1);
          try {
            await use(it);
          } catch (error) {
            caught = error;
          }
        })(),
      };
    });
    await request(app);
    return caught;
  };

  test.each<[string, (it: Session) => unknown]>([
    ["set", (it) => it.set("a", 2)],
    ["update", (it) => it.update("a", () => 2)],
    ["delete", (it) => it.delete("a")],
    ["logIn", (it) => it.logIn(ann)],
    ["rotate", (it) => it.rotate()],
    ["end", (it) => it.end()],
    ["a rotation that is saved", (it) => it.save(() => it.rotate())],
  ])("%s throws GW_SESSION_LATE", async (_what, use) => {
    expect(await lateOf(use)).toMatchObject({ code: "GW_SESSION_LATE", status: 500 });
  });

  test("reading goes on, and save with a change works", async () => {
    let seen: JsonValue | undefined;
    expect(
      await lateOf(async (it) => {
        await it.save(() => it.set("a", 2));
        seen = it.get("a");
      }),
    ).toBe(null);
    expect(seen).toBe(2);
  });

  test("a late save cannot begin a session", async () => {
    let caught: unknown;
    const app = compose([session({ store: memoryStore() })], (request) => ({
      ...text(""),
      body: (async function* () {
        const it = sessionOf(request);
        caught = await Promise.resolve(new Uint8Array(1))
          .then(() => it.save(() => it.set("a", 1)))
          .catch((error: unknown) => error);
        yield new Uint8Array(1);
      })(),
    }));
    await request(app);
    expect(caught).toMatchObject({ code: "GW_SESSION_LATE" });
  });
});

describe("sockets", () => {
  const socketApp = (store: SessionStore, run: (it: Session) => Promise<void>): App =>
    compose([session({ store })], (request) => {
      if (request.kind === "http") return tell(request);
      const it = sessionOf(request);
      if (request.path === "/begin") it.set("socket", "begun");
      if (request.path === "/loaded") it.get("a");
      return accept(async (peer) => {
        for await (const message of peer) {
          if (message.text() === "go") await run(it);
          await peer.send(JSON.stringify([...it.keys()]));
        }
      });
    });

  test("the cookie goes out with the accept head", async () => {
    const browser = await browse(socketApp(memoryStore(), async () => {}));
    const socket = await browser.openSocket("/begin");
    expect(sidOf(browser)).toMatch(/^[\w-]{22}$/);
    expect(await bodyOf(browser, "/get/socket")).toBe("begun");
    socket.close();
    await socket.ended;
  });

  test.each([
    ["sync", () => memoryStore()],
    ["async", () => new SlowStore()],
  ])("a change must be saved, then the next request sees it (%s store)", async (_kind, newStore) => {
    const errors: unknown[] = [];
    const app = socketApp(newStore(), async (it) => {
      try {
        it.set("lost", 1);
      } catch (error) {
        errors.push(error);
      }
      await Promise.all([1, 2, 3].map((n) => it.save(() => it.update("n", (before) => Number(before ?? 0) + n))));
    });
    const browser = await browse(app);
    await browser.get("/set/a/1");
    const socket = await browser.openSocket("/talk");
    const other = browser.copy();
    await other.get("/inc/n"); // meanwhile
    socket.send("go");
    expect(JSON.parse((await socket.receive()) as string)).toContain("n");
    expect(errors).toEqual([expect.objectContaining({ code: "GW_SESSION_LATE" })]);
    expect(await bodyOf(browser, "/get/n")).toBe("7");
    socket.close();
    await socket.ended;
  });

  test.each(["/loaded", "/talk"])(
    "a save after the session has ended throws GW_SESSION_ENDED, each time (%s)",
    async (path) => {
      const codes: unknown[] = [];
      const app = socketApp(memoryStore(), async (it) => {
        for (let time = 0; time < 2; time++) {
          try {
            await it.save(() => it.set("b", 2));
          } catch (error) {
            codes.push((error as GatewayError).code);
          }
        }
      });
      const browser = await browse(app);
      await browser.get("/login/ann");
      const socket = await browser.openSocket(path);
      await browser.get("/logout");
      socket.send("go");
      await socket.receive();
      expect(codes).toEqual(["GW_SESSION_ENDED", "GW_SESSION_ENDED"]);
      socket.close();
      await socket.ended;
    },
  );

  test("reload sees what other requests saved since", async () => {
    const seen: unknown[] = [];
    const browser = await browse(
      socketApp(memoryStore(), async (it) => {
        seen.push(it.get("b"));
        await Promise.resolve(it.reload());
        seen.push(it.get("b"));
      }),
    );
    await browser.get("/set/a/1");
    const socket = await browser.openSocket("/loaded");
    await browser.get("/set/b/new");
    socket.send("go");
    await socket.receive();
    expect(seen).toEqual([undefined, "new"]);
    socket.close();
    await socket.ended;
  });
});

describe("R-O6: a store that is out", () => {
  test("an asynchronous one fails closed within its time limit, and works again by itself", async () => {
    const store = new SlowStore();
    const browser = await browse(compose([session({ store, storeTimeoutMs: 50 })], tell));
    await browser.get("/login/ann");
    for (const mood of ["hanging", "failing"] as const) {
      store.mood = mood;
      const start = performance.now();
      expect((await browser.get("/who")).status).toBe(503);
      expect((await browser.copy().get("/set/a/1")).status).toBe(503);
      expect(performance.now() - start).toBeLessThan(1_000);
    }
    store.mood = "fine";
    expect(JSON.parse(await bodyOf(browser, "/who"))).toEqual(ann);
  });

  test("a synchronous one, too; requests that need no session go on", async () => {
    const broken: SessionStore = {
      ...memoryStore(),
      isSync: true,
      read() {
        throw new Error("disk I/O error");
      },
    };
    const app = compose([session({ store: broken })], tell);
    const headers = { Cookie: `sid=${"A".repeat(22)}` };
    expect((await request(app, "/who", { headers })).status).toBe(503);
    expect((await request(app, "/other", { headers })).status).toBe(200);
  });

  test("a save that fails closes the answer it replaces", async () => {
    let closed = 0;
    const store = new SlowStore();
    const app = compose([session({ store, storeTimeoutMs: 20 })], (request) => {
      sessionOf(request).set("a", 1);
      store.mood = "hanging";
      return { ...text("never sent"), close: () => void closed++ };
    });
    expect((await request(app)).status).toBe(503);
    expect(closed).toBe(1);
  });
});

test("an asynchronous store with lazy loading must be loaded first", async () => {
  const store = new SlowStore();
  const app = compose([session({ store, load: "lazy" })], async (request) => {
    const it = sessionOf(request);
    if (request.path === "/load") await it.load();
    return tell({ ...request, path: request.path === "/load" ? "/get/a" : request.path });
  });
  const browser = await browse(app);
  await browser.get("/set/a/1");
  expect(await bodyOf(browser, "/load")).toBe("1");
  expect((await browser.get("/get/a")).status).toBe(500);
});

test("values are frozen copies: a change that would be lost throws", async () => {
  const list = ["a"];
  const app = compose([session({ store: memoryStore() })], (request) => {
    const it = sessionOf<{ list: string[] }>(request);
    if (it.isNew) it.set("list", list);
    list.push("not mine any more");
    const stored = it.get("list") as string[];
    expect(() => stored.push("x")).toThrow(TypeError);
    return text(JSON.stringify(stored));
  });
  const browser = await browse(app);
  expect((await browser.get("/")).json()).toEqual(["a"]);
  expect((await browser.get("/")).json()).toEqual(["a"]);
});

test("keys of our own cannot be set or read, and clear keeps the login", async () => {
  const browser = await browse(compose([session({ store: memoryStore() })], guard(tell)));
  await browser.get("/login/ann");
  expect((await browser.get("/set/gw.principal/root")).status).toBe(500);
  expect(await bodyOf(browser, "/get/gw.principal")).toBe("undefined");
  expect(await bodyOf(browser, "/keys")).toBe("");
  await browser.get("/clear");
  expect(JSON.parse(await bodyOf(browser, "/who"))).toEqual(ann);
});

test("a session that is too large is an error, and is not saved", async () => {
  const app = compose([session({ store: memoryStore(), maxChars: 100 })], guard(tell));
  const browser = await browse(app);
  expect((await browser.get(`/set/a/${"x".repeat(100)}`)).status).toBe(500);
  expect((await browser.get(`/set/a/${"x".repeat(50)}`)).status).toBe(302);
});

test("a dispatch inside the exchange shares the session, which is saved once", async () => {
  const store = watchedStore();
  const app = compose([session({ store })], (request) => {
    if (request.kind === "websocket" || request.path !== "/outer") return tell(request);
    sessionOf(request).set("outer", "1");
    return request.exchange.dispatch({ ...request, path: "/get/outer" });
  });
  const browser = await browse(app);
  expect(await bodyOf(browser, "/outer")).toBe("1");
  expect(store.calls).toEqual(["create"]);
  expect(await bodyOf(browser, "/get/outer")).toBe("1");
});

test("over TLS the cookie is __Host-sid", async () => {
  const app = compose([session({ store: memoryStore() })], tell);
  const answer = await request(app, "/set/a/1", { scheme: "https" });
  expect(answer.headers.get("set-cookie")).toMatch(/^__Host-sid=[\w-]{22}; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
});

test("a socket that is refused is an answer like any other", async () => {
  const app = compose([session({ store: memoryStore() })], (request) => {
    sessionOf(request).set("a", 1);
    return text("no", { status: 403 });
  });
  const { response } = await openSocket(app);
  expect([response?.status, response?.headers.has("set-cookie")]).toEqual([403, true]);
});

test("without the layer, sessionOf says what is missing", () => {
  expect(() => sessionOf(testRequest())).toThrow(expect.objectContaining({ code: "GW_NO_SESSION" }));
});

test("with a synchronous store, a sync pipeline makes no promise: begin, read, change, rotate, end", () => {
  const app = compose([session({ store: memoryStore() })], tell);
  const made = promisesMadeBy(() => {
    let cookie = "";
    for (const path of ["/set/a/1", "/get/a", "/inc/n", "/login/ann", "/other", "/logout"]) {
      const answer = app.handle(testRequest(path, { headers: { Cookie: cookie } }));
      if (answer instanceof Promise) throw new Error(`${path} answered later`);
      cookie = answer.headers.get("set-cookie")?.split(";")[0] ?? cookie;
    }
  });
  expect(made).toBe(0);
});

test("sessionOf types keys and values", () => {
  const it = (): Session<{ cart: string[]; visits: number }> => sessionOf(testRequest());
  expectTypeOf<ReturnType<typeof it>["get"]>().toBeCallableWith("cart");
  const typed = null as unknown as Session<{ cart: string[]; visits: number }>;
  const use = (): void => {
    expectTypeOf(typed.get("cart")).toEqualTypeOf<readonly string[] | undefined>();
    expectTypeOf(typed.get("visits")).toEqualTypeOf<number | undefined>();
    typed.set("cart", [...(typed.get("cart") ?? []), "book"]);
    typed.update("visits", (visits = 0) => visits + 1);
    // @ts-expect-error: no such key
    typed.get("basket");
    // @ts-expect-error: not this type
    typed.set("visits", "many");
    // @ts-expect-error: what was read cannot be changed in place
    typed.get("cart")?.push("book");
    expectTypeOf(sessionOf(testRequest()).get("anything")).toEqualTypeOf<JsonValue | undefined>();
    interface Profile {
      readonly name: string;
    }
    expectTypeOf(sessionOf<{ profile: Profile }>(testRequest()).get("profile")?.name).toEqualTypeOf<
      string | undefined
    >();
  };
  expect(use).toBeTypeOf("function");
});
