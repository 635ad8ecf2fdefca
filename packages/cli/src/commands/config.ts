// `gw config`: the configuration in effect, and where each value came from. Loads no app.
import { type EffectiveValue, effectiveValues } from "../config/effective.ts";
import type { Invocation } from "../invocation.ts";

/** Prints it, with `--json` as one object by key; exit code 0. */
export async function run(invocation: Invocation): Promise<number> {
  const values = effectiveValues(invocation);
  const text = (invocation.settings.isOn("json") ?? false) ? JSON.stringify(values, null, 2) : table(values);
  invocation.stdout.write(`${text}\n`);
  return 0;
}

function table(values: readonly EffectiveValue[]): string {
  const rows = values.map(({ key, value, origin, from }) => [key, shown(value), origin === "default" ? origin : from]);
  const widths = [0, 1].map((at) => Math.min(40, Math.max(...rows.map((row) => (row[at] as string).length))));
  return rows
    .map(
      ([key = "", value = "", from]) =>
        `${key.padEnd(widths[0] as number)}  ${value.padEnd(widths[1] as number)}  ${from}`,
    )
    .join("\n");
}

function shown(value: EffectiveValue["value"]): string {
  if (value === null) return "–";
  if (Array.isArray(value)) return value.join(", ");
  return typeof value === "boolean" ? (value ? "on" : "off") : String(value);
}
