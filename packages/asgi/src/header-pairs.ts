// Header lists ↔ the byte pairs of scopes and events. Pairs are made here and only here.
import { byteStringToBytes, bytesToByteString, type HeaderList } from "@gw/core";
import { eventError } from "./errors.ts";
import type { HeaderPair } from "./scopes.ts";

/**
 * The headers of a scope: pairs with lower-case names, made when they are iterated.
 *
 * Most apps look at few headers or none, and two arrays for each line cost
 * more than the rest of the scope.
 */
export class ScopeHeaders implements Iterable<HeaderPair> {
  readonly #headers: HeaderList;

  constructor(headers: HeaderList) {
    this.#headers = headers;
  }

  *[Symbol.iterator](): Generator<HeaderPair> {
    for (const [name, value] of this.#headers) yield [byteStringToBytes(name.toLowerCase()), byteStringToBytes(value)];
  }
}

/** A list as pairs with lower-case names, for events. */
export function toPairs(headers: HeaderList): HeaderPair[] {
  return [...new ScopeHeaders(headers)];
}

/**
 * The lines of an event's headers, as `[name, value, …]`.
 *
 * @param type of the event, for messages
 * @throws GatewayError `GW_ASGI_EVENT` unless they are pairs of Uint8Array
 */
export function readPairs(pairs: Iterable<HeaderPair>, type: string): string[] {
  if (typeof pairs?.[Symbol.iterator] !== "function") throw notPairs(type, pairs);
  const flat: string[] = [];
  for (const pair of pairs) {
    const [name, value, ...rest] = pair ?? [];
    if (!(name instanceof Uint8Array && value instanceof Uint8Array) || rest.length > 0) throw notPairs(type, pair);
    flat.push(bytesToByteString(name), bytesToByteString(value));
  }
  return flat;
}

/** Whether the pairs are these lines; false also for what cannot be told without iterating. */
export function areLines(flat: readonly string[], pairs: Iterable<HeaderPair>): boolean {
  if (!Array.isArray(pairs) || pairs.length * 2 !== flat.length) return false;
  for (let at = 0; at < pairs.length; at++) {
    const pair = pairs[at] as HeaderPair | undefined;
    if (pair?.length !== 2 || !isBytesOf(flat[at * 2], pair[0]) || !isBytesOf(flat[at * 2 + 1], pair[1])) return false;
  }
  return true;
}

function isBytesOf(text: string | undefined, bytes: Uint8Array): boolean {
  if (text === undefined || !(bytes instanceof Uint8Array) || text.length !== bytes.length) return false;
  for (let at = 0; at < bytes.length; at++) if (text.charCodeAt(at) !== bytes[at]) return false;
  return true;
}

function notPairs(type: string, found: unknown): Error {
  const what = Array.isArray(found) ? `[${found.map((one) => typeof one).join(", ")}]` : typeof found;
  return eventError(type, `headers must be [name, value] pairs of Uint8Array, found ${what}`);
}
