// What a kind of target is made of.
import type { AppSource } from "@gw/core";
import type { TargetOptions } from "./target.ts";

/** A kind of target. */
export interface TargetKind {
  /** The word before the colon. */
  readonly name: string;
  /** Shown in `--help`. */
  readonly example: string;
  readonly help: string;
  /** What has to be at the place; `"name"`: it is no path. */
  readonly place: "file" | "directory" | "name";
  /** Options after `?`, with the names of the function's options. */
  readonly options: TargetOptions;
  /** Makes the app. `place` is absolute, unless it is a name; `folder` is what relative names start from. */
  build(place: string, options: Record<string, unknown>, folder: string): Promise<AppSource>;
}
