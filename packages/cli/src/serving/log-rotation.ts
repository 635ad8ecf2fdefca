// USR1: log files are opened anew, as logrotate asks for.
import { GatewayError } from "@gw/core";
import { type LeveledLogger, reopenLogFiles } from "@gw/core/node";

/**
 * Opens every log file of this process anew.
 *
 * @throws GatewayError `GW_LOG_FILE` naming those that could not be opened; they go on in their old files
 */
export async function reopenOwnLogs(): Promise<void> {
  const failed = await reopenLogFiles();
  if (failed.length > 0) throw new GatewayError("GW_LOG_FILE", 500, failed.join("; "));
}

/**
 * Obeys USR1 from now on. Without a listener Node would open its debugger at this signal.
 *
 * @returns stops that, leaving the signal without an effect
 */
export function reopenOnSignal(log: LeveledLogger, reopen: () => Promise<void>): () => void {
  let isOver = false;
  process.on("SIGUSR1", () => {
    if (isOver) return;
    reopen().catch((error: unknown) => log.error({ err: error }, "log files could not be opened anew"));
  });
  return () => {
    isOver = true;
  };
}
