// argv → the command and its result. Commands are loaded when they are called: a CGI program starts for each request.
import type { Command } from "./commands/table.ts";
import type { Surroundings } from "./invocation.ts";

declare const __GW_VERSION__: string;

/**
 * Runs the command line and gives the exit code: 0, or what the command says.
 *
 * @throws UsageError (exit 2) or any other error (exit 1)
 */
export async function run(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  const [first, second] = argv;
  if (first === "--version" || first === "-V") {
    surroundings.stdout.write(`gw ${__GW_VERSION__} (node ${process.versions.node})\n`);
    return 0;
  }
  const { COMMANDS } = await import("./commands/table.ts");
  const commandOf = (name: string | undefined): Command | undefined =>
    COMMANDS.find((command) => command.name === name && name !== "auto");
  const asksForHelp = first === "--help" || first === "-h" || first === "help";
  const named = commandOf(asksForHelp ? second : first);
  if (asksForHelp) return showHelp(named ?? null, COMMANDS, surroundings);
  const command = named ?? (COMMANDS.find(({ name }) => name === "auto") as Command);
  return runCommand(command, named === undefined ? argv : argv.slice(1), { surroundings, commands: COMMANDS });
}

async function showHelp(
  command: Command | null,
  commands: readonly Command[],
  { stdout }: Surroundings,
): Promise<number> {
  const { commandHelp, overview } = await import("./help.ts");
  stdout.write(command === null ? overview(commands) : commandHelp(command));
  return 0;
}

async function runCommand(
  command: Command,
  argv: readonly string[],
  { surroundings, commands }: { surroundings: Surroundings; commands: readonly Command[] },
): Promise<number> {
  const { parseArguments } = await import("./config/arguments.ts");
  const { invocationOf } = await import("./invocation.ts");
  const line = parseArguments(command.name, argv, { environment: surroundings.environment });
  if (line.wantsHelp) return showHelp(command, commands, surroundings);
  const operands = await checkedOperands(command, line.operands, commands);
  const invocation = await invocationOf({ ...line, operands }, surroundings, {
    appOperand: operands[command.operands[1] - 1],
  });
  const { run: start } = await command.load();
  return start(invocation);
}

async function checkedOperands(
  command: Command,
  operands: readonly string[],
  commands: readonly Command[],
): Promise<readonly string[]> {
  const [least, most] = command.operands;
  if (operands.length >= least && operands.length <= most) return operands;
  const { didYouMean } = await import("./suggest.ts");
  const { UsageError } = await import("./usage-error.ts");
  if (operands.length < least) throw new UsageError(`${command.usage}: ${command.missing}`);
  const names = commands.map(({ name }) => name).filter((name) => name !== "auto");
  const near = command.name === "auto" ? didYouMean(operands[0] as string, names) : "";
  if (near !== "") throw new UsageError(`unknown command ${JSON.stringify(operands[0])}${near}`);
  const found = operands.slice(least).map((one) => JSON.stringify(one));
  throw new UsageError(`one app at a time: found ${found.join(" and ")}; mount others with --mount /prefix=APP`);
}
