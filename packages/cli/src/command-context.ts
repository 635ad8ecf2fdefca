// The context of an app that a command runs: a log on standard error as the settings have it.
import type { AppContext } from "@gw/core";
import { type LogLevel, nodeContext } from "@gw/core/node";
import type { EffectiveSettings } from "./config/settings.ts";

/** A context with the level and form of `--log-level` and `--log-format`. `level`: what holds without the flag. */
export function commandContext(settings: EffectiveSettings, { level }: { level: LogLevel }): AppContext {
  return nodeContext({
    level: (settings.text("logLevel") ?? level) as LogLevel,
    format: (settings.text("logFormat") ?? "text") as "text" | "json",
  });
}
