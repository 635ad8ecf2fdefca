// A case of the host side: a program, a request, and what must come of it under any host.
import { type ClientRequest, type CollectedAnswer, collect } from "@gw/testing";
import type { OpenHost } from "./hosts.ts";

/** One program and what is asked of it. */
export interface HostCase {
  /** A sentence a user could check, with the requirement's number. */
  readonly title: string;
  /** Name of the program's file; `….txt` has no execute permission. */
  readonly name: string;
  /** A shell script. */
  readonly program: string;
  readonly check: (ask: Ask) => Promise<void>;
  /** Hosts that do otherwise, and why. That they do is checked, too. */
  readonly deviates?: Readonly<Record<string, string>>;
  /** Hosts that do so now and then only, and why: it is not run there. */
  readonly unsteady?: Readonly<Record<string, string>>;
}

/** Asks the case's program; `rest` follows its path. */
export type Ask = (rest?: string, request?: Omit<ClientRequest, "target">) => Promise<CollectedAnswer>;

/** Asks a host for a case's program. */
export function asking({ send }: OpenHost, { name }: HostCase): Ask {
  return async (rest = "", request = {}) => collect(await send({ ...request, target: `/cgi-bin/${name}${rest}` }));
}

/** The variables that a program printed with `env -0 | tr '\n\000' '|\n'`. */
export function variables({ text }: CollectedAnswer): Record<string, string> {
  const lines = text()
    .split("\n")
    .filter((line) => line.includes("="));
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]));
}
