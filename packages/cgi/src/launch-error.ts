// What it means for a request that its program could not be started; the same whoever tried.
import { HeaderList } from "@gw/core";
import { CgiError } from "./errors.ts";

const SYSTEM_IS_FULL: ReadonlySet<string> = new Set(["EAGAIN", "EMFILE", "ENFILE", "ENOMEM"]);
const HINTS: Readonly<Record<string, string>> = {
  ENOENT: " (the program, its interpreter or its working directory is missing)",
};

/**
 * The error for a request.
 *
 * @param program path of the program, for the log only
 * @param reason the system's name for it: `"ENOENT"`
 */
export function startError(program: string, reason: string, cause?: unknown): CgiError {
  if (reason === "E2BIG") {
    return new CgiError("GW_CGI_REQUEST_TOO_LARGE", "the request is too large for the environment of a program", {
      cause,
    });
  }
  if (SYSTEM_IS_FULL.has(reason)) {
    const headers = HeaderList.from({ "Retry-After": "5" });
    return new CgiError("GW_CGI_BUSY", "no process can be started now", { cause, headers });
  }
  const message = `cannot start ${JSON.stringify(program)}: ${reason || "unknown reason"}${HINTS[reason] ?? ""}`;
  return new CgiError("GW_CGI_NOT_STARTED", message, { cause });
}
