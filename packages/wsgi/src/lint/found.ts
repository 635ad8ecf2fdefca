// How lint tells what it found, and small questions that several rules ask.

/** A value in a few words. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 60));
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return `[${value.slice(0, 8).map(show).join(", ")}]`;
  return typeof value === "object"
    ? (value.constructor?.name ?? "an object")
    : `${typeof value} ${String(value).slice(0, 60)}`;
}

/** Whether all chars are one byte: representable in ISO-8859-1. */
export function isByteString(text: string): boolean {
  return /^[\u0000-\u00ff]*$/.test(text);
}

/** The first method that is missing, as a finding; `null` if all are there. */
export function hasMethods(value: unknown, names: readonly (string | symbol)[]): string | null {
  const methods = value as Readonly<Record<string | symbol, unknown>> | null | undefined;
  const missing = names.find((name) => typeof methods?.[name] !== "function");
  return missing === undefined ? null : `${show(value)} without ${String(missing)}`;
}
