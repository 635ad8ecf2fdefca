// The kinds of target: what comes before the colon, its options, and how it becomes an app.
import { resolve } from "node:path";
import type { AppSource } from "@gw/core";
import { readOptions, type Target, type TargetOptionKind } from "./target.ts";

/** A kind of target. */
export interface TargetKind {
  /** The word before the colon. */
  readonly name: string;
  /** Shown in `--help`. */
  readonly example: string;
  readonly help: string;
  /** Options after `?`, with the names of the function's options. */
  readonly options: Readonly<Record<string, TargetOptionKind>>;
  /** Makes the app. `place` is absolute. */
  build(place: string, options: Record<string, unknown>): Promise<AppSource>;
}

const PROGRAM_OPTIONS = {
  env: "record",
  inherit: "list",
  headerTimeoutMs: "number",
  idleTimeoutMs: "number",
  timeoutMs: "number",
  maxProcesses: "number",
} as const;

/** Every kind, in the order of `--help`. */
export const TARGET_KINDS: readonly TargetKind[] = [
  {
    name: "cgi",
    example: "cgi:./program",
    help: "one CGI program",
    options: { ...PROGRAM_OPTIONS, args: "list", cwd: "text" },
    async build(place, options) {
      const { cgiProgram } = await import("@gw/cgi");
      return cgiProgram({ ...options, command: place });
    },
  },
  {
    name: "cgi-bin",
    example: "cgi-bin:./directory",
    help: "a directory of CGI programs",
    options: { ...PROGRAM_OPTIONS, index: "list", interpreters: "record" },
    async build(place, options) {
      const { cgiBin } = await import("@gw/cgi");
      return cgiBin({ ...options, root: place });
    },
  },
  {
    name: "git",
    example: "git:./repositories",
    help: "git smart HTTP for a directory of repositories",
    options: { exportAll: "switch", receivePack: "switch" },
    async build(place, options) {
      const { gitHttpBackend } = await import("@gw/cgi");
      return gitHttpBackend({ ...options, root: place });
    },
  },
  {
    name: "static",
    example: "static:./directory",
    help: "the files of a directory",
    options: { index: "list", dotfiles: "text", cacheControl: "text" },
    async build(place, options) {
      const { fileAnswer } = await import("@gw/core/node");
      return { handle: (request) => fileAnswer(request, { ...options, root: place }) };
    },
  },
];

/** The words that may stand before a colon. */
export const TARGET_NAMES: readonly string[] = TARGET_KINDS.map(({ name }) => name);

/** Makes the app of a target that is no file. */
export async function buildTarget(target: Target, folder: string): Promise<AppSource> {
  const kind = TARGET_KINDS.find(({ name }) => name === target.kind) as TargetKind;
  return kind.build(resolve(folder, target.place), readOptions(target, kind.options));
}
