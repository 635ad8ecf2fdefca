// Sessions sealed in cookies: what a session is still holds, and what a cookie cannot do is refused or known.
import { accept, compose, createContext, guard, type Handler, type Principal, text } from "@gw/core";
import { testRequest } from "@gw/core/testing";
import { requires } from "@gw-private/requires";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { fileStore } from "../src/session/file.ts";
import { memoryStore } from "../src/session/memory.ts";
import { type SealedStoreOptions, sealedStore } from "../src/session/sealed.ts";
import { sqliteStore } from "../src/session/sqlite.ts";
import type { SessionStore } from "../src/session/store.ts";
import { type SessionOptions, session, sessionOf } from "../src/session.ts";
import { type Browser, browse } from "./browser.ts";
import { testFolder } from "./folder.ts";
import { promisesMadeBy } from "./promises.ts";
import { SlowStore } from "./slow-store.ts";

const OLD = "an old secret of at least thirty-two characters";
const NEW = "a new secret of at least thirty-two characters";
const ann: Principal = { user: "ann", type: "form", groups: ["staff"], claims: {} };

const tell: Handler = (request) => {
  const [, verb, value = ""] = request.path.split("/");
  const mine = sessionOf<{ n: number; text: string }>(request);
  if (verb === "open") return text("open");
  if (verb === "login") mine.logIn({ ...ann, user: value });
  if (verb === "logout") mine.end({ everywhere: value === "everywhere" });
  if (verb === "rotate") mine.rotate();
  if (verb === "inc") mine.update("n", (n = 0) => n + 1);
  if (verb === "fill") mine.set("text", "x".repeat(Number(value)));
  if (verb === "again") {
    mine.end({ everywhere: true });
    mine.logIn(ann);
  }
  return text(`${mine.principal?.user ?? "nobody"} ${mine.get("n") ?? 0}`);
};

const open = async (sealed: Partial<SealedStoreOptions> = {}, options: SessionOptions = {}, app = guard(tell)) => {
  const store = sealedStore({ secrets: [NEW], ended: memoryStore(), ...sealed });
  const browser = await browse(compose([session({ ...options, store })], app));
  onTestFinished(() => browser.app.stop());
  return browser;
};
const who = async (browser: Browser): Promise<string> => (await browser.get("/who")).text();

afterEach(() => void vi.useRealTimers());

