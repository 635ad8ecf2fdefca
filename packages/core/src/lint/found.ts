// Values in a few words, for messages; and the shapes that several rules ask about.
import { isFieldValue, isToken } from "../headers/syntax.ts";

/** A value in a few words: `"text"`, `undefined`, `an object Foo`. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
  if (typeof value === "function") return `a function ${value.name}`.trimEnd();
  if (typeof value !== "object" || value === null) return String(value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  const maker: unknown = value.constructor;
  return typeof maker === "function" && maker !== Object ? `an object ${maker.name}` : "an object";
}

/** Why a value is no plain record; `null` if it is one: own data properties only, no class. */
export function whyNotPlain(value: unknown): string | null {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return show(value);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return show(value);
  for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(value))) {
    if (!("value" in property)) return `${name} is a getter`;
  }
  return null;
}

/** Whether a value is a string of bytes: chars U+0000 to U+00FF. */
export function isByteString(value: unknown): value is string {
  return typeof value === "string" && /^[\u0000-\u00ff]*$/.test(value);
}

/** Whether a value is an object or function with these methods. */
export function hasMethods(value: unknown, ...names: readonly (string | symbol)[]): boolean {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  return names.every((name) => typeof (value as Record<string | symbol, unknown>)[name] === "function");
}

/** Why a value is no HeaderList with legal lines; `null` if it is one. */
export function whyNotHeaders(value: unknown): string | null {
  if (!hasMethods(value, "get", "getAll", "toFlat")) return show(value);
  const flat = (value as { toFlat(): readonly string[] }).toFlat();
  for (let at = 0; at < flat.length; at += 2) {
    const name = flat[at] as string;
    if (!isToken(name)) return `the name ${show(name)}`;
    if (!isFieldValue(flat[at + 1] as string)) return `the value of ${name}: ${show(flat[at + 1])}`;
  }
  return null;
}
