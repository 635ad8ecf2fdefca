// What all connections of a server share.
import type { BodyPace, ReadVariablesOptions } from "@gw/core";
import type { ApplicationOptions } from "./codec/application.ts";
import type { SpillOptions } from "./input-queue.ts";
import type { Runtimes } from "./runtimes.ts";

/** The apps, and what a web server may cost them. */
export interface ConnectionSettings {
  readonly runtimes: Runtimes;
  readonly codec: ApplicationOptions;
  readonly variables: ReadVariablesOptions;
  readonly spill: SpillOptions;
  /** How long an idle connection stays when the server stops, milliseconds. */
  readonly idleGraceMs: number;
  /** How long a request's variables may take to come, milliseconds. */
  readonly headerTimeoutMs: number;
  /** How slow input may be. */
  readonly pace: BodyPace;
  /** How long a web server may take nothing of what is sent, milliseconds; 0: no limit. */
  readonly writeTimeoutMs: number;
}