describe.each<[string, () => SessionStore]>([
  ["ends in memory", () => memoryStore()],
  ["ends in an asynchronous store", () => new SlowStore()],
])("%s", (_kind, ended) => {
  test("keeps values in the cookie alone, which tells nothing", async () => {
    const list = ended();
    const browser = await open({ ended: list });
    await browser.get("/inc");
    await browser.get("/login/ann");
    await browser.get("/inc");
    expect(await who(browser)).toBe("ann 2");
    const cookie = browser.cookies.get("sid") ?? "";
    expect(cookie.length).toBeLessThan(400);
    expect(Buffer.from(cookie, "base64url").toString("latin1")).not.toMatch(/ann|staff/);
  });

  test("R-M8: a login gets a new id; the cookie from before is worth nothing", async () => {
    const browser = await open({ ended: ended() });
    await browser.get("/inc");
    const before = browser.copy();
    await browser.get("/login/ann");
    expect(await who(browser)).toBe("ann 1");
    expect(await who(before)).toBe("nobody 0");
    const old = browser.copy();
    await browser.get("/rotate");
    expect([await who(browser), await who(old)]).toEqual(["ann 1", "nobody 0"]);
  });

  test("R-M8: a logout ends every copy of the cookie, older and newer", async () => {
    const browser = await open({ ended: ended() });
    await browser.get("/login/ann");
    const older = browser.copy();
    await browser.get("/inc");
    const newer = browser.copy();
    const answer = await browser.get("/logout");
    expect(answer.headers.get("set-cookie")).toMatch(/^sid=; Max-Age=0; /);
    expect([await who(older), await who(newer)]).toEqual(["nobody 0", "nobody 0"]);
    await older.get("/logout");
    await older.get("/login/ann");
    expect(await who(older)).toBe("ann 0");
  });

  test("R-M9: a request that is slower than a logout does not bring the session back", async () => {
    let release = (): void => {};
    const waiting = new Promise<void>((done) => {
      release = done;
    });
    const app: Handler = async (request) => {
      if (request.path !== "/slow") return tell(request);
      sessionOf(request).set("text", "late");
      await waiting;
      return text("done");
    };
    const browser = await open({ ended: ended() }, {}, app);
    await browser.get("/login/ann");
    const [slow, thief] = [browser.copy().get("/slow"), browser.copy()];
    await browser.get("/logout");
    release();
    expect((await slow).headers.has("set-cookie")).toBe(false);
    expect(await who(thief)).toBe("nobody 0");
  });

  test("ends every session of a user that has begun, also of the operator's command, and none that begins later", async () => {
    const list = ended();
    const sealed = sealedStore({ secrets: [NEW], ended: list });
    const browser = await browse(compose([session({ store: sealed })], tell));
    onTestFinished(() => browser.app.stop());
    const [phone, bob] = [browser.copy(), browser.copy()];
    await browser.get("/login/ann");
    await phone.get("/login/ann");
    await bob.get("/login/bob");
    await browser.get("/logout/everywhere");
    expect([await who(phone), await who(bob)]).toEqual(["nobody 0", "bob 0"]);
    await phone.get("/again");
    expect(await who(phone)).toBe("ann 0");
    await sealed.endAll("ann");
    expect([await who(phone), await who(bob)]).toEqual(["nobody 0", "bob 0"]);
  });
});

test("R-M7: what was changed, made with other secrets or is another layer's counts as no session", async () => {
  const browser = await open();
  await browser.get("/login/ann");
  const cookie = browser.cookies.get("sid") ?? "";
  for (let at = 0; at < cookie.length - 1; at += 7) {
    const forged = browser.copy();
    forged.cookies.set("sid", cookie.slice(0, at) + (cookie[at] === "A" ? "B" : "A") + cookie.slice(at + 1));
    expect(await who(forged)).toBe("nobody 0");
  }
  const stranger = await open({ secrets: [OLD] });
  stranger.cookies.set("sid", cookie);
  expect(await who(stranger)).toBe("nobody 0");
  const other = await open({}, { cookie: { name: "other" } });
  other.cookies.set("other", cookie);
  expect(await who(other)).toBe("nobody 0");
  const planted = browser.copy();
  planted.cookies.clear();
  planted.cookies.set("x", `1; sid=planted; sid=${cookie}`);
  expect(await who(planted)).toBe("ann 0");
});

test("R-M7: secrets rotate without a logout", async () => {
  const before = await open({ secrets: [OLD] });
  await before.get("/login/ann");
  const after = await open({ secrets: [NEW, OLD] });
  after.cookies.set("sid", before.cookies.get("sid") ?? "");
  expect(await who(after)).toBe("ann 0");
  await after.get("/inc");
  const later = await open({ secrets: [NEW] });
  later.cookies.set("sid", after.cookies.get("sid") ?? "");
  expect(await who(later)).toBe("ann 1");
});

test("R-M8: ends after 30 idle minutes and after 24 hours; a use is noted in a new cookie, once a minute", async () => {
  vi.useFakeTimers({ toFake: ["Date", "performance"] });
  const browser = await open();
  await browser.get("/login/ann");
  const first = browser.copy();
  vi.advanceTimersByTime(30_000);
  expect((await browser.get("/who")).headers.has("set-cookie")).toBe(false);
  vi.advanceTimersByTime(31_000);
  expect((await browser.get("/who")).headers.has("set-cookie")).toBe(true);
  vi.advanceTimersByTime(1_799_000 - 61_000);
  expect(await who(browser)).toBe("ann 0");
  vi.advanceTimersByTime(60_000);
  expect([await who(browser), await who(first)]).toEqual(["ann 0", "nobody 0"]); // a copy that was not used
  for (let minute = 31; minute < 24 * 60; minute += 10) {
    expect(await who(browser)).toBe("ann 0");
    vi.advanceTimersByTime(600_000);
  }
  expect(await who(browser)).toBe("nobody 0");
});

