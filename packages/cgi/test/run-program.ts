// Starts test/apps/program.mjs as a web server would. It imports the built packages: run `npm run build` first.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** The app to start. */
export const PROGRAM: string = join(import.meta.dirname, "apps/program.mjs");

if (!existsSync(join(import.meta.dirname, "../dist/index.js"))) {
  throw new Error("packages/cgi is not built: npx turbo run build --filter=@gw/cgi");
}

/** Variables of a GET request for a path. */
export function variablesOf(path: string, further: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    GATEWAY_INTERFACE: "CGI/1.1",
    PATH: "/usr/bin:/bin",
    REQUEST_METHOD: "GET",
    SCRIPT_NAME: "/app",
    PATH_INFO: path,
    QUERY_STRING: "",
    SERVER_NAME: "example.org",
    SERVER_PORT: "80",
    SERVER_PROTOCOL: "HTTP/1.1",
    SERVER_SOFTWARE: "test",
    REMOTE_ADDR: "192.0.2.1",
    HTTP_HOST: "example.org",
    ...further,
  };
}

/** What a program did. */
export interface ProgramResult {
  readonly stdout: Buffer;
  readonly stderr: string;
  readonly code: number | null;
  /** The header block, one line each. */
  readonly head: string[];
  readonly body: string;
}

/** Starts the program; it is killed when the test ends. */
export function startProgram(variables: Readonly<Record<string, string>>): ChildProcess {
  const child = spawn(process.execPath, [PROGRAM], { env: variables, stdio: "pipe" });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

/** Runs the program to its end. */
export async function runProgram(
  path: string,
  { input = "", variables = {} }: { input?: string | Uint8Array; variables?: Readonly<Record<string, string>> } = {},
): Promise<ProgramResult> {
  const child = startProgram(variablesOf(path, variables));
  child.stdin?.on("error", () => {});
  child.stdin?.end(input);
  return resultOf(child);
}

/** Waits for a program and splits what it wrote. */
export async function resultOf(child: ChildProcess): Promise<ProgramResult> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => stderr.push(chunk));
  const code = await new Promise<number | null>((done) => child.once("close", done));
  const text = Buffer.concat(stdout).toString("latin1");
  const end = text.indexOf("\r\n\r\n");
  return {
    stdout: Buffer.concat(stdout),
    stderr: Buffer.concat(stderr).toString(),
    code,
    head: text.slice(0, Math.max(end, 0)).split("\r\n"),
    body: end === -1 ? "" : text.slice(end + 4),
  };
}
