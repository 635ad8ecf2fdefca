// The broker where there is no Python: a Node process that starts programs. Runs as `node node-helper.js DIRECTORY`.
//
// A program's output is its connection to the gateway itself; its input is
// relayed, since Node would read bytes of the body together with the head.
// The protocol is in protocol.ts; a shell starts us again if we die.
import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { createServer, Socket } from "node:net";
import { join } from "node:path";
import { isRunning } from "../process-state.ts";

interface Launch {
  readonly id: string;
  readonly fields: readonly Buffer[];
  readonly output: Socket;
}

interface Running {
  readonly pid: number;
  hasEnded: boolean;
}

const HEAD_LIMIT = 16 << 20;
const CHUNK_BYTES = 4_096;
const directory = process.argv[2] ?? "";
/** Another name at each start: who connects knows already that the helper before has died. */
const name = `s${process.pid}`;
const control = new Socket({ fd: 3, readable: true, writable: true });
const running = new Map<string, Running>();
const inputs = new Map<string, Socket>();
const waiting = new Map<string, Launch>();
/** Standard errors that wait for the gateway to read. */
const paused = new Set<Socket>();

function send(line: string): boolean {
  return control.write(`${line}\n`);
}

/** Reads the head of a connection; what follows it belongs to a program's input. */
function readHead(connection: Socket): void {
  let received: Buffer = Buffer.alloc(0);
  connection.on("error", () => connection.destroy());
  connection.on("data", function take(chunk: Buffer) {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    if (received.length < 8) return;
    const length = Number.parseInt(received.toString("latin1", 0, 8), 16);
    if (!(length <= HEAD_LIMIT)) return void connection.destroy();
    if (received.length < 8 + length) return;
    connection.pause();
    connection.off("data", take);
    if (received.length > 8 + length) connection.unshift(received.subarray(8 + length));
    identify(connection, splitAtNul(received.subarray(8, 8 + length)));
  });
}

function identify(connection: Socket, fields: readonly Buffer[]): void {
  const id = String(fields[0]);
  const mode = String(fields[1]);
  if (mode === "n") return launch({ id, fields, output: connection }, null);
  if (mode === "i") {
    const launched = waiting.get(id);
    if (launched === undefined) return keep(inputs, id, connection, connection);
    waiting.delete(id);
    return launch(launched, connection);
  }
  const input = inputs.get(id);
  if (input === undefined) return keep(waiting, id, { id, fields, output: connection }, connection);
  inputs.delete(id);
  launch({ id, fields, output: connection }, input);
}

function keep<T>(where: Map<string, T>, id: string, what: T, connection: Socket): void {
  where.set(id, what);
  connection.once("close", () => {
    if (where.get(id) === what) where.delete(id);
  });
}

function launch({ id, fields, output }: Launch, input: Socket | null): void {
  const count = Number(fields[3]);
  const [program = "", ...args] = fields.slice(4, 4 + count).map(String);
  const environment = Object.fromEntries(fields.slice(4 + count).map(variableOf));
  try {
    const child = spawn(program, args, {
      cwd: String(fields[2]),
      env: { NODE_V8_COVERAGE: undefined, ...environment },
      detached: true,
      stdio: [input === null ? "ignore" : "pipe", output, "pipe"],
    });
    child.once("error", (error) => failed(id, error, [output, input]));
    if (child.pid !== undefined) watch(id, child.pid, child, input);
  } catch (error) {
    failed(id, error, [output, input]);
    return;
  }
  // The program has it; ours must not hold back its end.
  output.destroy();
}

function failed(id: string, error: unknown, sockets: readonly (Socket | null)[]): void {
  send(`F ${id} ${(error as NodeJS.ErrnoException).code ?? "EINVAL"}`);
  for (const socket of sockets) socket?.destroy();
}

function watch(id: string, pid: number, child: ChildProcess, input: Socket | null): void {
  const program: Running = { pid, hasEnded: false };
  running.set(id, program);
  send(`S ${id} ${pid}`);
  if (input !== null && child.stdin !== null) relay(input, child.stdin as Socket);
  const stderr = child.stderr as Socket;
  let isOpen = true;
  stderr.on("data", (chunk: Buffer) => {
    for (let at = 0; at < chunk.length; at += CHUNK_BYTES) {
      if (!send(`E ${id} ${chunk.toString("hex", at, at + CHUNK_BYTES)}`)) paused.add(stderr.pause());
    }
  });
  stderr.on("error", () => {});
  stderr.once("close", () => {
    isOpen = false;
    if (program.hasEnded) send(`C ${id}`);
  });
  child.once("exit", (code, signal) => {
    // Its last words come before the news of its end.
    setImmediate(() => {
      program.hasEnded = true;
      const hasGroup = kill(pid, 0);
      send(`X ${id} ${waitStatus(code, signal)} ${isOpen ? "o" : "c"} ${hasGroup ? "g" : "-"}`);
      if (!hasGroup) running.delete(id);
    });
  });
}

/** The body on its way into the program. Whoever closes, the other end learns of it. */
function relay(from: Socket, into: Socket): void {
  into.on("error", () => from.destroy());
  into.on("close", () => from.destroy());
  from.on("close", () => into.end());
  from.pipe(into);
}

const NUMBERS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGABRT: 6,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
};

function waitStatus(code: number | null, signal: string | null): number {
  return signal === null ? (code ?? 0) << 8 : (NUMBERS[signal] ?? 127);
}

function kill(pid: number, signal: number): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function splitAtNul(head: Buffer): Buffer[] {
  const fields: Buffer[] = [];
  let start = 0;
  for (let at = head.indexOf(0); at !== -1; at = head.indexOf(0, start)) {
    fields.push(head.subarray(start, at));
    start = at + 1;
  }
  fields.push(head.subarray(start));
  return fields;
}

function variableOf(entry: Buffer): [string, string] {
  const text = entry.toString();
  const equals = text.indexOf("=");
  return [text.slice(0, equals), text.slice(equals + 1)];
}

function readControl(): void {
  let received = "";
  control.on("data", (chunk: Buffer) => {
    const lines = (received + chunk.toString()).split("\n");
    received = lines.pop() ?? "";
    for (const line of lines) obey(line.split(" "));
  });
  control.on("error", () => {});
  control.on("drain", () => {
    for (const stderr of paused) stderr.resume();
    paused.clear();
  });
  // The gateway has closed us, or is no more.
  control.on("close", () => {
    for (const { pid } of running.values()) kill(pid, 9);
    rmSync(directory, { recursive: true, force: true });
    process.exit(0);
  });
}

/** Does it live? If it ended, or is about to, the news of that are on their way. */
function answer(id: string, program: Running | undefined): void {
  if (program === undefined) send(`X ${id} ? c -`);
  else if (!program.hasEnded && isRunning(program.pid)) send(`A ${id}`);
}

function obey([sign, id = "", signal]: readonly string[]): void {
  const program = running.get(id);
  if (sign === "Q") return answer(id, program);
  if (program === undefined) return;
  if (sign === "K") kill(program.pid, Number(signal));
  if (sign === "D" || (program.hasEnded && signal === "9")) running.delete(id);
}

for (const signal of ["SIGHUP", "SIGINT", "SIGTERM", "SIGUSR2"] as const) process.on(signal, () => {});
readControl();
const mask = process.umask(0o077);
createServer({ allowHalfOpen: true }, readHead).listen(join(directory, name), 1_024, () => {
  process.umask(mask);
  send(`\nR ${name}`);
});
