// What gateway and spawn broker say to each other. Pure.
//
// A program's output is a connection to the broker's unix socket that starts
// with a head; then the socket itself becomes the program's standard output.
// A program with a body has a second one, for its standard input. A head is
// eight hex digits of length and fields that are separated by NUL:
//
//   id "n"|"b" directory count argument… NAME=value…     (b: there is a connection for the body too)
//   id "i"                                              (this is it)
//
// One control channel carries lines. To the broker: `K id signal` (to the
// program's group), `D id` (its group may live on), `Q id` (its output has
// ended: does it live?), answered by A or, now or later, X. From it:
//
//   R name                   ready, again after each restart; the name of its socket
//   L                        the broker has died, and is about to be started again
//   S id pid                 started (only brokers that cannot find their programs again)
//   F id reason              not started: ENOENT, EACCES, E2BIG, …
//   E id hex                 standard error
//   X id status o|c g|-      ended: wait status, or ? where nobody knows; o: standard error is still open,
//                            g: others of its group live
//   A id                     it lives, though its output has ended
//   C id                     standard error is closed, after `X … o …`
import { ByteQueue, bytesToByteString, GatewayError, toBytes } from "@gw/core";
import type { LaunchSpec, ProgramExit } from "../launcher.ts";

/** The head of a program's output connection, a byte string. */
export function launchHead(id: number, { hasInput, cwd, command, environment }: LaunchSpec): string {
  let head = `${id}\0${hasInput ? "b" : "n"}\0${word(cwd)}\0${command.length}`;
  for (const argument of command) head += `\0${word(argument)}`;
  for (const name in environment) head += `\0${name}=${environment[name]}`;
  if (count(head) !== 3 + command.length + Object.keys(environment).length) {
    throw new GatewayError("GW_ENV_BYTES", 400, "a variable has a NUL, which no environment can carry");
  }
  return withLength(head);
}

/** The head of a program's input connection. */
export function inputHead(id: number): string {
  return withLength(`${id}\0i`);
}

function withLength(head: string): string {
  return head.length.toString(16).padStart(8, "0") + head;
}

/** Arguments and directories are text. */
function word(text: string): string {
  if (text.includes("\0")) throw new TypeError("an argument or directory holds NUL");
  return toBytes(text);
}

function count(head: string): number {
  let found = 0;
  for (let at = head.indexOf("\0"); at !== -1; at = head.indexOf("\0", at + 1)) found++;
  return found;
}

/** What a broker says. */
export type BrokerEvent =
  | { readonly kind: "ready"; readonly socket: string }
  | { readonly kind: "lost" }
  | { readonly kind: "started"; readonly id: number; readonly pid: number }
  | { readonly kind: "failed"; readonly id: number; readonly reason: string }
  | { readonly kind: "errors"; readonly id: number; readonly bytes: Uint8Array }
  | { readonly kind: "errors-closed"; readonly id: number }
  | { readonly kind: "lives"; readonly id: number }
  | {
      readonly kind: "ended";
      readonly id: number;
      readonly exit: ProgramExit;
      readonly hasErrors: boolean;
      readonly hasGroup: boolean;
    };

/** Longest line that a broker may send, bytes. */
const MAX_LINE_BYTES = 65_536;

/** Reads the broker's lines. One that makes no sense was cut by the broker's death, and is dropped. */
export class BrokerDecoder {
  readonly #queue: ByteQueue = new ByteQueue();

  /** Takes one chunk, of any size, and returns every event it completes. */
  feed(chunk: Uint8Array): BrokerEvent[] {
    this.#queue.push(chunk);
    const events: BrokerEvent[] = [];
    for (;;) {
      const line = this.#queue.takeLine(MAX_LINE_BYTES);
      if (line === null) break;
      const event = parseLine(bytesToByteString(line).trimEnd());
      if (event !== null) events.push(event);
    }
    if (this.#queue.length >= MAX_LINE_BYTES) this.#queue.takeAll();
    return events;
  }
}

function parseLine(line: string): BrokerEvent | null {
  const [sign, idText = "", value = "", errors, group] = line.split(" ");
  if (sign === "R") return { kind: "ready", socket: idText };
  if (sign === "L") return { kind: "lost" };
  const id = Number(idText);
  if (!Number.isSafeInteger(id) || id <= 0) return null;
  switch (sign) {
    case "S":
      return { kind: "started", id, pid: Number(value) };
    case "F":
      return { kind: "failed", id, reason: value };
    case "E":
      return { kind: "errors", id, bytes: Buffer.from(value, "hex") };
    case "A":
      return { kind: "lives", id };
    case "C":
      return { kind: "errors-closed", id };
    case "X":
      return { kind: "ended", id, exit: exitOf(value), hasErrors: errors === "o", hasGroup: group === "g" };
    default:
      return null;
  }
}

/** How a program ended whose end nobody saw. */
export const unknownExit: ProgramExit = { code: null, signal: null };

/** A wait status (wait(2)) as code or signal. */
function exitOf(status: string): ProgramExit {
  const number = Number(status);
  if (status === "" || !Number.isSafeInteger(number)) return unknownExit;
  const signal = number & 0x7f;
  return signal === 0 ? { code: (number >> 8) & 0xff, signal: null } : { code: null, signal: signalName(signal) };
}

const SIGNALS: Readonly<Record<number, string>> = {
  1: "SIGHUP",
  2: "SIGINT",
  3: "SIGQUIT",
  4: "SIGILL",
  6: "SIGABRT",
  8: "SIGFPE",
  9: "SIGKILL",
  11: "SIGSEGV",
  13: "SIGPIPE",
  14: "SIGALRM",
  15: "SIGTERM",
};

function signalName(number: number): string {
  return SIGNALS[number] ?? `signal ${number}`;
}
