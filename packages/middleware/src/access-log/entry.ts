// What is known of an exchange when it has ended: what a line of the access log is made of.
import { type Address, type Answer, type GatewayRequest, notesIfAny, type Outcome } from "@gw/core";

/** One exchange, ended. */
export interface LogEntry {
  readonly request: GatewayRequest;
  /** The answer as the layer saw it; `null` if none passed it, or if no format asked for it. */
  readonly answer: Answer | null;
  readonly outcome: Outcome;
  /** When the request came, milliseconds since the epoch. */
  readonly startedMs: number;
  /** How long it took, monotonic, milliseconds. For a socket: its whole life. */
  readonly durationMs: number;
}

/** The user that an inner layer established, or `null`. Text. */
export function userOf({ request }: LogEntry): string | null {
  return (notesIfAny(request.exchange)?.principal ?? request.principal)?.user ?? null;
}

/** An address's host, or `-`. */
export function hostOf(address: Address | null): string {
  if (address === null) return "-";
  return "host" in address ? address.host : "unix";
}
