// How lint tells what it found, and small questions that several rules ask.
import { bytesToByteString } from "@gw/core";

/** A value in a few words. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 60));
  if (value === null || value === undefined) return String(value);
  if (value instanceof Uint8Array) return `bytes ${JSON.stringify(bytesToByteString(value.subarray(0, 60)))}`;
  if (Array.isArray(value)) return `[${value.slice(0, 8).map(show).join(", ")}]`;
  return typeof value === "object"
    ? (value.constructor?.name ?? "an object")
    : `${typeof value} ${String(value).slice(0, 60)}`;
}

/** Whether it is a dict of the documents. */
export function isDict(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** The first header that is wrong, as a finding; `null` if none is. A missing list is empty. */
export function firstHeader(headers: unknown, isWrong: (name: string, value: unknown) => boolean): string | null {
  for (const pair of (headers ?? []) as Iterable<readonly [Uint8Array, Uint8Array]>) {
    if (isWrong(bytesToByteString(pair[0]), pair[1])) return show(pair);
  }
  return null;
}

/** What keeps headers from being an iterable of byte pairs; `null` if nothing does. A missing list is empty. */
export function badPairs(headers: unknown): string | null {
  if (headers === undefined) return null;
  if (typeof (headers as Partial<Iterable<unknown>> | null)?.[Symbol.iterator] !== "function") return show(headers);
  for (const pair of headers as Iterable<unknown>) {
    const isPair = Array.isArray(pair) && pair.length === 2 && pair.every((one) => one instanceof Uint8Array);
    if (!isPair) return show(pair);
  }
  return null;
}
