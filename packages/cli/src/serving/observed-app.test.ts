// What the command wraps round an app, and when it does not.
import { createContext, text, toApp } from "@gw/core";
import { run } from "@gw/core/testing";
import { expect, test } from "vitest";
import type { EffectiveSettings } from "../config/settings.ts";
import { ObservedApp } from "./observed-app.ts";

const settingsWith = (admin: readonly string[]): EffectiveSettings =>
  ({ isOn: () => undefined, list: (key: string) => (key === "admin" ? admin : []) }) as unknown as EffectiveSettings;

test.each([
  ["an admin listener can ask", ["127.0.0.1:9000"], 2],
  ["nobody can ask", [], 0],
] as const)("exchanges are counted where %s", async (_, admin, counted) => {
  const observed = new ObservedApp(settingsWith(admin));
  const app = await run(await observed.wrap(toApp((request) => text(request.path))), { context: createContext() });
  expect((await app.request("/a")).text()).toBe("/a");
  await app.request("/b");
  await app.stop();
  expect([observed.isWatched, observed.count.ended]).toEqual([counted > 0, counted]);
});
