// Programs started by a FastCGI server such as fcgiwrap: there is no process of ours beside the gateway.
import { GatewayError, parseUpstreamAddress } from "@gw/core";
import { CgiError } from "./errors.ts";
import { FastcgiProgram } from "./fastcgi-program.ts";
import { startError } from "./launch-error.ts";
import type { Launcher, LaunchSpec } from "./launcher.ts";

/**
 * The launcher that asks the FastCGI server at an address to run SCRIPT_FILENAME.
 *
 * Every byte of the environment passes. What such a server cannot do: arguments, another directory, another user, end a
 * program, say how it ended.
 *
 * @param address `"unix:/run/fcgiwrap.socket"`, `"127.0.0.1:9000"`
 * @throws CgiError `GW_CGI_OPTION` for an address that is none
 */
export function fastcgiLauncher(address: string): Launcher {
  const target = addressOf(address);
  return {
    name: "fastcgi",
    startsFilesOnly: true,
    async launch(spec: LaunchSpec): Promise<FastcgiProgram> {
      if (Object.values(spec.environment).some((value) => value.includes("\0"))) {
        throw new GatewayError("GW_ENV_BYTES", 400, "a variable has a NUL, which no environment can carry");
      }
      if (spec.command.length > 1) throw new CgiError("GW_CGI_OPTION", FILES_ONLY);
      return FastcgiProgram.start(spec, target).catch((error: unknown) => {
        throw startError(spec.command[0], (error as NodeJS.ErrnoException).code ?? "", error);
      });
    },
    status: () => ({ name: "fastcgi", state: "ready", error: null, facts: { address } }),
  };
}

/** What is said where a mount asks for more than a FastCGI server can do. */
export const FILES_ONLY =
  "a spawner that is reached over FastCGI runs executable files in their own directory: it takes no arguments, no interpreters, no cwd, user, group, nice or limits";

function addressOf(address: string): ReturnType<typeof parseUpstreamAddress> {
  try {
    return parseUpstreamAddress(address);
  } catch (cause) {
    const found = JSON.stringify(address);
    throw new CgiError("GW_CGI_OPTION", `spawner is fastcgi:unix:/path or fastcgi:host:port, found ${found}`, {
      cause,
    });
  }
}
