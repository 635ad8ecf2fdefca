// `cgi-bin:./dir?timeoutMs=5000` → kind, place and options. Pure.
import { resolve } from "node:path";
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
  const match = /^([a-z][a-z0-9-]+):(.*)$/s.exec(head); // one letter would be a drive
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

/**
 * What an option of a target holds; a list of texts allows these only. `record`, `numbers` and `pathRecord` are written
 * `name.KEY=value`, `list` and `paths` are repeated; a path starts from the folder of the target.
 */
export type TargetOptionKind =
  | "text"
  | "path"
  | "switch"
  | "number"
  | "list"
  | "paths"
  | "record"
  | "pathRecord"
  | "numbers"
  | readonly string[];

/** The options of a kind of target, by name. */
export type TargetOptions = Readonly<Record<string, TargetOptionKind>>;

/**
 * The options of a target as an object: `env.KEY=value` becomes `{ env: { KEY: "value" } }`, a repeated list option an array.
 *
 * @throws UsageError for a name the table does not have or a value that does not fit
 */
export function readOptions(target: Target, table: TargetOptions, folder: string): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [name, value] of target.options) {
    const [base, ...rest] = name.split(".") as [string, ...string[]];
    const kind = Object.hasOwn(table, base) ? (table[base] as TargetOptionKind) : undefined;
    if (kind === undefined || isRecordKind(kind) !== rest.length > 0) throw unknownOption(target, name, table);
    const read = readOption(target, { name, kind, value, folder });
    if (isRecordKind(kind)) result[base] = { ...(result[base] as object | undefined), [rest.join(".")]: read };
    else if (kind === "list" || kind === "paths")
      result[base] = [...((result[base] as string[] | undefined) ?? []), read];
    else result[base] = read;
  }
  return result;
}

function isRecordKind(kind: TargetOptionKind): boolean {
  return kind === "record" || kind === "numbers" || kind === "pathRecord";
}

interface FoundOption {
  readonly name: string;
  readonly kind: TargetOptionKind;
  readonly value: string;
  readonly folder: string;
}

function readOption(target: Target, { name, kind, value, folder }: FoundOption): unknown {
  if (kind === "text" || kind === "list" || kind === "record") return value;
  if (isPathKind(kind) && value !== "") return resolve(folder, value);
  if ((kind === "number" || kind === "numbers") && /^\d{1,15}$/.test(value)) return Number(value);
  if (kind === "switch" && (value === "true" || value === "false")) return value === "true";
  if (typeof kind !== "string" && kind.includes(value)) return value;
  const expected = typeof kind === "string" ? EXPECTED[kind] : kind.join(" or ");
  throw new UsageError(
    `app ${JSON.stringify(target.text)}: option ${name}: found ${JSON.stringify(value)}, expected ${expected}`,
  );
}

function isPathKind(kind: TargetOptionKind): boolean {
  return kind === "path" || kind === "paths" || kind === "pathRecord";
}

const EXPECTED: Readonly<Record<string, string>> = {
  path: "a path",
  paths: "a path",
  pathRecord: "a path",
  number: "a whole number",
  numbers: "a whole number",
  switch: "true or false",
};

function unknownOption(target: Target, name: string, table: TargetOptions): UsageError {
  const names = optionNames(table);
  const allowed = names.length === 0 ? "none" : names.join(", ");
  return new UsageError(
    `app ${JSON.stringify(target.text)}: unknown option ${JSON.stringify(name)}${didYouMean(name, names)}; allowed: ${allowed}`,
  );
}

/** The names of a table as they are written: `env.NAME` for records. */
export function optionNames(table: TargetOptions): string[] {
  return Object.entries(table).map(([key, kind]) => (isRecordKind(kind) ? `${key}.NAME` : key));
}
