// `gw check`: loads everything that `gw serve` would, prints the pipeline, lints one request, serves nothing.
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { type App, describeApp } from "@gw/core";
import { request } from "@gw/core/testing";
import type { ServeOptions } from "@gw/http";
import { DEFAULT_THREADS, loadApp } from "../app/load-app.ts";
import { commandContext } from "../command-context.ts";
import type { EffectiveSettings } from "../config/settings.ts";
import type { Invocation } from "../invocation.ts";
import { treeLines } from "../print.ts";
import { serveOptionsOf } from "../serving/server-options.ts";
import { StartError } from "../usage-error.ts";

/** 0 if the app loads, starts, and answers `GET /` without an error of its own or a broken rule. */
export async function run({ folder, operands, settings, configFile, stdout }: Invocation): Promise<number> {
  const options = serveOptionsOf(settings, { isDevelopment: false });
  await checkCertificate(options.tls);
  const app = await loadApp({ folder, operand: operands[0], settings, configFile, threads: DEFAULT_THREADS });
  if (configFile !== null) stdout.write(`configuration: ${configFile.file}\n`);
  for (const { key, value, origin } of settings) stdout.write(`  ${key} = ${JSON.stringify(value)} (${origin})\n`);
  const binds = options.bind.join(", ");
  stdout.write(`would listen on ${binds}${options.tls === undefined ? "" : " with TLS"}\n`);
  stdout.write(`${treeLines(describeApp(app)).join("\n")}\n`);
  const { line, isFine } = await tryRequest(app, settings);
  stdout.write(`GET / → ${line}\n`);
  return isFine ? 0 : 1;
}

async function tryRequest(app: App, settings: EffectiveSettings): Promise<{ line: string; isFine: boolean }> {
  try {
    const { status, bytes, outcome } = await request(app, "/", {
      context: commandContext(settings, { level: "warn" }),
    });
    const answer = `${status}, ${bytes.length} bytes`;
    if (outcome.error !== null) return { line: `${answer}: ${messageOf(outcome.error)}`, isFine: false };
    return { line: `${answer}; lint found nothing`, isFine: true };
  } catch (error) {
    return { line: messageOf(error), isFine: false }; // a broken rule, or an app that does not start
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Whether the server could use the certificate and its key. */
async function checkCertificate(tls: ServeOptions["tls"]): Promise<void> {
  if (tls?.certFile === undefined || tls.keyFile === undefined) return;
  const { certFile, keyFile } = tls;
  try {
    createSecureContext({ cert: await readFile(certFile), key: await readFile(keyFile) });
  } catch (error) {
    throw new StartError(`cannot use the certificate ${certFile} and its key ${keyFile}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
