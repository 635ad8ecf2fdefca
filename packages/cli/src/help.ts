// `gw --help` and `gw <command> --help`, made from the tables.
import { flagOf, type Option, optionsOf, variableOf } from "./config/options.ts";
import { TARGET_KINDS } from "./targets/kinds.ts";

/** A command as `--help` lists it. */
export interface CommandHelp {
  readonly name: string;
  readonly usage: string;
  readonly summary: string;
}

/** The overview that `gw --help` prints. */
export function overview(commands: readonly CommandHelp[]): string {
  const width = Math.max(...commands.map(({ usage }) => usage.length));
  const targetWidth = Math.max(...TARGET_KINDS.map(({ example }) => example.length), 14);
  return [
    "gw, the application gateway: any app, every gateway interface, one pipeline",
    "",
    "Usage:",
    ...commands.map(({ usage, summary }) => `  ${usage.padEnd(width)}  ${summary}`),
    "",
    "An app is one of:",
    `  ${"file.ts[:name]".padEnd(targetWidth)}  an App, a handler, anything with fetch(), a WSGI- or ASGI-shaped function`,
    ...TARGET_KINDS.map(({ example, help }) => `  ${example.padEnd(targetWidth)}  ${help}`),
    `  ${"(none)".padEnd(targetWidth)}  what gw.config.ts names`,
    "",
    "`gw serve --help` lists the flags. Flag > GW_… variable > configuration file.",
    "",
  ].join("\n");
}

/** The flags of one command. */
export function commandHelp({ name, usage, summary }: CommandHelp): string {
  const options = optionsOf(name);
  const rows = options.map((option) => ({ option, left: leftColumn(option) }));
  const width = Math.max(...rows.map(({ left }) => left.length));
  const groups = [...new Set(options.map(({ group }) => group))];
  const lines = [`Usage: ${usage}`, summary, ""];
  for (const group of groups) {
    lines.push(`${group}:`);
    for (const { option, left } of rows.filter(({ option }) => option.group === group)) {
      lines.push(`  ${left.padEnd(width)}  ${option.help}${choicesOf(option)}`);
    }
    lines.push("");
  }
  lines.push(
    `Each flag is also a variable: ${flagOf(options[0] as Option)} is ${variableOf(options[0] as Option)}.`,
    "",
  );
  return lines.join("\n");
}

function leftColumn(option: Option): string {
  const short = option.short === undefined ? "    " : `-${option.short}, `;
  if (option.kind === "switch") return `${short}--[no-]${flagOf(option).slice(2)}`;
  const value = option.value ?? (option.choices === undefined ? option.kind.toUpperCase() : option.choices.join("|"));
  return `${short}${flagOf(option)} ${value}${option.repeatable ? " …" : ""}`;
}

function choicesOf({ choices, value }: Option): string {
  return choices !== undefined && value !== undefined ? ` [${choices.join("|")}]` : "";
}
