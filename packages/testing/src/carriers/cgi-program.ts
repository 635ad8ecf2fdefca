// CGI: one process per request, started here with an environment written out by hand, so that the
// program side is checked against RFC 3875 itself and not against our own host side.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { HeaderList } from "@gw/core";
import type { Carrier, ClientAnswer, ClientRequest } from "../carrier.ts";
import { cgiVariables } from "../cgi-variables.ts";

/** How programs are started. */
export interface CgiProgramCarrierOptions {
  /** Program and arguments; the module is added as the last one. */
  command: readonly [program: string, ...args: readonly string[]];
}

/** Starts the command for every request, as a web server would. */
export function cgiProgramCarrier({ command }: CgiProgramCarrierOptions): Carrier {
  return {
    name: "CGI program",
    abilities: new Set(["stream-down"]),
    async open({ module }) {
      const running = new Set<ChildProcess>();
      return {
        send: (request) => send([...command, module], request, running),
        async close() {
          for (const child of running) child.kill("SIGKILL");
        },
      };
    },
  };
}

async function send(
  command: readonly string[],
  request: ClientRequest,
  running: Set<ChildProcess>,
): Promise<ClientAnswer> {
  const { body } = request;
  if (body !== undefined && !(body instanceof Uint8Array)) throw new Error("CGI has no bodies without a length");
  // Node passes only UTF-8 in `env`; a shell sets any byte.
  const script = [...cgiVariables(request)].map(([name, value]) => assignment(name, value)).join("\n");
  const child = spawn("sh", ["-c", `${script}\nexec "$@"`, "sh", ...command], {
    env: { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "" },
    stdio: ["pipe", "pipe", "inherit"],
  });
  running.add(child);
  child.on("close", () => running.delete(child));
  // A program may leave its input unread (R-C15).
  pipeline(Readable.from(body === undefined ? [] : [body]), child.stdin).catch(() => {});
  return answerOf(child);
}

/** A byte string as a word of the shell, ASCII only: printf writes the bytes, and a dot keeps trailing newlines. */
function assignment(name: string, value: string): string {
  const octal = Array.from(value, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, "0")}`).join("");
  return `${name}=$(printf '${octal}.'); ${name}=\${${name}%.}; export ${name}`;
}

async function answerOf(child: ChildProcess): Promise<ClientAnswer> {
  const chunks = (child.stdout as Readable)[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let read: Buffer = Buffer.alloc(0);
  let end = -1;
  for (;;) {
    const { done, value } = await chunks.next();
    if (done) throw new Error(`no CGI head in ${JSON.stringify(read.toString("latin1").slice(0, 200))}`);
    read = Buffer.concat([read, value]);
    end = read.indexOf("\r\n\r\n");
    if (end >= 0) break;
  }
  const lines = read.subarray(0, end).toString("latin1").split("\r\n");
  const pairs = lines.map((line) => line.split(/:[ \t]*(.*)/s).slice(0, 2) as [string, string]);
  const status = pairs.find(([name]) => name.toLowerCase() === "status")?.[1];
  const headers = HeaderList.from(pairs.filter(([name]) => name.toLowerCase() !== "status"));
  return {
    status: status === undefined ? 200 : Number.parseInt(status, 10),
    headers,
    earlyHints: [],
    body: rest(read.subarray(end + 4), chunks, child),
    trailers: () => null,
    abort: () => child.stdout?.destroy(),
  };
}

async function* rest(first: Buffer, chunks: AsyncIterator<Buffer>, child: ChildProcess): AsyncGenerator<Uint8Array> {
  if (first.length > 0) yield first;
  for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  // What a web server makes of a program that fails is its own affair; the exit status is what we can see.
  if (child.exitCode !== 0) throw new Error(`the program ended with ${child.exitCode ?? child.signalCode}`);
}
