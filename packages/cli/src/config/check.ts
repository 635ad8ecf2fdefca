// What a configuration file exports → a Config, or which key is wrong. Pure.
import { didYouMean } from "../suggest.ts";
import { UsageError } from "../usage-error.ts";
import type { Config, MountReference } from "./config.ts";
import { OPTIONS } from "./options.ts";
import { EXPECTED, parseValue } from "./values.ts";

const FILE_KEYS: readonly string[] = ["app", "mounts", "use"];

/** The keys of flags that a file may set. */
export const SETTING_KEYS: readonly string[] = OPTIONS.filter(({ group }) => group !== "Request" && group !== "Control")
  .map(({ key }) => key)
  .filter((key) => !["config", "mount", "use"].includes(key));

/** The keys of a mount that is more than an app. */
export const MOUNT_KEYS: readonly string[] = [
  "app",
  "maxBodyBytes",
  "variables",
  "accessLog",
  "limitConcurrency",
  "limitQueue",
  "queueTimeout",
];
const ACCESS_LOG_KEYS: readonly string[] = ["format", "file"];

/**
 * Turns what a file exports into a Config.
 *
 * @param name of the file, for errors
 * @throws UsageError naming the key
 */
export function checkConfig(name: string, exported: unknown): Config {
  const expected = "expected a configuration, a table of mounts or an app";
  if (exported === undefined) throw new UsageError(`${name}: no default export; ${expected}`);
  if (isApp(exported)) return { app: exported as NonNullable<Config["app"]> };
  if (!isRecord(exported)) throw new UsageError(`${name}: the default export is ${shown(exported)}; ${expected}`);
  const { $schema, ...rest } = exported;
  if ($schema !== undefined && typeof $schema !== "string") throw unfit(`${name}: $schema`, $schema, "text");
  const keys = Object.keys(rest);
  if (keys.length > 0 && keys.every(isPlace)) return { mounts: checkMounts(name, rest) };
  const allowed = [...FILE_KEYS, ...SETTING_KEYS, "$schema"];
  for (const key of keys) checkKey(name, key, allowed);
  const { app, mounts, use } = rest;
  if (app !== undefined) checkReference(`${name}: app`, app);
  if (mounts !== undefined) {
    if (!isRecord(mounts)) throw unfit(`${name}: mounts`, mounts, "an object of prefix → app");
    checkMounts(`${name}: mounts`, mounts);
  }
  if (use !== undefined) checkLayers(`${name}: use`, use);
  return rest as Config;
}

function isApp(value: unknown): boolean {
  const { handle, fetch } = (value ?? {}) as { handle?: unknown; fetch?: unknown };
  return [value, handle, fetch].some((one) => typeof one === "function");
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Keys of settings are words; a path has a slash, a host name a dot. */
function isPlace(key: string): boolean {
  return /[/.]/.test(key);
}

function checkKey(name: string, key: string, allowed: readonly string[]): void {
  if (allowed.includes(key)) return;
  throw new UsageError(
    `${name}: unknown key ${JSON.stringify(key)}${didYouMean(key, allowed)}; allowed: ${allowed.join(", ")}`,
  );
}

function checkMounts(name: string, mounts: Record<string, unknown>): NonNullable<Config["mounts"]> {
  for (const [where, value] of Object.entries(mounts)) {
    const at = `${name}[${JSON.stringify(where)}]`;
    if (isRecord(value) && !isApp(value)) checkMount(at, value);
    else checkReference(at, value);
  }
  return mounts as NonNullable<Config["mounts"]>;
}

function checkMount(at: string, mount: Record<string, unknown>): void {
  for (const key of Object.keys(mount)) checkKey(at, key, MOUNT_KEYS);
  const { app, maxBodyBytes, variables, accessLog } = mount;
  checkReference(`${at}.app`, app);
  if (maxBodyBytes !== undefined && !(typeof maxBodyBytes === "number" && maxBodyBytes >= 0))
    throw unfit(`${at}.maxBodyBytes`, maxBodyBytes, "a number of bytes");
  if (variables !== undefined && typeof variables !== "function")
    throw unfit(`${at}.variables`, variables, "a function (request) => variables");
  if (accessLog !== undefined) checkAccessLog(`${at}.accessLog`, accessLog);
  checkLimit(at, mount);
}

/** What the settings of the same names take. */
function checkLimit(at: string, mount: Record<string, unknown>): void {
  for (const key of ["limitConcurrency", "limitQueue", "queueTimeout"]) {
    const value = mount[key];
    if (value === undefined) continue;
    const kind = key === "queueTimeout" ? "duration" : "number";
    if (typeof value !== "number" && typeof value !== "string") throw unfit(`${at}.${key}`, value, EXPECTED[kind]);
    parseValue(`${at}.${key}`, kind, String(value));
    if (mount.limitConcurrency === undefined)
      throw new UsageError(`${at}.${key} needs limitConcurrency: how many requests may be under way there`);
  }
}

function checkAccessLog(at: string, accessLog: unknown): void {
  if (typeof accessLog === "boolean" || typeof accessLog === "string") return;
  if (!isRecord(accessLog)) throw unfit(at, accessLog, "true, false, a format, or { format, file }");
  for (const [key, value] of Object.entries(accessLog)) {
    checkKey(at, key, ACCESS_LOG_KEYS);
    if (typeof value !== "string") throw unfit(`${at}.${key}`, value, "text");
  }
}

/** Whether a mount is given with settings, not as an app alone. */
export function isMountReference(value: unknown): value is MountReference {
  return isRecord(value) && !isApp(value) && "app" in value;
}

function checkReference(name: string, value: unknown): void {
  if (typeof value === "string" || typeof value === "function" || isRecord(value)) return;
  throw unfit(name, value, 'an app or a text such as "cgi-bin:./dir"');
}

function checkLayers(name: string, use: unknown): void {
  if (!Array.isArray(use)) throw unfit(name, use, "a list of layers");
  for (const [at, layer] of use.entries()) {
    if (typeof layer !== "function" && typeof layer !== "string")
      throw unfit(`${name}[${at}]`, layer, 'a layer or a text such as "basic-auth?htpasswd=./users"');
  }
}

function unfit(name: string, found: unknown, expected: string): UsageError {
  return new UsageError(`${name}: found ${shown(found)}, expected ${expected}`);
}

/** A value in an error, short, whatever it is. */
function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "function") return "a function";
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    const keys = Object.keys(value);
    return keys.length === 0 ? "{}" : `an object with the keys ${keys.slice(0, 6).join(", ")}`;
  }
  const text = typeof value === "bigint" || typeof value === "symbol" ? String(value) : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
