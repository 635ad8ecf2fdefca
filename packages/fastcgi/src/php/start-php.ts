// PHP processes of our own: PHP-FPM with a configuration we write, or php-cgi.
import { readdir } from "node:fs/promises";
import { basename, delimiter, join, resolve } from "node:path";
import type { BackendSpec } from "@gw/core";
import { checkPhpStart } from "../check-options.ts";
import { FastcgiError } from "../client/errors.ts";
import type { PhpStartOptions } from "./options.ts";

const SBIN = ["/usr/local/sbin", "/usr/sbin", "/sbin"];
/** For requests that a pool runs or has accepted when another takes its place: as long as we wait for an answer's head. */
const DRAIN_TIMEOUT_MS = 60_000;
/** Whom PHP-FPM's children are where we are root, unless told. */
export const DEFAULT_PHP_USER = "www-data";
/** Children of a site, unless told. */
export const DEFAULT_MAX_CHILDREN = 4;
const PHP_PATH = "/usr/local/bin:/usr/bin:/bin";

/**
 * How PHP is run for a site. Plain data that is the same in every worker of a gateway.
 *
 * @throws FastcgiError `GW_FCGI_OPTION` if there is no PHP, or only php-cgi where `pm` asks for PHP-FPM
 */
export async function phpSpec(root: string, options: PhpStartOptions): Promise<BackendSpec> {
  const command = await findPhp(options.command);
  checkPhpStart({ ...options, command });
  const name = `php ${root}`;
  const env = { PATH: PHP_PATH, ...options.env };
  return basename(command).includes("cgi")
    ? phpCgiSpec(command, { name, env, options })
    : phpFpmSpec(command, { name, env, options });
}

interface SpecParts {
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
  readonly options: PhpStartOptions;
}

/** PHP-FPM keeps its children itself: one master, which makes its socket where we tell it. */
function phpFpmSpec(command: string, { name, env, options }: SpecParts): BackendSpec {
  const {
    pm = "static",
    maxChildren = DEFAULT_MAX_CHILDREN,
    maxRequests = 500,
    user = DEFAULT_PHP_USER,
    ini = {},
  } = options;
  const isRoot = process.getuid?.() === 0;
  const lines = [
    "[global]",
    "daemonize = no",
    "process_control_timeout = 9s", // for running requests at QUIT
    "error_log = syslog", // no file is opened for it; what is said goes to standard error by --force-stderr
    "log_level = warning",
    "[gw]",
    "listen = $" + "{GW_SOCKET}", // PHP-FPM reads it from its environment
    "listen.backlog = 511",
    ...(isRoot ? [`user = ${user}`] : []),
    `pm = ${pm}`,
    `pm.max_children = ${maxChildren}`,
    `pm.max_requests = ${maxRequests}`,
    ...(pm === "dynamic"
      ? ["pm.start_servers = 1", "pm.min_spare_servers = 1", `pm.max_spare_servers = ${maxChildren}`]
      : []),
    ...(pm === "ondemand" ? ["pm.process_idle_timeout = 30s"] : []),
    "catch_workers_output = yes",
    "decorate_workers_output = no",
    "clear_env = no", // it is clean already
    ...Object.entries(ini).map(([key, value]) => `php_admin_value[${iniKey(key)}] = ${iniValue(value)}`),
  ];
  return {
    name,
    command: [command, "--nodaemonize", "--force-stderr", "--fpm-config", "$GW_FILES/php-fpm.conf"],
    files: { "php-fpm.conf": `${lines.join("\n")}\n` },
    env,
    processes: 1,
    socket: "path",
    ready: "connect",
    // At QUIT, children finish what they run, but PHP-FPM drops the connections that none of them has accepted yet,
    // and requests in them are lost. So it is asked when nobody is connected any more.
    drainTimeoutMs: DRAIN_TIMEOUT_MS,
    stopSignal: "SIGQUIT", // TERM would cut the requests that run
    stopTimeoutMs: 10_000,
  };
}

/** php-cgi answers one request at a time, from the socket that all of them share. */
function phpCgiSpec(command: string, { name, env, options }: SpecParts): BackendSpec {
  const { maxChildren = DEFAULT_MAX_CHILDREN, maxRequests = 500, ini = {} } = options;
  const settings = Object.entries(ini).flatMap(([key, value]) => ["-d", `${iniKey(key)}=${iniValue(value)}`]);
  return {
    name,
    command: [command, ...settings],
    env: { ...env, PHP_FCGI_CHILDREN: "0", ...(maxRequests > 0 && { PHP_FCGI_MAX_REQUESTS: String(maxRequests) }) },
    processes: maxChildren,
    socket: "fd0",
    ready: "spawn",
  };
}

/** The program; without a name, PHP-FPM before php-cgi, the name without a version before the newest one. */
async function findPhp(name?: string): Promise<string> {
  if (name?.includes("/")) return resolve(name);
  const folders = [...new Set([...(process.env.PATH ?? "").split(delimiter), ...SBIN])].filter((one) => one !== "");
  const programs: string[] = [];
  for (const folder of folders) {
    programs.push(...(await readdir(folder).catch(() => [])).map((one) => join(folder, one)));
  }
  for (const pattern of [/^php-fpm[0-9.]*$/, /^php-cgi[0-9.]*$/]) {
    const isWanted = (path: string): boolean =>
      name === undefined ? pattern.test(basename(path)) : basename(path) === name;
    const [best] = programs.filter(isWanted).sort((one, other) => versionOf(other) - versionOf(one));
    if (best !== undefined) return best;
  }
  throw new FastcgiError("GW_FCGI_OPTION", `no ${name ?? "php-fpm and no php-cgi"} on PATH or in the sbin directories`);
}

/** `php-fpm8.2` → 8.2; a name without a version is what the system has chosen. */
function versionOf(path: string): number {
  const version = /([0-9.]+)$/.exec(basename(path))?.[1];
  return version === undefined ? Number.POSITIVE_INFINITY : Number(version);
}

function iniKey(key: string): string {
  if (/^[A-Za-z0-9_.]+$/.test(key)) return key;
  throw new FastcgiError("GW_FCGI_OPTION", `not a setting of PHP: ${JSON.stringify(key)}`);
}

function iniValue(value: string): string {
  if (!/[\0\r\n"]/.test(value)) return `"${value}"`;
  throw new FastcgiError("GW_FCGI_OPTION", `not a value for a setting of PHP: ${JSON.stringify(value)}`);
}
