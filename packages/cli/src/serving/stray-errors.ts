// An error that an app leaves lying about costs its own request, not the gateway (R-W5).
import type { Logger } from "@gw/core";

/** Logs errors outside of any request and goes on. @returns ends that */
export function logStrayErrors(log: Logger): () => void {
  const onError = (error: unknown): void => log.error({ err: error }, "an error outside of any request");
  process.on("uncaughtException", onError);
  process.on("unhandledRejection", onError);
  return () => {
    process.off("uncaughtException", onError);
    process.off("unhandledRejection", onError);
  };
}
