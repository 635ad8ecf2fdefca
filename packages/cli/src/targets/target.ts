// `cgi-bin:./dir?timeoutMs=5000` → kind, place and options. Pure.
import { didYouMean } from "../suggest.ts";
import { UsageError } from "../usage-error.ts";

/** A target as written on the command line or in a mount table, taken apart. */
export interface Target {
  /** The text before the colon, or `"file"`. */
  readonly kind: string;
  /** What follows: a path, a module, an address. */
  readonly place: string;
  /** What follows `?`, names and values in order. */
  readonly options: readonly (readonly [name: string, value: string])[];
  /** The whole text, for errors. */
  readonly text: string;
}

/** Takes a target apart. Kinds are words followed by a colon; everything else is a file. */
export function parseTarget(text: string, kinds: readonly string[]): Target {
  const mark = text.indexOf("?");
  const head = mark < 0 ? text : text.slice(0, mark);
  const options = mark < 0 ? [] : [...new URLSearchParams(text.slice(mark + 1))];
  const match = /^([a-z][a-z0-9-]*):(.*)$/s.exec(head);
  if (match === null) return { kind: "file", place: head, options, text };
  const [, kind, place] = match as unknown as [string, string, string];
  if (!kinds.includes(kind)) {
    const allowed = kinds.map((one) => `${one}:`).join(", ");
    throw new UsageError(
      `app ${JSON.stringify(text)}: unknown kind "${kind}:"${didYouMean(kind, kinds)}; allowed: a .ts or .js file, ${allowed}`,
    );
  }
  if (place === "") throw new UsageError(`app ${JSON.stringify(text)}: nothing after "${kind}:"`);
  return { kind, place, options, text };
}

/** What an option of a target holds. */
export type TargetOptionKind = "text" | "switch" | "number" | "list" | "record";

/**
 * The options of a target as an object: `env.KEY=value` becomes `{ env: { KEY: "value" } }`, a repeated list option an array.
 *
 * @throws UsageError for a name the table does not have or a value that does not fit
 */
export function readOptions(
  target: Target,
  table: Readonly<Record<string, TargetOptionKind>>,
): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [name, value] of target.options) {
    const [base, ...rest] = name.split(".") as [string, ...string[]];
    const kind = Object.hasOwn(table, base) ? table[base] : undefined;
    if (kind === undefined || (kind === "record") !== rest.length > 0) throw unknownOption(target, name, table);
    if (kind === "record") result[base] = { ...(result[base] as object | undefined), [rest.join(".")]: value };
    else if (kind === "list") result[base] = [...((result[base] as string[] | undefined) ?? []), value];
    else result[base] = readScalar(target, name, kind, value);
  }
  return result;
}

function readScalar(target: Target, name: string, kind: "text" | "switch" | "number", value: string): unknown {
  if (kind === "text") return value;
  if (kind === "number" && /^\d+$/.test(value)) return Number(value);
  if (kind === "switch" && (value === "true" || value === "false")) return value === "true";
  const expected = kind === "number" ? "a whole number" : "true or false";
  throw new UsageError(
    `app ${JSON.stringify(target.text)}: option ${name}: found ${JSON.stringify(value)}, expected ${expected}`,
  );
}

function unknownOption(target: Target, name: string, table: Readonly<Record<string, TargetOptionKind>>): UsageError {
  const names = Object.entries(table).map(([key, kind]) => (kind === "record" ? `${key}.NAME` : key));
  const allowed = names.length === 0 ? "none" : names.join(", ");
  return new UsageError(
    `app ${JSON.stringify(target.text)}: unknown option ${JSON.stringify(name)}${didYouMean(name, names)}; allowed: ${allowed}`,
  );
}
