// `gw cgi`: answers the one request of this process.
import { type RunCgiOptions, runCgi } from "@gw/cgi/program";
import { loadApp } from "../app/load-app.ts";
import type { EffectiveSettings } from "../config/settings.ts";
import type { Invocation } from "../invocation.ts";
import { variablesOptionsOf } from "../serving/variables-options.ts";

/** Loads the app and lets it answer; the process ends with the program's exit code. */
export async function run({ folder, operands, settings, configFile }: Invocation): Promise<number> {
  // What the app's modules print while they are loaded would stand before the answer and spoil it.
  Object.defineProperty(process, "stdout", { configurable: true, enumerable: true, get: () => process.stderr });
  const app = await loadApp({ folder, operand: operands[0], settings, configFile });
  const maxBodyBytes = settings.number("limitRequestBody");
  const stopTimeoutMs = settings.number("gracefulTimeout");
  return runCgi(app, {
    ...(await contextOf(settings)),
    ...variablesOptionsOf(settings),
    ...(maxBodyBytes !== undefined && { maxBodyBytes }),
    ...(stopTimeoutMs !== undefined && { stopTimeoutMs }),
  });
}

/** A log as asked for. By default the program makes one itself, and only when there is something to say. */
async function contextOf(settings: EffectiveSettings): Promise<Pick<RunCgiOptions, "context">> {
  if (settings.text("logLevel") === undefined && settings.text("logFormat") === undefined) return {};
  const { commandContext } = await import("../command-context.ts");
  return { context: commandContext(settings, { level: "info" }) };
}
