import { compose, guard, type Handler, redirect, text } from "@gw/core";
import { request } from "@gw/core/testing";
import { describe, expect, test } from "vitest";
import { type Browser, browse } from "../test/browser.ts";
import { SlowStore, watchedStore } from "../test/slow-store.ts";
import { flash, flashOf } from "./flash.ts";
import { memoryStore } from "./session/memory.ts";
import type { SessionStore } from "./session/store.ts";
import { session, sessionOf } from "./session.ts";

const tell: Handler = (request) => {
  const [, verb, value = ""] = request.path.split("/");
  const messages = flashOf(request);
  switch (verb) {
    case "add":
      messages.add(value, value === "bad" ? "error" : undefined);
      return redirect("/show");
    case "peek":
      return text(JSON.stringify(messages.peek()));
    case "fail":
      messages.take();
      throw new Error("the page could not be made");
    case "login":
      sessionOf(request).logIn({ user: "ann", type: "form", groups: [], claims: {} });
      sessionOf(request).clear();
      messages.add("welcome");
      return text("");
    case "logout":
      sessionOf(request).end();
      messages.add("bye");
      return text("");
    case "keys":
      return text(sessionOf(request).keys().join());
    default:
      return text(JSON.stringify(messages.take()));
  }
};

const open = (store: SessionStore, maxMessages?: number): Promise<Browser> =>
  browse(compose([session({ store }), flash(maxMessages === undefined ? {} : { maxMessages })], guard(tell)));
const shown = async (browser: Browser, path = "/show"): Promise<unknown> => (await browser.get(path)).json();

describe.each([
  ["sync store", () => memoryStore()],
  ["async store", () => new SlowStore()],
])("%s", (_kind, newStore) => {
  test("a message is shown once, on the page after the redirect", async () => {
    const browser = await open(newStore());
    expect((await browser.get("/add/saved")).status).toBe(302);
    await browser.get("/add/bad");
    expect(await shown(browser, "/peek")).toHaveLength(2);
    expect(await shown(browser)).toEqual([
      { kind: "info", text: "saved" },
      { kind: "error", text: "bad" },
    ]);
    expect(await shown(browser)).toEqual([]);
  });

  test("stays when the page that took it failed", async () => {
    const browser = await open(newStore());
    await browser.get("/add/saved");
    expect((await browser.get("/fail")).status).toBe(500);
    expect(await shown(browser)).toEqual([{ kind: "info", text: "saved" }]);
  });

  test("survives a login and clear(); after a logout it begins a new session", async () => {
    const browser = await open(newStore());
    await browser.get("/add/early");
    await browser.get("/login");
    expect(await shown(browser)).toMatchObject([{ text: "early" }, { text: "welcome" }]);
    await browser.get("/logout");
    expect(await shown(browser)).toEqual([{ kind: "info", text: "bye" }]);
  });

  test("R-M9: messages of parallel requests are all kept, in order of their end", async () => {
    const browser = await open(newStore());
    await browser.get("/add/first");
    await Promise.all(["a", "b", "c"].map((name) => browser.copy().get(`/add/${name}`)));
    const all = (await shown(browser)) as { text: string }[];
    expect(all.map(({ text }) => text).sort()).toEqual(["a", "b", "c", "first"]);
  });

  test("the oldest go beyond the limit; apps do not see them among their keys", async () => {
    const browser = await open(newStore(), 2);
    for (const name of ["a", "b", "c"]) await browser.get(`/add/${name}`);
    expect((await browser.get("/keys")).text()).toBe("");
    expect(await shown(browser)).toMatchObject([{ text: "b" }, { text: "c" }]);
  });
});

test("a message that was added while another request took stays", async () => {
  const store = new SlowStore();
  let release = (): void => {};
  const waiting = new Promise<void>((resolve) => {
    release = resolve;
  });
  const app = compose([session({ store }), flash()], async (request) => {
    if (request.path !== "/slow") return tell(request);
    const taken = flashOf(request).take();
    await waiting;
    return text(JSON.stringify(taken));
  });
  const browser = await browse(app);
  await browser.get("/add/first");
  const slow = browser.copy().get("/slow");
  await browser.copy().get("/add/second");
  release();
  expect((await slow).json()).toMatchObject([{ text: "first" }]);
  expect(await shown(browser)).toMatchObject([{ text: "second" }]);
});

test("R-M9: a page without messages writes nothing", async () => {
  const store = watchedStore();
  const browser = await open(store);
  await shown(browser);
  await browser.get("/add/a");
  await shown(browser);
  store.calls.length = 0;
  await shown(browser);
  expect(store.calls).toEqual(["read"]);
});

test("the reader says which layer is missing", async () => {
  let caught: unknown;
  await request(
    compose([session({ store: memoryStore() })], (request) => {
      try {
        flashOf(request);
      } catch (error) {
        caught = error;
      }
      return text("");
    }),
  );
  expect(caught).toMatchObject({ code: "GW_NO_FLASH" });
});
