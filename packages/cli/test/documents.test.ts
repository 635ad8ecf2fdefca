// The table of options, the Config type and the documents say the same.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { COMMANDS } from "../src/commands/table.ts";
import { SETTING_KEYS } from "../src/config/check.ts";
import { flagOf, negatedFlagOf, type Option, placeholderOf, variableOf } from "../src/config/option.ts";
import { OPTIONS } from "../src/config/options.ts";
import { FILE_OPTIONS } from "../src/targets/file.ts";
import { TARGET_KINDS } from "../src/targets/kinds.ts";
import { optionNames } from "../src/targets/target.ts";

const folder = join(import.meta.dirname, "..");
const read = (path: string) => readFileSync(join(folder, path), "utf8");
const manual = read("../../docs/cli.md");

/** Cells of a flag's row: `-p`, `--port PORT` | `GW_PORT` | `port` | 8000 | what it does. */
function flagRow(option: Option): string {
  const short = option.short === undefined ? "" : `\`-${option.short}\`, `;
  const value = placeholderOf(option).replaceAll("|", "\\|");
  const flag =
    option.kind === "switch" ? `\`${flagOf(option)}\`, \`${negatedFlagOf(option)}\`` : `\`${flagOf(option)} ${value}\``;
  const key = SETTING_KEYS.includes(option.key) ? `\`${option.key}\`` : "";
  const choices = option.choices !== undefined && option.value !== undefined ? ` (${option.choices.join(", ")})` : "";
  return `| ${short}${flag} | \`${variableOf(option)}\` | ${key} | ${option.default ?? ""} | ${option.help}${choices}${option.repeatable ? "; repeatable" : ""} |`;
}

/** Rows of a document's tables that start with a flag. */
function flagRows(text: string): string[] {
  return text.split("\n").filter((line) => /^\| `-/.test(line));
}

describe("docs/cli.md", () => {
  test("has each flag with its variable, key, default and meaning", () => {
    expect(flagRows(manual)).toEqual(OPTIONS.map(flagRow));
  });

  test("has each command as gw --help has it", () => {
    for (const { usage, summary } of COMMANDS) expect(manual).toContain(`| \`${usage}\` | ${summary} |`);
  });

  test("has each kind of target with its options", () => {
    const names = (table: Parameters<typeof optionNames>[0]) =>
      optionNames(table)
        .map((name) => `\`${name}\``)
        .join(", ");
    expect(manual).toContain(
      `| \`file.ts[:name]\` | an App, a handler, anything with fetch(), a WSGI- or ASGI-shaped function | ${names(FILE_OPTIONS)} |`,
    );
    for (const { example, help, options } of TARGET_KINDS)
      expect(manual).toContain(`| \`${example}\` | ${help} | ${names(options)} |`);
  });
});

test("the README lists the same flags with the same defaults", () => {
  const row = (option: Option) =>
    `| \`${flagOf(option)}\` | ${option.kind} | ${option.default ?? ""} | ${option.help} |`;
  expect(flagRows(read("README.md"))).toEqual(OPTIONS.map(row));
});

test("Config has a key for each flag that a file may set, and no other", () => {
  const [, body = ""] = /export interface Config \{([\s\S]*?)\n\}/.exec(read("src/config/config.ts")) ?? [];
  const keys = [...body.matchAll(/^ {2}(\w+)\?:/gm)].map(([, key]) => key as string);
  expect(keys.sort()).toEqual([...SETTING_KEYS, "app", "mounts", "use"].sort());
});

test("each flag is used by a test that runs the command", () => {
  const tests = readdirSync(join(folder, "test"))
    .filter((name) => name.endsWith(".ts") && name !== "documents.test.ts")
    .map((name) => read(`test/${name}`))
    .join("\n");
  const unused = OPTIONS.filter((option) => {
    const spellings = [
      flagOf(option),
      negatedFlagOf(option),
      variableOf(option),
      `"-${option.short}"`,
      ` -${option.short} `,
    ];
    return !spellings.some((spelling) => tests.includes(spelling));
  });
  expect(unused.map(flagOf)).toEqual([]);
});
