// The options of a pool as the spec of a backend: plain data that the supervisor of any process can run.
import { execFileSync } from "node:child_process";
import { resolve } from "node:path";
import type { BackendSpec } from "@gw/core";
import { checkPoolOptions } from "../check-options.ts";
import { FastcgiError } from "../client/errors.ts";
import type { DemandOptions } from "./demand.ts";
import type { FastcgiPoolOptions } from "./options.ts";

const PATH = "/usr/local/bin:/usr/bin:/bin";

/**
 * How many processes, with the defaults.
 *
 * @throws FastcgiError `GW_FCGI_OPTION` for numbers that cannot work
 */
export function poolBounds(options: FastcgiPoolOptions): DemandOptions {
  checkPoolOptions(options);
  const { min = 1, max = Math.max(4, min), requestsPerProcess = 1, idleTimeoutMs = 300_000 } = options;
  if (max < min) throw new FastcgiError("GW_FCGI_OPTION", `max is ${min} or more, which min is; found ${max}`);
  return { min, max, requestsPerProcess, idleTimeoutMs };
}

/** @throws FastcgiError `GW_FCGI_OPTION` for a user that cannot be */
export function poolSpec(name: string, options: FastcgiPoolOptions, processes: number): BackendSpec {
  const { command, args = [], env, cwd, user, ready = "accept" } = options;
  const { startTimeoutMs, stopTimeoutMs, drainTimeoutMs = 60_000, backOffMs } = options;
  // A relative path is looked up from where the program runs.
  const program = command.includes("/") ? resolve(cwd ?? ".", command) : command;
  return {
    name,
    command: [program, ...args],
    env: { PATH, ...env },
    processes,
    maxProcesses: poolBounds(options).max,
    socket: "own-fd0",
    ready,
    drainTimeoutMs,
    ...(cwd !== undefined && { cwd: resolve(cwd) }),
    ...(user !== undefined && idsOf(user)),
    ...(startTimeoutMs !== undefined && { startTimeoutMs }),
    ...(stopTimeoutMs !== undefined && { stopTimeoutMs }),
    ...(backOffMs !== undefined && { backOffMs }),
  };
}

function idsOf(user: string | number): { readonly uid: number; readonly gid: number } {
  if (process.getuid?.() !== 0) {
    throw new FastcgiError("GW_FCGI_OPTION", "fastcgiPool(): the option user needs a gateway that runs as root");
  }
  return { uid: idOf("-u", user), gid: idOf("-g", user) };
}

function idOf(flag: "-u" | "-g", user: string | number): number {
  try {
    const words = [flag, "--", String(user)];
    return Number(execFileSync("/usr/bin/id", words, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }));
  } catch (cause) {
    const found = JSON.stringify(user);
    throw new FastcgiError("GW_FCGI_OPTION", `fastcgiPool(): no user ${found} on this system`, { cause });
  }
}
