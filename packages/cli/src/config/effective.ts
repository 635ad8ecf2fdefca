// The configuration in effect, as `gw config` shows it: every setting, and where its value came from.
import { fs } from "../builtins.ts";
import type { Invocation } from "../invocation.ts";
import { shortPath } from "../short-path.ts";
import { isMountReference, SETTING_KEYS } from "./check.ts";
import { lineOfKey } from "./key-lines.ts";
import { flagOf, type Option, variableOf } from "./option.ts";
import { optionsOf } from "./options.ts";
import type { Origin } from "./settings.ts";
import type { Value } from "./values.ts";

/** One thing that holds. */
export interface EffectiveValue {
  readonly key: string;
  /** As it may be written in a file; `null`: nothing. */
  readonly value: string | boolean | number | readonly string[] | null;
  readonly origin: "default" | "argument" | Origin;
  /** The flag, the variable, or the file with the line where that can be told; empty for a default. */
  readonly from: string;
}

/** What is served, then every setting, in the order of `--help`. */
export function effectiveValues(invocation: Invocation): readonly EffectiveValue[] {
  const { settings, command } = invocation;
  const options = optionsOf(command).filter(({ key }) => SETTING_KEYS.includes(key));
  const set = new Map([...settings].map((one) => [one.key, one]));
  return [
    ...served(invocation),
    ...options.map((option): EffectiveValue => {
      const found = set.get(option.key);
      if (found === undefined) return { key: option.key, value: option.default ?? null, origin: "default", from: "" };
      const { value, origin } = found;
      return { key: option.key, value: written(option, value), origin, from: placeOf(invocation, option, origin) };
    }),
  ];
}

/** Apps, mounts and layers: first those of the command line, which count first. */
function served(invocation: Invocation): readonly EffectiveValue[] {
  const { operands, settings, configFile } = invocation;
  const { app, mounts = {}, use = [] } = configFile?.config ?? {};
  const flagged = settings
    .list("mount")
    .map((text) => [text.slice(0, text.indexOf("=")), text.slice(text.indexOf("=") + 1)]);
  const taken = new Set(flagged.map(([where]) => where));
  const inFile = (key: string): Pick<EffectiveValue, "origin" | "from"> => ({
    origin: "file",
    from: fileText(invocation, key),
  });
  const fromFlag = (key: string): Pick<EffectiveValue, "origin" | "from"> => {
    const origin = settings.originOf(key) ?? "flag";
    return { origin, from: origin === "environment" ? `GW_${key.toUpperCase()}` : `--${key}` };
  };
  return [
    ...operands.slice(-1).map((value): EffectiveValue => ({ key: "app", value, origin: "argument", from: "argument" })),
    ...(operands.length === 0 && app !== undefined ? [{ key: "app", value: nameOf(app), ...inFile("app") }] : []),
    ...flagged.map(([where = "", value = ""]) => ({
      key: `mounts[${JSON.stringify(where)}]`,
      value,
      ...fromFlag("mount"),
    })),
    ...Object.entries(mounts)
      .filter(([where]) => !taken.has(where))
      .map(([where, value]) => ({
        key: `mounts[${JSON.stringify(where)}]`,
        value: nameOf(isMountReference(value) ? value.app : value),
        ...inFile(where),
      })),
    ...(use.length > 0 ? [{ key: "use", value: use.map(nameOf), ...inFile("use") }] : []),
    ...(settings.list("use").length > 0 ? [{ key: "use", value: settings.list("use"), ...fromFlag("use") }] : []),
  ];
}

function nameOf(value: unknown): string {
  if (typeof value === "string") return value;
  const { layerName, name } = (value ?? {}) as { layerName?: string; name?: string };
  return `(${layerName ?? (typeof value === "function" && name !== "" && name !== undefined ? name : typeof value)})`;
}

function placeOf(invocation: Invocation, option: Option, origin: Origin): string {
  if (origin === "flag") return flagOf(option);
  if (origin === "file") return fileText(invocation, option.key);
  // Sockets of a service manager come by its own variables.
  return option.key === "bind" && invocation.environment[variableOf(option)] === undefined
    ? "LISTEN_FDS"
    : variableOf(option);
}

function fileText({ configFile }: Invocation, key: string): string {
  if (configFile === null) return "";
  const line = lineOfKey(fs.readFileSync(configFile.file, "utf8"), key);
  return `${shortPath(configFile.file)}${line === null ? "" : `:${line}`}`;
}

const UNITS: readonly (readonly [number, string])[] = [
  [3_600_000, "h"],
  [60_000, "m"],
  [1_000, "s"],
  [1, "ms"],
];

/** A value as a file may say it: milliseconds become a time with its unit. */
function written({ kind }: Option, value: Value): EffectiveValue["value"] {
  if (kind !== "duration") return value;
  const milliseconds = value as number;
  if (milliseconds === 0) return "0s";
  const [size, unit] = UNITS.find(([one]) => milliseconds % one === 0) as readonly [number, string];
  return `${milliseconds / size}${unit}`;
}
