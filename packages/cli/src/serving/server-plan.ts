// What a command makes of a call: how its app is loaded, its server opened, and what holds while it runs.
import type { Address, App, AppContext } from "@gw/core";
import type { Invocation } from "../invocation.ts";

/** A server that was opened: those of `@gw/http` and `@gw/fastcgi` are. */
export interface OpenServer {
  readonly addresses: readonly Address[];
  /** Settles when every bind listens. */
  readonly ready: Promise<void>;
  /** Finishes what runs; a second call cuts it. */
  close(): Promise<void>;
  /** Puts the next app in place. */
  reload(app: App): Promise<void>;
}

/** What a command makes of a call. */
export interface ServerPlan {
  /** Loads the app as the call has it now, past the module cache if it is `fresh`. */
  load(invocation: Invocation, options: { fresh: boolean }): Promise<App>;
  /** Where the gateway listens. */
  readonly binds: readonly string[];
  /** Opens the server; returns at once. `binds`: those of the plan, or the descriptors of a worker. */
  open(app: App, context: AppContext, binds: readonly string[]): OpenServer;
  /** Where it listens, for people and their scripts. */
  textOf(address: Address): string;
  /** Time for what runs at a stop or reload, milliseconds. */
  readonly gracefulTimeoutMs: number;
  /** Whether a changed file loads the app anew. */
  readonly isWatching: boolean;
}
