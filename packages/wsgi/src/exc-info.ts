// sys.exc_info() for TypeScript.
import type { ExcInfo } from "./types.ts";

/** The triple that `startResponse` takes from an error handler: `startResponse("500 Oops", headers, excInfo(error))`. */
export function excInfo(error: unknown): ExcInfo {
  const isError = error instanceof Error;
  return [isError ? error.constructor : typeof error, error, isError ? (error.stack ?? null) : null];
}
