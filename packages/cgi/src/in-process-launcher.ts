// Starts programs from this process. Simple, but each start stops the event loop for one or two milliseconds, more with a large heap.
import { isGatewayError, toProcessEnvironment } from "@gw/core";
import { spawnChild } from "@gw/core/node";
import { startError } from "./launch-error.ts";
import type { Launcher, LaunchSpec, RunningProgram } from "./launcher.ts";
import { isRunning } from "./process-state.ts";

/** The launcher that spawns in this process. Carries valid UTF-8 only: Node writes the environment as such. */
export const inProcessLauncher: Launcher = {
  name: "inprocess",
  async launch({ command, cwd, environment, hasInput, log }: LaunchSpec): Promise<RunningProgram> {
    const env = toProcessEnvironment(environment);
    try {
      const child = await spawnChild({
        command,
        cwd,
        env,
        stdin: hasInput ? "pipe" : "none",
        stdout: "pipe",
        log,
        // A program may leave processes behind: its answer ends when the last of them closes its output (R-C18).
        leftovers: "keep",
      });
      if (child.stdout === null) throw new TypeError("a child with a piped stdout has a stream for it");
      return {
        input: child.stdin,
        output: child.stdout,
        exited: child.exited,
        livesOn: () => (isRunning(child.pid) ? Promise.resolve() : child.exited.then(() => {})),
        stop: (graceMs) => void child.stop(graceMs),
      };
    } catch (error) {
      throw launchError(error, command[0]);
    }
  },
};

/** What a failed start means for the request; the path of the program stays in the log. */
function launchError(error: unknown, program: string): unknown {
  if (!isGatewayError(error)) return error;
  const reason = (error.cause as NodeJS.ErrnoException | undefined)?.code ?? "";
  return startError(program, error.status === 503 ? "EAGAIN" : reason, error);
}
