// Starts the built command as users do: in a folder of its own, with an environment of its own.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";

const root = join(import.meta.dirname, "../../..");
export const command = join(root, "packages/cli/bin/gw.js");

/** A folder with files, gone after the test. Packages resolve as in this repository. */
export function folderWith(files: Readonly<Record<string, string>> = {}): Folder {
  const path = realpathSync(mkdtempSync(join(tmpdir(), "gw-e2e-")));
  symlinkSync(join(root, "node_modules"), join(path, "node_modules"));
  const folder: Folder = {
    path,
    write(name, text, mode = 0o644) {
      mkdirSync(dirname(join(path, name)), { recursive: true });
      writeFileSync(join(path, name), text, { mode });
    },
  };
  folder.write("package.json", '{ "type": "module" }\n');
  for (const [name, text] of Object.entries(files)) folder.write(name, text, text.startsWith("#!") ? 0o755 : 0o644);
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return folder;
}

export interface Folder {
  readonly path: string;
  write(name: string, text: string, mode?: number): void;
}

/** Where a command is called. */
type Place = Pick<Folder, "path">;

export interface CallOptions {
  /** Added to a bare environment; `undefined` takes a variable away. */
  environment?: Readonly<Record<string, string | undefined>>;
  /** Arguments of node itself. */
  node?: readonly string[];
  /** Standard input. @default empty */
  input?: string | Uint8Array;
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `process.env` without what would change the command's mind. */
export function bareEnvironment(): Record<string, string> {
  const kept = ["PATH", "HOME", "TMPDIR", "SystemRoot"].flatMap((name) =>
    process.env[name] === undefined ? [] : [[name, process.env[name]]],
  );
  // What is compiled from a test's own folder is of no use to anyone later.
  return { ...Object.fromEntries(kept), NO_COLOR: "1", NODE_DISABLE_COMPILE_CACHE: "1" } as Record<string, string>;
}

function start(
  folder: Place,
  words: readonly string[],
  { environment = {}, node = [] }: CallOptions,
): ChildProcessWithoutNullStreams {
  const child = spawn(process.execPath, [...node, command, ...words], {
    cwd: folder.path,
    env: { ...bareEnvironment(), ...environment },
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

/** Runs `gw …` to its end. */
export function gw(folder: Place, words: readonly string[], options: CallOptions = {}): Promise<Ended> {
  const child = start(folder, words, options);
  child.stdin.on("error", () => {}); // it may not read
  child.stdin.end(options.input ?? "");
  return new Promise((resolve, reject) => {
    const output = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, ...output }));
  });
}

/** A server that was started. */
export interface Server {
  readonly pid: number;
  /** Where it said that it listens, one per bind. */
  readonly urls: readonly string[];
  /** Everything on standard error so far. */
  readonly stderr: () => string;
  readonly stdout: () => string;
  /** Settles when standard error has this from now on; rejects if the process ends before. */
  says(what: RegExp): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  /** Settles with the exit code. */
  readonly ended: Promise<number | null>;
}

/** Starts a server and waits until it has said where it listens. */
export async function serving(
  folder: Place,
  words: readonly string[],
  options: CallOptions & { binds?: number } = {},
): Promise<Server> {
  const child = start(folder, words, options);
  const output = { stdout: "", stderr: "" };
  const listeners = new Set<() => void>();
  const tell = (): void => {
    for (const listener of listeners) listener();
  };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output.stderr += text;
    tell();
  });
  let hasEnded = false;
  const ended = new Promise<number | null>((resolve) =>
    child.on("close", (code) => {
      hasEnded = true;
      tell();
      resolve(code);
    }),
  );
  const until = (isThere: () => boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (!isThere() && !hasEnded) return;
        listeners.delete(look);
        if (isThere()) resolve();
        else reject(new Error(`gw ended and said: ${output.stderr}`));
      };
      listeners.add(look);
      look();
    });
  const urls = (): string[] =>
    [...output.stderr.matchAll(/^gw: listening on (.+)\n/gm)].map(([, url]) => url as string);
  await until(() => urls().length >= (options.binds ?? 1));
  return {
    pid: child.pid as number,
    urls: urls(),
    stderr: () => output.stderr,
    stdout: () => output.stdout,
    says(what) {
      const from = output.stderr.length;
      return until(() => what.test(output.stderr.slice(from)));
    },
    kill: (signal) => void child.kill(signal),
    ended,
  };
}

/** An app whose answer is a word and the path. */
export function appSaying(word: string): string {
  return `import { type GatewayRequest, text } from "@gw/core";
export default (request: GatewayRequest) => text("${word} " + request.path + "\\n");
`;
}

/** Variables of a CGI request. */
export function cgiRequest(
  path: string,
  more: Readonly<Record<string, string | undefined>> = {},
): Record<string, string | undefined> {
  return {
    GATEWAY_INTERFACE: "CGI/1.1",
    REQUEST_METHOD: "GET",
    SCRIPT_NAME: "",
    PATH_INFO: path,
    QUERY_STRING: "",
    SERVER_PROTOCOL: "HTTP/1.1",
    SERVER_NAME: "localhost",
    SERVER_PORT: "80",
    ...more,
  };
}
