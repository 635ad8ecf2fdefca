// `gw --help` and `gw <command> --help`, made from the tables.
import { flagOf, type Option, placeholderOf, variableOf } from "./config/option.ts";
import { optionsOf } from "./config/options.ts";
import { TARGET_KINDS } from "./targets/kinds.ts";

/** A command as `--help` lists it. */
export interface CommandHelp {
  readonly name: string;
  readonly usage: string;
  readonly summary: string;
}

/** The overview that `gw --help` prints. */
export function overview(commands: readonly CommandHelp[]): string {
  const targets = [
    ["file.ts[:name]", "an App, a handler, anything with fetch(), a WSGI- or ASGI-shaped function"],
    ...TARGET_KINDS.map(({ example, help }) => [example, help]),
    ["(none)", "what gw.config.ts names"],
  ] as const satisfies readonly (readonly string[])[];
  return [
    "gw, the application gateway: any app, every gateway interface, one pipeline",
    "",
    "Usage:",
    ...columns(commands.map(({ usage, summary }) => [usage, summary])),
    "",
    "An app is one of:",
    ...columns(targets as readonly string[][]),
    "",
    "`gw serve --help` lists the flags. Flag > GW_… variable > configuration file.",
    "",
  ].join("\n");
}

/** The flags of one command. */
export function commandHelp({ name, usage, summary }: CommandHelp): string {
  const options = optionsOf(name);
  const rows = columns(options.map((option) => [leftColumn(option), rightColumn(option)]));
  const groups = [...new Set(options.map(({ group }) => group))];
  const [example] = options as [Option];
  return [
    `Usage: ${usage} [flags]`,
    `${summary[0]?.toUpperCase()}${summary.slice(1)}.`,
    ...groups.flatMap((group) => ["", `${group}:`, ...rows.filter((_, at) => options[at]?.group === group)]),
    "",
    "TIME is in seconds or 250ms, 30s, 5m, 1h; SIZE in bytes or 64k, 10m, 1g.",
    `Each flag is also a variable: ${flagOf(example)} is ${variableOf(example)}.`,
    "",
  ].join("\n");
}

function columns(rows: readonly (readonly string[])[]): string[] {
  const width = Math.max(...rows.map(([left = ""]) => left.length));
  return rows.map(([left = "", right = ""]) => `  ${left.padEnd(width)}  ${right}`);
}

function leftColumn(option: Option): string {
  const short = option.short === undefined ? "    " : `-${option.short}, `;
  if (option.kind === "switch") return `${short}--[no-]${flagOf(option).slice(2)}`;
  return `${short}${flagOf(option)} ${placeholderOf(option)}`;
}

function rightColumn({ help, default: byDefault, repeatable, choices, value }: Option): string {
  const allowed = choices !== undefined && value !== undefined ? [choices.join(", ")] : [];
  const notes = [...allowed, repeatable ? "repeatable" : "", byDefault === "off" ? "" : (byDefault ?? "")];
  const text = notes.filter((note) => note !== "").join("; ");
  return text === "" ? help : `${help} (${text})`;
}
