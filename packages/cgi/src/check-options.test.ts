import { expect, test } from "vitest";
import { cgiBin, cgiProgram, gitHttpBackend, phpCgi } from "./index.ts";
import type { ProgramOptions } from "./options.ts";

const refused = (message: string): unknown => expect.objectContaining({ code: "GW_CGI_OPTION", message });

test.each<[ProgramOptions, string]>([
  [{ headerTimeoutMs: -1 }, "headerTimeoutMs is milliseconds from 0 on, or Infinity, found -1"],
  [{ idleTimeoutMs: Number.NaN }, "idleTimeoutMs is milliseconds from 0 on, or Infinity, found NaN"],
  [{ timeoutMs: "60" as never }, 'timeoutMs is milliseconds from 0 on, or Infinity, found "60"'],
  [{ stopTimeoutMs: Infinity }, "stopTimeoutMs is milliseconds from 0 to 2147483647, found Infinity"],
  [{ queueTimeoutMs: -5 }, "queueTimeoutMs is milliseconds from 0 to 2147483647, found -5"],
  [{ maxProcesses: 0 }, "maxProcesses is a whole number from 1 on, or Infinity, found 0"],
  [{ maxProcesses: 1.5 }, "maxProcesses is a whole number from 1 on, or Infinity, found 1.5"],
  [{ maxQueued: -1 }, "maxQueued is a whole number from 0 on, or Infinity, found -1"],
  [{ nice: 20 }, "nice is a whole number from -20 to 19, found 20"],
  [{ nice: -21 }, "nice is a whole number from -20 to 19, found -21"],
  [{ nice: 1.5 }, "nice is a whole number from -20 to 19, found 1.5"],
  [{ inherit: ["TZ", "A=b"] }, 'inherit holds names of variables, without "=" or NUL, found "A=b"'],
  [{ inherit: [""] }, 'inherit holds names of variables, without "=" or NUL, found ""'],
])("%o is refused while the mount is made", (options, message) => {
  expect(() => cgiProgram({ command: "/bin/true", ...options })).toThrow(refused(message));
  expect(() => cgiBin({ root: "/srv", ...options })).toThrow(refused(message));
  expect(() => phpCgi({ root: "/srv", ...options })).toThrow(refused(message));
  expect(() => gitHttpBackend({ root: "/srv", ...options })).toThrow(refused(message));
});

test("the ends of each range are taken", () => {
  const least = { headerTimeoutMs: 0, idleTimeoutMs: 0, timeoutMs: 0, stopTimeoutMs: 0, queueTimeoutMs: 0 };
  const most = { headerTimeoutMs: Infinity, idleTimeoutMs: Infinity, timeoutMs: Infinity, maxQueued: Infinity };
  for (const options of [
    { ...least, maxProcesses: 1, maxQueued: 0, nice: -20 },
    { ...most, nice: 19 },
  ]) {
    expect(() => cgiProgram({ command: "/bin/true", inherit: ["TZ"], ...options })).not.toThrow();
  }
});
