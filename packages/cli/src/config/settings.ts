// Flag > environment > file: the settings of a run, each with where it came from.
import { resolve } from "node:path";
import { UsageError } from "../usage-error.ts";
import type { Settings } from "./arguments.ts";
import { flagOf, type Option, variableOf } from "./option.ts";
import { OPTIONS, optionsOf, optionWithKey } from "./options.ts";
import { parseValue, type Value } from "./values.ts";

/** Where a setting came from, for `gw check`. */
export type Origin = "flag" | "environment" | "file";

/** The settings of a run. */
export class EffectiveSettings {
  readonly #values: ReadonlyMap<string, { value: Value; origin: Origin }>;

  constructor(values: ReadonlyMap<string, { value: Value; origin: Origin }>) {
    this.#values = values;
  }

  /** The text of a setting, or `undefined`. */
  text(key: string): string | undefined {
    return this.#get(key, "string");
  }

  /** The number of a setting (milliseconds, bytes, count), or `undefined`. */
  number(key: string): number | undefined {
    return this.#get(key, "number");
  }

  /** Whether a switch is on, or `undefined` if nobody set it. */
  isOn(key: string): boolean | undefined {
    return this.#get(key, "boolean");
  }

  /** The values of a repeatable or list setting; empty if nobody set it. */
  list(key: string): readonly string[] {
    return (this.#values.get(key)?.value as readonly string[] | undefined) ?? [];
  }

  /** Where a setting came from, or `null`. */
  originOf(key: string): Origin | null {
    return this.#values.get(key)?.origin ?? null;
  }

  /** Every setting somebody set. */
  *[Symbol.iterator](): Generator<{ key: string; value: Value; origin: Origin }> {
    for (const [key, { value, origin }] of this.#values) yield { key, value, origin };
  }

  #get<T>(key: string, type: "string" | "number" | "boolean"): T | undefined {
    const value = this.#values.get(key)?.value;
    return typeof value === type ? (value as T) : undefined;
  }
}

/** Settings from `GW_…` variables. An empty variable counts as unset. */
export function settingsFromEnvironment(command: string, environment: NodeJS.ProcessEnv): Settings {
  const settings: Record<string, Value> = {};
  for (const option of optionsOf(command)) {
    const text = environment[variableOf(option)];
    if (text === undefined || text === "") continue;
    settings[option.key] = option.repeatable
      ? (parseValue(variableOf(option), "list", text) as readonly string[])
      : parseValue(variableOf(option), option.kind, text, option.choices);
  }
  return settings;
}

/**
 * Settings from the object a configuration file exports. Those of other commands are checked, too, but left out.
 *
 * @throws UsageError naming the key that does not fit
 */
export function settingsFromFile(name: string, command: string, exported: Readonly<Record<string, unknown>>): Settings {
  const settings: Record<string, Value> = {};
  const mine = optionsOf(command);
  for (const option of OPTIONS) {
    const value = FILE_OWN.includes(option.key) ? undefined : exported[option.key];
    if (value === undefined) continue;
    const checked = checkFileValue(`${name}: ${option.key}`, option, value);
    if (mine.includes(option)) settings[option.key] = checked;
  }
  return settings;
}

/** Keys that mean more in a file than as flags; `load-app.ts` reads them. */
const FILE_OWN: readonly string[] = ["mount", "use", "config"];

function checkFileValue(name: string, option: Option, value: unknown): Value {
  if (option.repeatable || option.kind === "list") {
    const list = typeof value !== "string" ? value : option.kind === "list" ? parseValue(name, "list", value) : [value];
    if (Array.isArray(list) && list.every((one) => typeof one === "string")) return list as string[];
    throw new UsageError(`${name}: found ${JSON.stringify(value)}, expected text or a list of texts`);
  }
  if (option.kind === "switch") {
    if (typeof value === "boolean") return value;
    throw new UsageError(`${name}: found ${JSON.stringify(value)}, expected true or false`);
  }
  // In the file, as on the command line, a bare number of a duration counts seconds.
  if (typeof value === "string" || (typeof value === "number" && mayBeNumber(option)))
    return parseValue(name, option.kind, String(value), option.choices);
  throw new UsageError(`${name}: found ${JSON.stringify(value)}, expected what ${flagOf(option)} takes`);
}

/** Whether a number may stand for a setting: it counts something, or is one of the words that are allowed (`http: 2`). */
function mayBeNumber({ kind, choices }: Option): boolean {
  return choices !== undefined || !["text", "path"].includes(kind);
}

/** The settings of one source with its paths made absolute: they start from its folder. */
export function withPathsFrom(folder: string, settings: Settings): Settings {
  return Object.fromEntries(
    Object.entries(settings).map(([key, value]) => {
      if (key === "bind" || key === "admin")
        return [key, (value as readonly string[]).map((one) => absoluteSocket(folder, one))];
      if (optionWithKey(key)?.kind !== "path") return [key, value];
      return [
        key,
        typeof value === "string" ? resolve(folder, value) : (value as string[]).map((one) => resolve(folder, one)),
      ];
    }),
  );
}

function absoluteSocket(folder: string, bind: string): string {
  return /^unix:(?!\/)./.test(bind) ? `unix:${resolve(folder, bind.slice(5))}` : bind;
}

const PLACES = ["bind", "uds", "fd", "host", "port"] as const;

/**
 * Joins the sources; the first that has a key wins.
 *
 * @param passed what holds if no source says where to listen: sockets of a service manager
 */
export function effectiveSettings(
  flags: Settings,
  environment: Settings,
  file: Settings,
  passed: Settings = {},
): EffectiveSettings {
  const values = new Map<string, { value: Value; origin: Origin }>();
  const sources: readonly (readonly [Origin, Settings])[] = [
    ["file", file],
    ["environment", environment],
    ["flag", flags],
  ];
  for (const [origin, settings] of sources) {
    for (const [key, value] of Object.entries(settings)) values.set(key, { value, origin });
  }
  if (!PLACES.some((key) => values.has(key))) {
    for (const [key, value] of Object.entries(passed)) values.set(key, { value, origin: "environment" });
  }
  return new EffectiveSettings(values);
}
