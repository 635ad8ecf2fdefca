// `gw cgi`: answers the one request of this process.
import { runCgi } from "@gw/cgi";
import type { Invocation } from "../invocation.ts";
import { loadApp } from "../load-app.ts";

/** Loads the app and lets it answer; the exit code is the program's. */
export async function run({ folder, operands, settings, configFile }: Invocation): Promise<number> {
  const app = await loadApp({ folder, operand: operands[0], settings, configFile, fresh: false });
  return runCgi(app);
}
