// The error of a backend whose process failed.
import { GatewayError, isGatewayError } from "../model/errors.ts";
import type { ChildExit } from "./child.ts";

/** A failed process as an error: 503, for the mount has nobody to ask. */
export function backendFailure(message: string, cause?: unknown): GatewayError {
  return new GatewayError("GW_BACKEND_FAILED", 503, message, cause === undefined ? {} : { cause });
}

/** Any error as a backend's failure. */
export function asBackendFailure(error: unknown): GatewayError {
  if (isGatewayError(error)) return error;
  return backendFailure(error instanceof Error ? error.message : String(error), error);
}

/** How a process ended, in words, with the end of its standard error. */
export function describeExit({ code, signal, stderr }: ChildExit, when = ""): string {
  const how = `${signal === null ? `exited with code ${code}` : `was ended by ${signal}`}${when}`;
  return stderr === "" ? how : `${how}; its last words: ${stderr}`;
}
