// argv → command, operands and settings, by the table of options.
import { isCgi, withoutQueryWords } from "../query-words.ts";
import { didYouMean } from "../suggest.ts";
import { UsageError } from "../usage-error.ts";
import { flagOf, negatedFlagOf, type Option, placeholderOf } from "./option.ts";
import { optionsOf } from "./options.ts";
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

/** What else decides how arguments are read. */
export interface ParseOptions {
  /** Variables of the process: under a web server, words after the app are the client's. */
  environment?: NodeJS.ProcessEnv;
}

/**
 * Takes the arguments after the command apart. Flags and operands may be mixed; `--` ends the flags.
 *
 * A CGI program's arguments end with the app: what follows are words of the query (RFC 3875 §4.4), and nobody's flags.
 *
 * @throws UsageError for an unknown flag, a missing or a bad value
 */
export function parseArguments(
  command: string,
  argv: readonly string[],
  { environment = {} }: ParseOptions = {},
): CommandLine {
  const isProgram = (command === "auto" || command === "cgi") && isCgi(environment);
  const reader = new ArgumentReader(
    command,
    isProgram ? withoutQueryWords(argv, environment.QUERY_STRING ?? "") : argv,
  );
  while (reader.hasMore && !(isProgram && reader.operands.length > 0)) reader.readNext();
  const { operands, settings, wantsHelp } = reader;
  return { command, operands, settings, wantsHelp };
}

/** Reads one word after the other. */
class ArgumentReader {
  readonly operands: string[] = [];
  readonly settings: Record<string, Value> = {};
  wantsHelp = false;
  readonly #command: string;
  readonly #options: readonly Option[];
  readonly #words: string[];
  #areFlagsOver = false;

  constructor(command: string, argv: readonly string[]) {
    this.#command = command;
    this.#options = optionsOf(command);
    this.#words = [...argv];
  }

  get hasMore(): boolean {
    return this.#words.length > 0;
  }

  readNext(): void {
    const word = this.#words.shift() as string;
    if (this.#areFlagsOver || !word.startsWith("-") || word === "-") this.operands.push(word);
    else if (word === "--") this.#areFlagsOver = true;
    else if (word === "--help" || word === "-h") this.wantsHelp = true;
    else if (word.startsWith("--")) this.#readLong(word);
    else this.#readShort(word);
  }

  #readLong(word: string): void {
    const equals = word.indexOf("=");
    const flag = equals < 0 ? word : word.slice(0, equals);
    const isFlag = (one: Option): boolean =>
      flagOf(one) === flag || (one.kind === "switch" && negatedFlagOf(one) === flag);
    const option = this.#options.find(isFlag) ?? this.#unknown(flag);
    this.#take(option, flag, equals < 0 ? null : word.slice(equals + 1));
  }

  /** `-p8000`, `-p=8000`, `-p 8000`; switches may be put together, `-iXPUT`. */
  #readShort(word: string): void {
    const flag = word.slice(0, 2);
    const option = this.#options.find(({ short }) => flag === `-${short}`) ?? this.#unknown(word);
    const rest = word.slice(2);
    if (option.kind === "switch" && rest !== "" && !rest.startsWith("=")) {
      this.#take(option, flag, null);
      this.#readShort(`-${rest}`);
      return;
    }
    this.#take(option, flag, rest === "" ? null : rest.replace(/^=/, ""));
  }

  #take(option: Option, flag: string, attached: string | null): void {
    const { key, kind, choices, repeatable } = option;
    if (kind === "switch") {
      const isOn = attached === null ? true : (parseValue(flag, "switch", attached) as boolean);
      this.settings[key] = flag === negatedFlagOf(option) ? !isOn : isOn;
      return;
    }
    const text = attached ?? this.#words.shift();
    if (text === undefined) throw new UsageError(`${flag} needs a value: ${flag} ${placeholderOf(option)}`);
    const value = parseValue(flag, kind, text, choices);
    const before = (this.settings[key] as readonly string[] | undefined) ?? [];
    if (kind === "list") this.settings[key] = [...before, ...(value as readonly string[])];
    else this.settings[key] = repeatable ? [...before, value as string] : value;
  }

  #unknown(flag: string): never {
    const near = didYouMean(
      flag,
      this.#options.flatMap((one) => (one.kind === "switch" ? [flagOf(one), negatedFlagOf(one)] : [flagOf(one)])),
    );
    const help = `gw ${this.#command === "auto" ? "serve" : this.#command} --help`;
    throw new UsageError(`unknown flag ${flag}${near}; \`${help}\` lists the flags`);
  }
}
