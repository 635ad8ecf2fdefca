// A CGI program that could not be set up: its web server still waits for an answer.
import { runCgi } from "@gw/cgi/program";
import { createContext, silentLogger } from "@gw/core";
import type { Surroundings } from "../invocation.ts";
import { errorLine } from "../print.ts";

/** Answers the request with a 500 that tells nothing, and the server's log with the reason; the process ends with exit code 1. */
export async function answerAsFailed(error: unknown, { environment, stderr }: Surroundings): Promise<never> {
  stderr.write(`${errorLine(error, { verbose: environment.GW_LOG_LEVEL === "debug" })}\n`);
  const fail = (): never => {
    throw error;
  };
  return runCgi({ start: fail, handle: fail }, { context: createContext({ log: silentLogger }) });
}
