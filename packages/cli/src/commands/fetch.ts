// `gw fetch <path>`: one request to the app, without a socket, under lint.
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { buffer } from "node:stream/consumers";
import { reasonPhrase } from "@gw/core";
import type { LogLevel } from "@gw/core/node";
import { nodeContext } from "@gw/core/node";
import { request } from "@gw/core/testing";
import type { Invocation } from "../invocation.ts";
import { loadApp } from "../load-app.ts";
import { StartError, UsageError } from "../usage-error.ts";

const EXIT_NOT_OK = 22; // curl's code for --fail

/** Prints the body of the answer (with `-i` its head too); 22 for an answer that is not 2xx. */
export async function run(invocation: Invocation): Promise<number> {
  const { folder, operands, settings, configFile, stdout } = invocation;
  const [path, operand] = operands as [string, string | undefined];
  if (!path.startsWith("/"))
    throw new UsageError(`fetch: found ${JSON.stringify(path)}, expected a path that starts with /`);
  const app = await loadApp({ folder, operand, settings, configFile, fresh: false });
  const body = await readData(settings.text("data"), folder);
  const context = nodeContext({ level: (settings.text("logLevel") ?? "warn") as LogLevel });
  const answer = await request(app, path, {
    method: settings.text("method") ?? (body === undefined ? "GET" : "POST"),
    headers: headersOf(settings.list("header"), body),
    ...(body !== undefined && { body }),
    context,
  });
  if (settings.isOn("include")) {
    const lines = [...answer.headers].map(([name, value]) => `${name}: ${value}\n`).join("");
    stdout.write(Buffer.from(`${`${answer.status} ${reasonPhrase(answer.status)}`.trimEnd()}\n${lines}\n`, "latin1"));
  }
  stdout.write(answer.bytes);
  return answer.status >= 200 && answer.status < 300 && answer.outcome.result === "sent" ? 0 : EXIT_NOT_OK;
}

function headersOf(lines: readonly string[], body: Uint8Array | undefined): [string, string][] {
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    if (colon <= 0) throw new UsageError(`--header: found ${JSON.stringify(line)}, expected 'Name: value'`);
    // Text of the shell is UTF-8; a header is bytes.
    return [line.slice(0, colon).trim(), Buffer.from(line.slice(colon + 1).trim()).toString("latin1")];
  });
  const names = new Set(headers.map(([name]) => name.toLowerCase()));
  if (!names.has("host")) headers.unshift(["Host", "localhost"]);
  if (body !== undefined && !names.has("content-type"))
    headers.push(["Content-Type", "application/x-www-form-urlencoded"]);
  return headers;
}

async function readData(data: string | undefined, folder: string): Promise<Uint8Array | undefined> {
  if (data === undefined) return undefined;
  if (data === "@-") return buffer(process.stdin);
  if (!data.startsWith("@")) return Buffer.from(data);
  try {
    return await readFile(resolve(folder, data.slice(1)));
  } catch (error) {
    throw new StartError(`cannot read --data ${data}: ${(error as Error).message}`, { cause: error });
  }
}
