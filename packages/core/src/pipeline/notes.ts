// What layers leave on an exchange for layers further out, which do not see inner copies of the request.

import type { PhaseWatcher } from "../model/phase.ts";
import type { Principal } from "../model/principal.ts";
import type { Exchange, RequestHead } from "../model/request.ts";

/** Facts about an exchange that outer layers and the carrier read. */
export interface ExchangeNotes {
  /** The user the innermost auth layer established. */
  principal: Principal | null;
  /** The error that became the answer. */
  error: unknown;
  /** Who watches what the exchange waits for. */
  phases: PhaseWatcher | null;
  /** Layers marked `oncePerExchange` that have let the exchange pass, and at which dispatch depth. */
  readonly passed: Map<object, number>;
}

// A registered symbol, so that two installed copies of gw share the notes.
const NOTES = Symbol.for("gw.exchange.notes");

/** The notes of an exchange, made on first use. */
export function notesOf(exchange: Exchange): ExchangeNotes {
  const holder = exchange as Exchange & { [NOTES]?: ExchangeNotes | null };
  holder[NOTES] ??= { principal: null, error: null, phases: null, passed: new Map() };
  return holder[NOTES];
}

/** The notes of an exchange if any were made. */
export function notesIfAny(exchange: Exchange): ExchangeNotes | null {
  return (exchange as Exchange & { [NOTES]?: ExchangeNotes | null })[NOTES] ?? null;
}

/** A copy of the request with this user, noted for outer layers such as logs. */
export function withPrincipal<R extends RequestHead>(request: R, principal: Principal): R {
  notesOf(request.exchange).principal = principal;
  return { ...request, principal };
}
