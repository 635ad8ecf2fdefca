// Starts programs from this process. Simple, but each start stops the event loop for one or two milliseconds, more with a large heap.
import { HeaderList, isGatewayError, toProcessEnvironment } from "@gw/core";
import { spawnChild } from "@gw/core/node";
import { CgiError } from "./errors.ts";
import type { Launcher, LaunchSpec, RunningProgram } from "./launcher.ts";

/** The launcher that spawns in this process. Carries valid UTF-8 only: Node writes the environment as such. */
export const inProcessLauncher: Launcher = {
  name: "in-process",
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
        stop: (graceMs) => void child.stop(graceMs),
      };
    } catch (error) {
      throw launchError(error);
    }
  },
};

const SYSTEM_IS_FULL: ReadonlySet<string> = new Set(["EAGAIN", "EMFILE", "ENFILE", "ENOMEM"]);

/** What a failed start means for the request; the path of the program stays in the log. */
function launchError(error: unknown): unknown {
  if (!isGatewayError(error)) return error;
  const reason = (error.cause as NodeJS.ErrnoException | undefined)?.code ?? "";
  if (reason === "E2BIG") {
    return new CgiError("GW_CGI_REQUEST_TOO_LARGE", "the request is too large for the environment of a program", {
      cause: error,
    });
  }
  if (error.status === 503 || SYSTEM_IS_FULL.has(reason)) {
    const headers = HeaderList.from({ "Retry-After": "5" });
    return new CgiError("GW_CGI_BUSY", "no process can be started now", { cause: error, headers });
  }
  return new CgiError("GW_CGI_NOT_STARTED", error.message, { cause: error });
}