test("a session that browsers would drop is an error, and the one before stays", async () => {
  const browser = await open();
  await browser.get("/login/ann");
  expect((await browser.get("/fill/2700")).status).toBe(200);
  const answer = await browser.get("/fill/3100");
  expect(answer.status).toBe(500);
  expect(answer.headers.has("set-cookie")).toBe(false);
  expect(await who(browser)).toBe("ann 0");
  expect(`sid=${browser.cookies.get("sid")}`.length).toBeLessThanOrEqual(4_097);
});

test("R-O6: nobody is let in while nobody knows who has ended", async () => {
  const ended = new SlowStore();
  const browser = await open({ ended });
  await browser.get("/login/ann");
  ended.mood = "failing";
  expect((await browser.get("/who")).status).toBe(503);
  expect((await (await open({ ended })).get("/open")).status).toBe(200);
});

test("a change after the head cannot go out, and says so; a socket's opening can", async () => {
  let caught: unknown;
  const app: Handler = (request) => {
    if (request.kind === "http") return tell(request);
    const mine = sessionOf(request);
    mine.set("text", "opened");
    return accept(async () => {
      caught = await Promise.resolve()
        .then(() => mine.save(() => mine.set("text", "late")))
        .catch((error: unknown) => error);
    });
  };
  const browser = await open({}, {}, app);
  await browser.get("/login/ann");
  const before = browser.cookies.get("sid");
  const socket = await browser.openSocket("/");
  await socket.ended;
  expect(browser.cookies.get("sid")).not.toBe(before);
  expect(caught).toMatchObject({ code: "GW_SESSION_LATE" });
});

const lists: [string, (path: string) => SessionStore][] = [
  ["files", (path) => fileStore({ directory: path })],
  ["SQLite", (path) => sqliteStore({ path: `${path}.sqlite` })],
];
for (const [name, list] of lists) {
  const declare = name === "SQLite" ? requires("node:sqlite") : test;
  declare(`R-M8: what has ended is remembered over a restart, in ${name}; logins live through it`, async () => {
    const path = `${testFolder()}/ended`;
    const before = await open({ ended: list(path) });
    await before.get("/login/ann");
    const alive = before.copy();
    await before.get("/rotate");
    const ended = alive.cookies.get("sid") ?? "";
    await before.app.stop();
    const after = await open({ ended: list(path) });
    after.cookies.set("sid", before.cookies.get("sid") ?? "");
    expect(await who(after)).toBe("ann 0");
    after.cookies.set("sid", ended);
    expect(await who(after)).toBe("nobody 0");
  });
}

test("without a list of ends, a copy lives on after a logout: what `ended: false` gives up", async () => {
  const browser = await open({ ended: false });
  await browser.get("/login/ann");
  const copy = browser.copy();
  await browser.get("/logout/everywhere");
  expect([await who(browser), await who(copy)]).toEqual(["nobody 0", "ann 0"]);
});

test("ends in the memory of one of several processes are refused at start", async () => {
  const store = sealedStore({ secrets: [NEW], ended: memoryStore() });
  const starting = Promise.resolve(store.start?.(createContext({ hasSiblings: true })));
  await expect(starting).rejects.toMatchObject({ code: "GW_SESSION_NOT_SHARED" });
});

test("makes no promise with a synchronous list", async () => {
  const browser = await open();
  await browser.get("/login/ann");
  const store = sealedStore({ secrets: [NEW], ended: memoryStore() });
  const app = session({ store })(tell);
  const request = testRequest("/inc", { headers: { Cookie: `sid=${browser.cookies.get("sid")}` } });
  expect(promisesMadeBy(() => void app(request))).toBe(0);
});
