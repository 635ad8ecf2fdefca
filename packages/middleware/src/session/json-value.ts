// What a session can hold: JSON, frozen, so that a change which would be lost throws instead.
import { GatewayError } from "@gw/core";

/** A value that JSON can carry. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** A type with every property and element read-only, all the way down. */
export type Immutable<T> = [JsonValue] extends [T] ? T : ImmutableParts<T>;

type ImmutableParts<T> = T extends object ? { readonly [K in keyof T]: Immutable<T[K]> } : T;

/**
 * A frozen copy of a value that JSON carries without loss.
 *
 * Properties that are `undefined` are left out, as JSON does.
 *
 * @throws GatewayError `GW_SESSION_VALUE` for anything JSON would change: dates, maps, class instances, functions,
 *   `NaN`, cycles. The message names the place.
 */
export function toJsonValue(value: unknown, place: string, depth = 0): JsonValue {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      if (Number.isFinite(value)) return value;
      return refuse(place, String(value));
    case "object":
      if (value === null) return value;
      if (depth > MAX_DEPTH) return refuse(place, "a value nested too deep");
      return Array.isArray(value) ? copyArray(value, place, depth) : copyObject(value, place, depth);
    default:
      return refuse(place, typeof value);
  }
}

const MAX_DEPTH = 64; // also what ends a cycle

function copyArray(value: readonly unknown[], place: string, depth: number): JsonValue {
  return Object.freeze(value.map((item, index) => toJsonValue(item, `${place}[${index}]`, depth + 1)));
}

function copyObject(value: object, place: string, depth: number): JsonValue {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) {
    return refuse(place, `an instance of ${value.constructor?.name ?? "a class"}`);
  }
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  const copy = Object.fromEntries(
    entries.map(([key, item]) => [key, toJsonValue(item, `${place}.${key}`, depth + 1)] as const),
  );
  return Object.freeze(copy);
}

function refuse(place: string, found: string): never {
  throw new GatewayError("GW_SESSION_VALUE", 500, `a session holds JSON values; ${place} is ${found}`);
}

/** Freezes a value that came from `JSON.parse`, all the way down. Gives it back. */
export function freezeParsed<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const item of Object.values(value)) freezeParsed(item);
  return Object.freeze(value);
}
