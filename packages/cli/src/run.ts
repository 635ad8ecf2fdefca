// argv → the command and its result. Commands are loaded when they are called: a CGI program starts for each request.

import { COMMANDS, type Command } from "./commands/table.ts";
import { parseArguments } from "./config/arguments.ts";
import { invocationOf, type Surroundings } from "./invocation.ts";
import { didYouMean } from "./suggest.ts";
import { UsageError } from "./usage-error.ts";

declare const __GW_VERSION__: string;

/**
 * Runs the command line and gives the exit code: 0, or what the command says.
 *
 * @throws UsageError (exit 2) or any other error (exit 1)
 */
export async function run(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  const [first] = argv;
  if (first === "--version" || first === "-V") {
    surroundings.stdout.write(`gw ${__GW_VERSION__} (node ${process.versions.node})\n`);
    return 0;
  }
  if (first === "--help" || first === "-h" || first === "help") {
    const { overview } = await import("./help.ts");
    surroundings.stdout.write(overview(COMMANDS));
    return 0;
  }
  const named = COMMANDS.find(({ name }) => name === first && name !== "auto");
  const command = named ?? (COMMANDS.find(({ name }) => name === "auto") as Command);
  return runCommand(command, named === undefined ? argv : argv.slice(1), surroundings);
}

async function runCommand(command: Command, argv: readonly string[], surroundings: Surroundings): Promise<number> {
  const line = parseArguments(command.name, argv);
  if (line.wantsHelp) {
    const { commandHelp } = await import("./help.ts");
    surroundings.stdout.write(commandHelp(command));
    return 0;
  }
  const [least, most] = command.operands;
  if (line.operands.length < least) throw new UsageError(`${command.usage}: ${command.missing}`);
  if (line.operands.length > most) throw new UsageError(tooMany(command, line.operands));
  const invocation = await invocationOf(line, surroundings, { appOperand: line.operands[most - 1] });
  const { run: start } = await command.load();
  return start(invocation);
}

function tooMany(command: Command, operands: readonly string[]): string {
  const [first] = operands as [string];
  const names = COMMANDS.map(({ name }) => name);
  const near = command.name === "auto" ? didYouMean(first, names) : "";
  return near === ""
    ? `one app at a time: found ${operands.map((one) => JSON.stringify(one)).join(" and ")}; mount others with --mount /prefix=APP`
    : `unknown command ${JSON.stringify(first)}${near}`;
}
