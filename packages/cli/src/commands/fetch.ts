// `gw fetch <path>`: one request to the app, without a socket, under lint.
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { buffer } from "node:stream/consumers";
import {
  type App,
  andThen,
  guard,
  type HttpResponse,
  isFieldValue,
  isToken,
  parseAuthority,
  reasonPhrase,
  toBytes,
} from "@gw/core";
import { type RequestInit, request } from "@gw/core/testing";
import { loadApp } from "../app/load-app.ts";
import { commandContext } from "../command-context.ts";
import type { Invocation, Surroundings } from "../invocation.ts";
import { StartError, UsageError } from "../usage-error.ts";

const EXIT_NOT_OK = 22; // curl's code for --fail

/** Prints the body of the answer as it comes (with `-i` its head first); 22 for an answer that is not 2xx. */
export async function run(invocation: Invocation): Promise<number> {
  const { folder, operands, settings, configFile, stdout, stderr } = invocation;
  const [path, operand] = operands as [string, string | undefined];
  if (!path.startsWith("/"))
    throw new UsageError(`fetch: found ${JSON.stringify(path)}, expected a path that starts with /`);
  const headers = headersOf(settings.list("header"));
  const method = methodOf(settings.text("method"));
  const app = await loadApp({ folder, operand, settings, configFile });
  const body = await readData(settings.text("data"), folder);
  if (body !== undefined && !headers.some(([name]) => name.toLowerCase() === "content-type"))
    headers.push(["Content-Type", "application/x-www-form-urlencoded"]);
  const maxBodyBytes = settings.number("limitRequestBody");
  const printer = new AnswerPrinter(stdout, settings.isOn("include") ?? false);
  const answer = await request(printer.around(app), path, {
    method: method ?? (body === undefined ? "GET" : "POST"),
    headers,
    ...serverOf(headers),
    context: commandContext(settings, { level: "warn" }),
    onChunk: (chunk) => printer.printChunk(chunk),
    ...(body !== undefined && { body }),
    ...(maxBodyBytes !== undefined && { maxBodyBytes }),
  });
  await printer.end(answer);
  if (answer.outcome.result === "sent") return answer.status >= 200 && answer.status < 300 ? 0 : EXIT_NOT_OK;
  stderr.write(`gw: the answer broke off: ${(answer.outcome.error as Error | null)?.message ?? "no reason given"}\n`);
  return 1;
}

/** Prints an answer while it comes: the head as soon as it is known, so that an endless body is seen, too. */
class AnswerPrinter {
  readonly #stdout: Surroundings["stdout"];
  readonly #isHeadWanted: boolean;
  #head: Pick<HttpResponse, "status" | "headers"> | null = null;

  constructor(stdout: Surroundings["stdout"], isHeadWanted: boolean) {
    this.#stdout = stdout;
    this.#isHeadWanted = isHeadWanted;
  }

  /** The app, with an eye on the head of its answer. */
  around(app: App): App {
    const handle = guard(app.handle);
    return {
      ...app,
      handle: (request) =>
        andThen(handle(request), (answer) => {
          if (answer.kind === "response") this.#head = answer;
          return answer;
        }),
    };
  }

  async printChunk(chunk: Uint8Array): Promise<void> {
    if (this.#head !== null) await this.end(this.#head);
    await this.#write(chunk);
  }

  /** Prints the head if that has not been done. */
  async end(head: Pick<HttpResponse, "status" | "headers">): Promise<void> {
    if (!this.#isHeadWanted || this.#isHeadPrinted) return;
    this.#isHeadPrinted = true;
    const lines = [...head.headers].map(([name, value]) => `${name}: ${value}\n`).join("");
    await this.#write(toHeadBytes(`${`${head.status} ${reasonPhrase(head.status)}`.trimEnd()}\n${lines}\n`));
  }

  #isHeadPrinted = false;

  #write(bytes: Uint8Array): Promise<void> {
    return new Promise((done) => this.#stdout.write(bytes, () => done()));
  }
}

/** A head is a byte string. */
function toHeadBytes(head: string): Uint8Array {
  return Buffer.from(head, "latin1");
}

function methodOf(method: string | undefined): string | undefined {
  if (method !== undefined && !isToken(method))
    throw new UsageError(`--method: found ${JSON.stringify(method)}, expected a word such as GET`);
  return method;
}

function headersOf(lines: readonly string[]): [string, string][] {
  return lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0)).trim();
    const value = toBytes(line.slice(colon + 1).trim()); // the shell's text is UTF-8; a header is bytes
    if (!isToken(name) || !isFieldValue(value))
      throw new UsageError(`--header: found ${JSON.stringify(line)}, expected 'Name: value'`);
    return [name, value];
  });
}

/** Mounts by host see the host that the request is for. */
function serverOf(headers: readonly (readonly [string, string])[]): Pick<RequestInit, "server"> {
  const host = headers.find(([name]) => name.toLowerCase() === "host")?.[1];
  if (host === undefined) return {};
  try {
    return { server: parseAuthority(host, "http") };
  } catch (error) {
    throw new UsageError(`--header: ${(error as Error).message}`, { cause: error });
  }
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
