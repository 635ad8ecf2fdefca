// Values that no mount can mean, refused while the mount is made. What depends on the system is asked at the start.
import { CgiError } from "./errors.ts";
import type { ProgramOptions } from "./options.ts";

/** What a number may be. */
interface Allowed {
  readonly means: string;
  readonly test: (value: number) => boolean;
}

const LONGEST_TIMER_MS = 2_147_483_647;
const limit: Allowed = { means: "milliseconds from 0 on, or Infinity", test: (value) => value >= 0 };
const timer: Allowed = {
  means: `milliseconds from 0 to ${LONGEST_TIMER_MS}`,
  test: (value) => value >= 0 && value <= LONGEST_TIMER_MS,
};
const countFrom = (least: number): Allowed => ({
  means: `a whole number from ${least} on, or Infinity`,
  test: (value) => value >= least && (Number.isInteger(value) || value === Number.POSITIVE_INFINITY),
});

const NUMBERS = {
  headerTimeoutMs: limit,
  idleTimeoutMs: limit,
  timeoutMs: limit,
  stopTimeoutMs: timer,
  queueTimeoutMs: timer,
  maxProcesses: countFrom(1),
  maxQueued: countFrom(0),
  nice: {
    means: "a whole number from -20 to 19",
    test: (value) => Number.isInteger(value) && Math.abs(value + 0.5) < 20,
  },
} as const satisfies { readonly [Name in keyof ProgramOptions]?: Allowed };

/** @throws CgiError `GW_CGI_OPTION` that names the option, what it may be and what was found. */
export function checkOptions(options: ProgramOptions): void {
  for (const [name, { means, test }] of Object.entries<Allowed>(NUMBERS)) {
    const value: unknown = options[name as keyof typeof NUMBERS];
    if (value === undefined || (typeof value === "number" && test(value))) continue;
    throw new CgiError("GW_CGI_OPTION", `${name} is ${means}, found ${shown(value)}`);
  }
  for (const name of options.inherit ?? []) {
    if (typeof name === "string" && /^[^=\u0000]+$/.test(name)) continue;
    throw new CgiError("GW_CGI_OPTION", `inherit holds names of variables, without "=" or NUL, found ${shown(name)}`);
  }
}

function shown(value: unknown): string {
  return typeof value === "number" ? String(value) : (JSON.stringify(value) ?? String(value));
}
