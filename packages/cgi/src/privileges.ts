// Other user, other priority, resource limits: through setpriv, nice and prlimit, which replace themselves by the program.
import { execFileSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { CgiError } from "./errors.ts";

/** What programs may use, as `prlimit` names it; soft and hard limit alike. */
export interface ResourceLimits {
  /** Processor time, seconds. */
  cpuSeconds?: number;
  /** Address space, bytes. */
  memoryBytes?: number;
  /** Largest file that may be written, bytes. */
  fileBytes?: number;
  /** Open descriptors. */
  openFiles?: number;
  /** Processes and threads of the user. */
  processes?: number;
}

/** As whom programs run and what they may use (R-C13). */
export interface PrivilegeOptions {
  /** User to run as, by name or number; needs root and `setpriv`. @default ours */
  user?: string | number;
  /** Group to run as. @default the user's own */
  group?: string | number;
  /** Added to the priority, 0 to 19 is lower; needs `nice`. @default 0 */
  nice?: number;
  /** Resource limits; need `prlimit`. @default ours */
  limits?: ResourceLimits;
}

const LIMIT_FLAGS: Readonly<Record<keyof ResourceLimits, string>> = {
  cpuSeconds: "--cpu",
  memoryBytes: "--as",
  fileBytes: "--fsize",
  openFiles: "--nofile",
  processes: "--nproc",
};

/**
 * The command to put before a program's; empty if nothing is asked for.
 *
 * Limits come first, while we may still raise them, then the priority, then the user.
 *
 * @throws CgiError `GW_CGI_OPTION` if a tool is missing, a user or group unknown or a value out of range.
 */
export function privilegeCommand({ user, group, nice, limits = {} }: PrivilegeOptions): string[] {
  return [...limitCommand(limits), ...niceCommand(nice), ...userCommand(user, group)];
}

function limitCommand(limits: ResourceLimits): string[] {
  const flags = Object.entries(limits).flatMap(([name, value]) => {
    const flag = LIMIT_FLAGS[name as keyof ResourceLimits];
    if (flag === undefined)
      throw new CgiError(
        "GW_CGI_OPTION",
        `limits.${name} is not known; there are ${Object.keys(LIMIT_FLAGS).join(", ")}`,
      );
    if (value === undefined) return [];
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new CgiError("GW_CGI_OPTION", `limits.${name} is a whole number from 0 on, found ${value}`);
    }
    return [`${flag}=${value}`];
  });
  return flags.length === 0 ? [] : [findTool("prlimit", "limits"), ...flags, "--"];
}

function niceCommand(nice: number | undefined): string[] {
  if (nice === undefined || nice === 0) return [];
  return [findTool("nice", "nice"), "-n", String(nice), "--"];
}

function userCommand(user: string | number | undefined, group: string | number | undefined): string[] {
  if (user === undefined && group === undefined) return [];
  if (process.getuid?.() !== 0)
    throw new CgiError("GW_CGI_OPTION", "the options user and group need a gateway that runs as root");
  const tool = findTool("setpriv", "user and group");
  const named = group === undefined ? undefined : groupId(tool, group);
  if (user === undefined) return [tool, `--regid=${named}`, "--clear-groups", "--"];
  const uid = userId("-u", user);
  const gid = named ?? userId("-g", user);
  return [
    tool,
    `--reuid=${uid}`,
    `--regid=${gid}`,
    typeof user === "string" ? "--init-groups" : "--clear-groups",
    "--",
  ];
}

/** The number of a user, or of its group, as the system's user database has it. */
function userId(flag: "-u" | "-g", user: string | number): string {
  try {
    return execFileSync(findTool("id", "user"), [flag, String(user)], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch (cause) {
    if (flag === "-u" && typeof user === "number") return String(user);
    throw new CgiError("GW_CGI_OPTION", `the option user names a user of this system, found ${JSON.stringify(user)}`, {
      cause,
    });
  }
}

/** The number of a group, as `setpriv` itself understands it: what it will be asked for with every program. */
function groupId(setpriv: string, group: string | number): string {
  try {
    const command = [`--regid=${group}`, "--clear-groups", "--", findTool("id", "group"), "-g"];
    return execFileSync(setpriv, command, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
  } catch (cause) {
    if (cause instanceof CgiError) throw cause;
    throw new CgiError(
      "GW_CGI_OPTION",
      `the option group names a group of this system, found ${JSON.stringify(group)}`,
      {
        cause,
      },
    );
  }
}

const TOOL_DIRECTORIES = ["/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/local/bin"];

function findTool(name: string, option: string): string {
  const path = TOOL_DIRECTORIES.map((directory) => `${directory}/${name}`).find(isExecutable);
  if (path !== undefined) return path;
  throw new CgiError(
    "GW_CGI_OPTION",
    `the option ${option} needs the program ${name}, which this system does not have`,
  );
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
