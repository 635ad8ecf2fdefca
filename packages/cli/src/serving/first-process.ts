// Life as process 1 of a container: Node does not reap processes that it did not start, so somebody else must be first.
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Programs made to be process 1, with what stands before the command. */
const INITS: readonly (readonly string[])[] = [
  ["tini", "--"],
  ["dumb-init", "--single-child", "--"],
  ["catatonit", "--"],
];

/**
 * A shell as process 1: hands signals on, reaps whatever ends, and ends as the gateway does. `wait` returns early when a
 * signal has come.
 */
const SHELL_INIT = `"$@" & child=$!
for name in TERM INT HUP USR1 USR2 TTIN TTOU; do trap "kill -s $name $child" "$name"; done
while :; do wait "$child"; code=$?; kill -s 0 "$child" 2>/dev/null || exit "$code"; done`;

type Execute = (file: string, args: readonly string[], env?: NodeJS.ProcessEnv) => never;

/** What this process can do, given by tests. */
export interface FirstProcessOptions {
  readonly pid: number;
  readonly environment: NodeJS.ProcessEnv;
  /** `process.execve`, from Node 22.15 on. */
  readonly execute: Execute | undefined;
  readonly warn: (line: string) => void;
}

/**
 * As process 1, becomes a small init that runs the same command below it; otherwise does nothing.
 *
 * Without a way to become another program (Node before 22.15) it says what will go wrong: ended grandchildren stay as zombies.
 */
export function leaveFirstPlace({ pid, environment, execute, warn }: FirstProcessOptions): void {
  if (pid !== 1) return;
  if (execute === undefined) {
    warn("gw: process 1 of a container reaps no orphans on this Node; start it with an init (docker run --init)");
    return;
  }
  const command = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const found = INITS.map(([name, ...rest]) => ({ path: findProgram(name as string, environment), rest })).find(
    ({ path }) => path !== null,
  );
  if (found?.path != null) execute(found.path, [found.path, ...found.rest, ...command], environment);
  else execute("/bin/sh", ["/bin/sh", "-c", SHELL_INIT, "sh", ...command], environment);
}

function findProgram(name: string, { PATH = "" }: NodeJS.ProcessEnv): string | null {
  for (const folder of PATH.split(delimiter)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      if (folder !== "") return path;
    } catch {
      // not here
    }
  }
  return null;
}
