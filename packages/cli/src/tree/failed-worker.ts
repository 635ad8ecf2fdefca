// A worker that fails before it knows what to serve: its configuration is wrong.
import { errorLine } from "../print.ts";
import type { PrimaryCalls, WorkerCalls } from "./calls.ts";
import { type Answers, Peer } from "./peer.ts";
import { takeWorkerPlace } from "./worker-place.ts";

/**
 * Tells the primary why, so that whoever asked for a reload is told; gives the exit code.
 *
 * @throws the error, in a process that is no worker
 */
export async function failAsWorker(error: unknown, environment: NodeJS.ProcessEnv): Promise<number> {
  const place = takeWorkerPlace(environment);
  if (place === null) throw error;
  const nothing = {} as Answers<WorkerCalls>; // it ends before it is asked anything
  const primary = new Peer<WorkerCalls, PrimaryCalls>(place.control, nothing);
  const exitCode = (error as { code?: unknown } | null)?.code === "GW_USAGE" ? 2 : 1;
  const message = errorLine(error).replace(/^gw: /, "");
  await primary.call("failed", { message, exitCode }).catch(() => {});
  return exitCode;
}
