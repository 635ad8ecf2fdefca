// argv → command, operands and settings, by the table of options.
import { didYouMean } from "../suggest.ts";
import { UsageError } from "../usage-error.ts";
import { flagOf, type Option, optionsOf } from "./options.ts";
import { parseValue, type Value } from "./values.ts";

/** Settings by key, as one source gave them. */
export type Settings = Readonly<Record<string, Value>>;

/** A command line, taken apart. */
export interface CommandLine {
  readonly command: string;
  readonly operands: readonly string[];
  readonly settings: Settings;
  readonly wantsHelp: boolean;
}

/**
 * Takes the arguments after the command apart. Flags and operands may be mixed; `--` ends the flags.
 *
 * @throws UsageError for an unknown flag, a missing or a bad value
 */
export function parseArguments(command: string, argv: readonly string[]): CommandLine {
  const options = optionsOf(command);
  const settings: Record<string, Value> = {};
  const operands: string[] = [];
  let wantsHelp = false;
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] as string;
    if (word === "--") {
      operands.push(...argv.slice(at + 1));
      break;
    }
    if (word === "--help" || word === "-h") wantsHelp = true;
    else if (!word.startsWith("-") || word === "-") operands.push(word);
    else {
      const { option, flag, text } = findFlag(word, options, command);
      if (option.kind === "switch") {
        settings[option.key] = text === null ? !flag.startsWith("--no-") : parseValue(flag, "switch", text);
        continue;
      }
      const value = text ?? argv[++at];
      if (value === undefined) throw new UsageError(`${flag} needs a value: ${flag} ${option.value ?? "VALUE"}`);
      store(settings, option, parseValue(flag, option.kind, value, option.choices));
    }
  }
  return { command, operands, settings, wantsHelp };
}

function store(settings: Record<string, Value>, { key, repeatable, kind }: Option, value: Value): void {
  if (repeatable && kind !== "list")
    settings[key] = [...((settings[key] as string[] | undefined) ?? []), value as string];
  else settings[key] = value;
}

interface FoundFlag {
  readonly option: Option;
  readonly flag: string;
  /** The part after `=`, or after the letter of a short flag. */
  readonly text: string | null;
}

function findFlag(word: string, options: readonly Option[], command: string): FoundFlag {
  if (!word.startsWith("--")) {
    const option = options.find(({ short }) => short !== undefined && word.startsWith(`-${short}`));
    if (option === undefined) throw unknownFlag(word, options, command);
    const rest = word.slice(2);
    return { option, flag: `-${option.short}`, text: rest === "" ? null : rest.replace(/^=/, "") };
  }
  const equals = word.indexOf("=");
  const flag = equals < 0 ? word : word.slice(0, equals);
  const option = options.find(
    (one) => flagOf(one) === flag || (one.kind === "switch" && `--no-${flagOf(one).slice(2)}` === flag),
  );
  if (option === undefined) throw unknownFlag(flag, options, command);
  return { option, flag, text: equals < 0 ? null : word.slice(equals + 1) };
}

function unknownFlag(flag: string, options: readonly Option[], command: string): UsageError {
  const near = didYouMean(flag, options.map(flagOf));
  return new UsageError(
    `unknown flag ${flag}${near}; \`gw ${command === "auto" ? "" : `${command} `}--help\` lists the flags`,
  );
}
