// The kinds of target: what comes before the colon, its options, and how it becomes an app.
import type { Stats } from "node:fs";
import { resolve } from "node:path";
import type { CgiBinOptions, CgiProgramOptions, GitHttpBackendOptions, ProgramOptions } from "@gw/cgi";
import { type AppSource, isGatewayError } from "@gw/core";
import type { FileAnswerOptions } from "@gw/core/node";
import { fs } from "../builtins.ts";
import { StartError, UsageError } from "../usage-error.ts";
import { FASTCGI_KINDS } from "./fastcgi-kinds.ts";
import { PROXY_KINDS } from "./proxy-kinds.ts";
import { PYTHON_KINDS } from "./python-kinds.ts";
import { readOptions, type Target, type TargetOptionKind } from "./target.ts";
import type { CommandDefaults, TargetKind } from "./target-kind.ts";

/** Options that can be written as text, each under the name that the function has for it. */
type OptionsFor<T> = { readonly [K in keyof T]?: TargetOptionKind };

const PROGRAM_OPTIONS = {
  env: "record",
  inherit: "list",
  path: "text",
  cwd: "path",
  documentRoot: "path",
  headerTimeoutMs: "number",
  idleTimeoutMs: "number",
  timeoutMs: "number",
  stopTimeoutMs: "number",
  maxProcesses: "number",
  maxQueued: "number",
  queueTimeoutMs: "number",
  endOnDisconnect: "switch",
  checkExitCode: "switch",
  authorization: "switch",
  queryArguments: "switch",
  nph: "switch",
  user: "text",
  group: "text",
  nice: "number",
  limits: "numbers",
  spawner: "text",
} as const satisfies OptionsFor<ProgramOptions>;

const { documentRoot: _root, nph: _nph, queryArguments: _words, ...GIT_PROGRAM_OPTIONS } = PROGRAM_OPTIONS;

/** Every kind, in the order of `--help`. */
export const TARGET_KINDS: readonly TargetKind[] = [
  {
    name: "cgi",
    example: "cgi:./program",
    help: "one CGI program",
    place: "file",
    options: { ...PROGRAM_OPTIONS, args: "list" } satisfies OptionsFor<CgiProgramOptions>,
    async build(place, options) {
      const { cgiProgram } = await import("@gw/cgi");
      return cgiProgram({ ...options, command: place });
    },
  },
  {
    name: "cgi-bin",
    example: "cgi-bin:./directory",
    help: "a directory of CGI programs",
    place: "directory",
    options: { ...PROGRAM_OPTIONS, index: "list", interpreters: "record" } satisfies OptionsFor<CgiBinOptions>,
    async build(place, options) {
      const { cgiBin } = await import("@gw/cgi");
      return cgiBin({ ...options, root: place });
    },
  },
  {
    name: "git",
    example: "git:./repositories",
    help: "git smart HTTP for a directory of repositories",
    place: "directory",
    options: {
      ...GIT_PROGRAM_OPTIONS,
      exportAll: "switch",
      receivePack: "switch",
      git: "text",
    } satisfies OptionsFor<GitHttpBackendOptions>,
    async build(place, options) {
      const { gitHttpBackend } = await import("@gw/cgi");
      return gitHttpBackend({ ...options, root: place });
    },
  },
  {
    name: "static",
    example: "static:./directory",
    help: "the files of a directory",
    place: "directory",
    options: {
      index: "list",
      cacheControl: "text",
      dotfiles: ["refuse", "serve"],
      etag: ["strong", "weak"],
      maxRanges: "number",
      precompressed: "switch",
      symlinks: ["inside", "refuse", "follow"],
      types: "record",
    } satisfies OptionsFor<FileAnswerOptions>,
    async build(place, options) {
      const { fileAnswer } = await import("@gw/core/node");
      return {
        handle: (request) => fileAnswer(request, { ...options, root: place }),
        describe: () => ({ kind: "static", name: place }),
      };
    },
  },
  ...FASTCGI_KINDS,
  ...PYTHON_KINDS,
  ...PROXY_KINDS,
];

/** The words that may stand before a colon. */
export const TARGET_NAMES: readonly string[] = [...new Set(TARGET_KINDS.map(({ name }) => name))];

/**
 * Makes the app of a target that is no file.
 *
 * @throws UsageError for options that do not fit; StartError if there is nothing at its place
 */
export async function buildTarget(target: Target, folder: string, defaults: CommandDefaults = {}): Promise<AppSource> {
  const kind = TARGET_KINDS.find(
    (one) => one.name === target.kind && (one.takes?.(target.place) ?? true),
  ) as TargetKind;
  const followed = (kind.follows ?? []).flatMap((name) =>
    defaults[name] === undefined ? [] : [[name, defaults[name]]],
  );
  const options = { ...Object.fromEntries(followed), ...readOptions(target, kind.options, folder) };
  const expected = kind.place === "program" ? (target.place.includes("/") ? "file" : "name") : kind.place;
  const place = expected === "name" ? target.place : resolve(folder, target.place);
  if (expected !== "name") requirePlace(target, expected, place);
  try {
    return await kind.build(place, options, folder);
  } catch (error) {
    if (!isGatewayError(error)) throw error;
    throw new UsageError(`app ${JSON.stringify(target.text)}: ${error.message}`, { cause: error });
  }
}

/** Somebody has just typed the name: what is not there is a slip, not something to be installed later. */
function requirePlace({ text }: Target, expected: "file" | "directory", path: string): void {
  const found = fs.statSync(path, { throwIfNoEntry: false });
  const isThere = expected === "directory" ? found?.isDirectory() : found?.isFile();
  if (!isThere)
    throw new StartError(`app ${JSON.stringify(text)}: ${path} is ${whatIs(found)}, expected a ${expected}`);
}

function whatIs(found: Stats | undefined): string {
  if (found === undefined) return "not there";
  return found.isDirectory() ? "a directory" : "no directory";
}
