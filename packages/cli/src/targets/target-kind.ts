// What a kind of target is made of.
import type { AppSource } from "@gw/core";
import type { TargetOptions } from "./target.ts";

/** What the command says for all targets that know it. */
export interface CommandDefaults {
  /** `--python` */
  readonly python?: string;
  /** `--threads` */
  readonly threads?: number;
  /** `--reload`, or `gw dev` */
  readonly reload?: boolean;
}

/** A kind of target. */
export interface TargetKind {
  /** The word before the colon. */
  readonly name: string;
  /** Whether it is meant by what follows the colon, where two kinds share a word. @default always */
  takes?(place: string): boolean;
  /** Shown in `--help`. */
  readonly example: string;
  readonly help: string;
  /** What has to be at the place; `"name"`: it is no path; `"program"`: a file, or without a slash a name on PATH. */
  readonly place: "file" | "directory" | "name" | "program";
  /** Options after `?`, with the names of the function's options. */
  readonly options: TargetOptions;
  /** Options that a flag of the same meaning sets where the target does not. */
  readonly follows?: readonly (keyof CommandDefaults)[];
  /** Makes the app. `place` is absolute, unless it is a name; `folder` is what relative names start from. */
  build(place: string, options: Record<string, unknown>, folder: string): Promise<AppSource>;
}
