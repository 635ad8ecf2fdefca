import pino from "pino";
import { expect, test } from "vitest";
import type { Logger } from "./log.ts";

test("pino itself is a Logger", () => {
  const lines: string[] = [];
  const log: Logger = pino({ base: null, timestamp: false }, { write: (line) => void lines.push(line) });
  log.child({ requestId: "1" }).info({ status: 200 }, "answered");
  log.warn("alone");
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    { level: 30, requestId: "1", status: 200, msg: "answered" },
    { level: 40, msg: "alone" },
  ]);
});
