// Values that no mount can mean, refused while the mount is made. What depends on the system is asked at the start.
import { checkNumbers, countFrom, limitMs, type NumberTable, shownValue, timerMs, wholeNumber } from "@gw/core";
import { CgiError } from "./errors.ts";
import type { ProgramOptions } from "./options.ts";

const NUMBERS: NumberTable<ProgramOptions> = {
  headerTimeoutMs: limitMs,
  idleTimeoutMs: limitMs,
  timeoutMs: limitMs,
  stopTimeoutMs: timerMs,
  queueTimeoutMs: timerMs,
  maxProcesses: countFrom(1),
  maxQueued: countFrom(0),
  nice: wholeNumber(-20, 19),
};

/** @throws CgiError `GW_CGI_OPTION` that names the option, what it may be and what was found. */
export function checkOptions(options: ProgramOptions): void {
  checkNumbers(options, NUMBERS, (message) => new CgiError("GW_CGI_OPTION", message));
  for (const name of options.inherit ?? []) {
    if (typeof name === "string" && /^[^=\u0000]+$/.test(name)) continue;
    const found = shownValue(name);
    throw new CgiError("GW_CGI_OPTION", `inherit holds names of variables, without "=" or NUL, found ${found}`);
  }
}
