// argv → the command and its result. Commands are loaded when they are called: a CGI program starts for each request.
import { COMMANDS, type Command } from "./commands/table.ts";
import { parseArguments } from "./config/arguments.ts";
import { type Invocation, invocationOf, type Surroundings } from "./invocation.ts";
import { isCgi } from "./query-words.ts";
import { didYouMean } from "./suggest.ts";
import { UsageError } from "./usage-error.ts";

/**
 * Runs the command line and gives the exit code: 0, or what the command says.
 *
 * @throws UsageError (exit 2) or any other error (exit 1)
 */
export async function run(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  const [first, second] = argv;
  if (first === "--help" || first === "-h" || first === "help") return showHelp(commandOf(second), surroundings);
  const named = commandOf(first);
  const command = named ?? (COMMANDS.find(({ name }) => name === "auto") as Command);
  const words = named === null ? argv : argv.slice(1);
  if (!isProgram(command, surroundings)) return runCommand(command, words, surroundings);
  try {
    return await runCommand(command, words, surroundings);
  } catch (error) {
    const { answerAsFailed } = await import("./serving/failed-program.ts");
    return answerAsFailed(error, surroundings);
  }
}

/** Whether a web server waits for an answer on standard output. */
function isProgram({ name }: Command, { environment }: Surroundings): boolean {
  return (name === "cgi" || name === "auto") && isCgi(environment);
}

async function runCommand(command: Command, argv: readonly string[], surroundings: Surroundings): Promise<number> {
  const line = parseArguments(command.name, argv, surroundings);
  if (line.wantsHelp) return showHelp(command, surroundings);
  checkOperands(command, line.operands);
  const appOperand = command.takesApp === false ? undefined : line.operands[command.operands[1] - 1];
  let invocation: Invocation;
  try {
    invocation = await invocationOf(line, surroundings, { appOperand });
  } catch (error) {
    const { failAsWorker } = await import("./tree/failed-worker.ts");
    return failAsWorker(error, surroundings.environment);
  }
  const { run: start } = await command.load();
  return start(invocation);
}

/** The command with a name; `auto` has none. */
function commandOf(name: string | undefined): Command | null {
  return COMMANDS.find((command) => command.name === name && name !== "auto") ?? null;
}

async function showHelp(command: Command | null, { stdout }: Surroundings): Promise<number> {
  const { commandHelp, overview } = await import("./help.ts");
  stdout.write(command === null ? overview(COMMANDS) : commandHelp(command));
  return 0;
}

function checkOperands({ name, usage, missing, operands: [least, most] }: Command, found: readonly string[]): void {
  if (found.length < least) throw new UsageError(`${usage}: ${missing}`);
  if (found.length <= most) return;
  const commands = COMMANDS.map((command) => command.name).filter((one) => one !== "auto");
  const near = name === "auto" ? didYouMean(found[0] as string, commands) : "";
  if (near !== "") throw new UsageError(`unknown command ${JSON.stringify(found[0])}${near}`);
  if (name === "passwd") throw new UsageError(`${usage}: found ${found.length} operands; the password is no argument`);
  const apps = found.slice(least).map((one) => JSON.stringify(one));
  throw new UsageError(`one app at a time: found ${apps.join(" and ")}; mount others with --mount /prefix=APP`);
}
