// `gw check`: loads everything that `gw serve` would, prints the pipeline, lints one request, serves nothing.
import { describeApp } from "@gw/core";
import { nodeContext, parseBind } from "@gw/core/node";
import { request } from "@gw/core/testing";
import type { Invocation } from "../invocation.ts";
import { loadApp } from "../load-app.ts";
import { treeLines } from "../print.ts";
import { serveOptionsOf } from "../server-options.ts";

/** 0 if the app loads, starts, and answers `GET /` without breaking a rule; 1 if it breaks one. */
export async function run({ folder, operands, settings, configFile, stdout }: Invocation): Promise<number> {
  const options = serveOptionsOf(settings);
  const binds = options.bind as readonly string[];
  for (const bind of binds) parseBind(bind);
  const app = await loadApp({ folder, operand: operands[0], settings, configFile, fresh: false });
  if (configFile !== null) stdout.write(`configuration: ${configFile.file}\n`);
  for (const { key, value, origin } of settings) stdout.write(`${key} = ${JSON.stringify(value)} (${origin})\n`);
  stdout.write(`would listen on ${binds.join(", ")}\n${treeLines(describeApp(app)).join("\n")}\n`);
  const answer = await request(app, "/", { headers: [["Host", "localhost"]], context: nodeContext({ level: "warn" }) });
  const isClean = answer.outcome.error === null;
  stdout.write(`GET / → ${answer.status}, ${answer.bytes.length} bytes${isClean ? "; lint found nothing" : ""}\n`);
  return isClean ? 0 : 1;
}
