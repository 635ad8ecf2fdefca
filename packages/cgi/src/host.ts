// One program as an app: every request under the mount starts it.
import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import type { App, GatewayRequest, HttpRequest } from "@gw/core";
import { CgiError } from "./errors.ts";
import { DEFAULT_PATH } from "./inherit.ts";
import type { ProgramOptions } from "./options.ts";
import { ProgramRunner } from "./program-runner.ts";

/** A program and how it is run. */
export interface CgiProgramOptions extends ProgramOptions {
  /** The program: a path (relative to the gateway's working directory), or a name to look for in `path`. */
  command: string;
  /** Its arguments. @default [] */
  args?: readonly string[];
}

/**
 * Runs a CGI program (RFC 3875) for each request: SCRIPT_NAME is the mount, PATH_INFO what follows it.
 *
 * Nothing of a request is ever a command line, unless `queryArguments` asks for it.
 */
export function cgiProgram({ command: asked, args = [], ...options }: CgiProgramOptions): App {
  const command = absoluteCommand(asked);
  const runner = new ProgramRunner(options);
  let found: string | null = null;
  return {
    async handle(request) {
      refuseSocket(request);
      found ??= await findCommand(command, options.path ?? DEFAULT_PATH);
      return runner.run(request, {
        command: [found, ...args],
        file: found,
        cwd: dirname(found),
        scriptName: request.mount,
        pathInfo: request.path,
        nph: options.nph ?? false,
      });
    },
    async start(context) {
      await runner.start(context);
      // Not fatal: a program may be installed later, and the other mounts do not depend on it (R-O3).
      await findCommand(command, options.path ?? DEFAULT_PATH).catch((error: unknown) =>
        context.log.warn({ err: error }, `the CGI program ${command} cannot be run yet`),
      );
    },
    stop: (deadline) => runner.stop(deadline),
    describe: () => ({ kind: "cgi", name: basename(command), facts: { command } }),
    status: () => runner.status(basename(command)),
  };
}

/** @throws CgiError `GW_CGI_NO_WEBSOCKET` (501): CGI has no way to carry one. */
export function refuseSocket(request: GatewayRequest): asserts request is HttpRequest {
  if (request.kind === "websocket") {
    throw new CgiError("GW_CGI_NO_WEBSOCKET", "a CGI program cannot take part in a WebSocket");
  }
}

/** A path becomes an absolute one; a name, to be looked for later, stays. */
export function absoluteCommand(command: string): string {
  return command.includes("/") ? resolve(command) : command;
}

/**
 * The program's file.
 *
 * @throws CgiError `GW_CGI_NOT_STARTED` if there is no such program or it is not executable.
 */
export async function findCommand(command: string, path: string): Promise<string> {
  const candidates = command.includes("/")
    ? [resolve(command)]
    : path.split(":").map((directory) => resolve(directory, command));
  let cause: unknown;
  for (const candidate of candidates) {
    try {
      await access(candidate, constants.X_OK);
      return candidate;
    } catch (error) {
      cause = error;
    }
  }
  const where = command.includes("/") ? candidates[0] : `${command} in ${path}`;
  throw new CgiError("GW_CGI_NOT_STARTED", `no executable program ${where}`, { cause });
}
