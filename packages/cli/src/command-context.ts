// The context of an app that a command runs: a log on standard error as the settings have it.
import type { AppContext } from "@gw/core";
import { createLogger, type LeveledLogger, type LogLevel, nodeContext } from "@gw/core/node";
import type { EffectiveSettings } from "./config/settings.ts";
import { threadLoaderUrl } from "./modules/thread-loader-url.ts";

/** A context with the level and form of `--log-level` and `--log-format`. `level`: what holds without the flag. */
export function commandContext(settings: EffectiveSettings, { level }: { level: LogLevel }): AppContext {
  return nodeContext({
    level: (settings.text("logLevel") ?? level) as LogLevel,
    format: (settings.text("logFormat") ?? "text") as "text" | "json",
    moduleLoader: threadLoaderUrl(),
  });
}

/**
 * The log of a server: in the file or on standard error, as the settings have it. `facts` stand on each line.
 *
 * @throws GatewayError `GW_LOG_FILE`
 */
export function commandLog(settings: EffectiveSettings, facts: object = {}): LeveledLogger {
  const path = settings.text("logFile");
  return createLogger({
    ...(path !== undefined && { destination: { path } }),
    level: (settings.text("logLevel") ?? "info") as LogLevel,
    format: (settings.text("logFormat") ?? "text") as "text" | "json",
    facts,
  });
}
