// R-M8: the limits are the layer's to keep, whatever a store still holds.
import { compose, json } from "@gw/core";
import { expect, test, vi } from "vitest";
import { browse } from "../../test/browser.ts";
import { session, sessionOf } from "../session.ts";
import { memoryStore } from "./memory.ts";
import type { SessionStore } from "./store.ts";

test.each([
  ["idle", { idleMs: 60_000, absoluteMs: 600_000 }, [61_000]],
  ["absolute", { idleMs: 60_000, absoluteMs: 150_000 }, [50_000, 50_000, 51_000]],
] as const)("R-M8: a store that forgets nothing revives nobody beyond the %s limit", async (_limit, limits, steps) => {
  vi.useFakeTimers({ toFake: ["Date", "performance"] });
  const inner = memoryStore();
  let last: Awaited<ReturnType<SessionStore["read"]>> = null;
  const store: SessionStore = {
    isSync: true,
    read: (key) => {
      last = (inner.read(key) as typeof last) ?? last;
      return last;
    },
    create: (key, record) => inner.create(key, record),
    replace: (key, version, record) => inner.replace(key, version, record),
    move: (key, version, newKey, record) => inner.move(key, version, newKey, record),
    touch: (key, expiresMs) => inner.touch(key, expiresMs),
    end: (key) => inner.end(key),
    endAll: (user) => inner.endAll(user),
  };
  const app = compose([session({ store, ...limits })], (request) => {
    const mine = sessionOf(request);
    if (request.path === "/login") mine.logIn({ user: "ann", type: "form", groups: [], claims: {} });
    return json({ user: mine.principal?.user ?? null, isNew: mine.isNew });
  });
  const browser = await browse(app);
  await browser.get("/login");
  for (const [at, step] of steps.entries()) {
    vi.setSystemTime(Date.now() + step);
    vi.advanceTimersByTime(0);
    const expected = at === steps.length - 1 ? { user: null, isNew: true } : { user: "ann", isNew: false };
    expect((await browser.get("/")).json()).toEqual(expected);
  }
  vi.useRealTimers();
  await browser.app.stop();
});
