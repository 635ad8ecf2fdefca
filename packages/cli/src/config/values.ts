// Text from flags, the environment and target options → values, with errors that say what is allowed.
import { didYouMean } from "../suggest.ts";
import { UsageError } from "../usage-error.ts";

/** What a setting holds. `duration` is in milliseconds, `size` in bytes, `path` starts from the folder of its source. */
export type ValueKind = "text" | "path" | "switch" | "number" | "port" | "duration" | "size" | "list";

/** A value of any kind. */
export type Value = string | number | boolean | readonly string[];

/** A time as it is written; a bare number counts seconds. */
export const DURATION: RegExp = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/;
const DURATION_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
/** A size as it is written. */
export const SIZE: RegExp = /^(\d+(?:\.\d+)?)([bkmgBKMG])?$/;
const SIZE_BYTES: Readonly<Record<string, number>> = { b: 1, k: 1_000, m: 1_000_000, g: 1_000_000_000 };

/** Reads `30`, `30s`, `5m`, `1h`, `250ms` as milliseconds; a bare number counts seconds. `null`: not a duration. */
export function parseDuration(text: string): number | null {
  const match = DURATION.exec(text);
  return match === null ? null : Math.round(Number(match[1]) * (DURATION_MS[match[2] ?? "s"] as number));
}

/** Reads `1000`, `64k`, `10m`, `1g` as bytes (powers of ten, as in R-H7's 10 MB). `null`: not a size. */
export function parseSize(text: string): number | null {
  const match = SIZE.exec(text);
  return match === null ? null : Math.round(Number(match[1]) * (SIZE_BYTES[(match[2] ?? "b").toLowerCase()] as number));
}

/**
 * Reads the text of one setting.
 *
 * @param name how the user wrote it, for the error: `--timeout`, `GW_TIMEOUT`
 * @throws UsageError naming what was found and what is allowed
 */
export function parseValue(name: string, kind: ValueKind, text: string, choices?: readonly string[]): Value {
  if (choices !== undefined && !choices.includes(text)) {
    throw new UsageError(
      `${name}: found ${JSON.stringify(text)}${didYouMean(text, choices)}, allowed: ${choices.join(", ")}`,
    );
  }
  const value = READERS[kind](text);
  if (value === null) throw new UsageError(`${name}: found ${JSON.stringify(text)}, expected ${EXPECTED[kind]}`);
  return value;
}

const READERS: Readonly<Record<ValueKind, (text: string) => Value | null>> = {
  text: (text) => text,
  path: (text) => (text === "" ? null : text),
  list: (text) =>
    text
      .split(",")
      .map((one) => one.trim())
      .filter((one) => one !== ""),
  switch: (text) => (/^(1|true|yes|on)$/i.test(text) ? true : /^(0|false|no|off)$/i.test(text) ? false : null),
  number: (text) => (/^\d+$/.test(text) ? Number(text) : null),
  port: (text) => (/^\d+$/.test(text) && Number(text) <= 65_535 ? Number(text) : null),
  duration: parseDuration,
  size: parseSize,
};

/** What to write for a value of a kind. */
export const EXPECTED: Readonly<Record<ValueKind, string>> = {
  text: "text",
  path: "a path",
  list: "a list separated by commas",
  switch: "true or false",
  number: "a whole number",
  port: "a port from 0 (any free one) to 65535",
  duration: "a time such as 30 (seconds), 250ms, 30s, 5m",
  size: "a size in bytes such as 65536, 64k, 10m",
};
