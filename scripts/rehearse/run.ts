// Runs one command to its end; shows its output only if it fails.
import { spawn } from "node:child_process";

/** Where and how a command runs. */
export interface RunOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** @default 300_000 */
  readonly timeoutMs?: number;
}

/**
 * Runs a command and returns what it wrote to its standard output.
 *
 * @throws Error with all of its output if it ends with another code than 0, or takes too long
 */
export async function run(
  command: string,
  args: readonly string[],
  { cwd, env, timeoutMs = 300_000 }: RunOptions,
): Promise<string> {
  const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"], timeout: timeoutMs });
  let output = "";
  let all = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    all += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    all += text;
  });
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve, reject) => {
    child.once("error", reject).once("close", (...end) => resolve(end));
  });
  if (code !== 0) throw new Error(`${[command, ...args].join(" ")} ended with ${signal ?? code}:\n${all}`);
  return output;
}
