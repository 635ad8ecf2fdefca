import { createLogger } from "@gw/core/node";
import { expect, test } from "vitest";
import type { LoggedError } from "./control.ts";
import { RecentErrors, watchedLog } from "./watched-log.ts";

test("tells of warnings and errors, of children too, and logs them all the same", () => {
  const lines: string[] = [];
  const told: LoggedError[] = [];
  const log = watchedLog(createLogger({ destination: (line) => lines.push(line) }), (error) => told.push(error));
  log.info("fine");
  log.warn("careful");
  log.child({ mount: "/x" }).error({ err: new Error("boom") }, "failed");
  log.error({ err: new Error("alone") });
  expect(lines).toHaveLength(4);
  expect(lines[2]).toContain("mount=/x");
  expect(told.map(({ level, message }) => [level, message])).toEqual([
    ["warn", "careful"],
    ["error", "failed: boom"],
    ["error", "alone"],
  ]);
  log.level = "silent";
  log.warn("unheard");
  expect(lines).toHaveLength(4);
});

test("tells no more than twenty in a second", () => {
  const told: LoggedError[] = [];
  const log = watchedLog(createLogger({ level: "silent" }), (error) => told.push(error));
  for (let time = 0; time < 100; time++) log.error("flood");
  expect(told.length).toBeGreaterThanOrEqual(20);
  expect(told.length).toBeLessThanOrEqual(40);
});

test("keeps the latest fifty, the newest first; what is said again comes first, and counts", () => {
  const errors = new RecentErrors();
  const add = (at: number, message: string, level: LoggedError["level"] = "error"): void =>
    errors.add({ at, level, message, pid: at });
  for (let at = 0; at < 60; at++) add(at, `message ${at}`);
  expect(errors.list).toHaveLength(50);
  expect(errors.list[0]).toEqual({ at: 59, level: "error", message: "message 59", pid: 59, times: 1 });
  for (let at = 60; at < 63; at++) add(at, "message 40");
  add(63, "message 40", "warn");
  expect(errors.list).toHaveLength(50);
  expect(errors.list.slice(0, 3)).toMatchObject([
    { at: 63, level: "warn", times: 1 },
    { at: 62, pid: 62, message: "message 40", times: 4 },
    { at: 59, times: 1 },
  ]);
});
