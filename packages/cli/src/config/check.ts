// What a configuration file exports → a Config, or which key is wrong. Pure.
import { didYouMean } from "../suggest.ts";
import { UsageError } from "../usage-error.ts";
import type { Config, MountReference } from "./config.ts";
import { OPTIONS } from "./options.ts";

const FILE_KEYS: readonly string[] = ["app", "mounts", "use"];

/** The keys of flags that a file may set. */
export const SETTING_KEYS: readonly string[] = OPTIONS.filter(({ group }) => group !== "Request" && group !== "Control")
  .map(({ key }) => key)
  .filter((key) => !["config", "mount", "use"].includes(key));

const MOUNT_KEYS: readonly string[] = ["app", "maxBodyBytes", "variables"];

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
  if (!isRecord(exported))
    throw new UsageError(`${name}: the default export is ${JSON.stringify(exported)}; ${expected}`);
  const keys = Object.keys(exported);
  if (keys.length > 0 && keys.every(isPlace)) return { mounts: checkMounts(name, exported) };
  const allowed = [...FILE_KEYS, ...SETTING_KEYS];
  for (const key of keys) checkKey(name, key, allowed);
  const { app, mounts, use } = exported;
  if (app !== undefined) checkReference(`${name}: app`, app);
  if (mounts !== undefined) {
    if (!isRecord(mounts)) throw unfit(`${name}: mounts`, mounts, "an object of prefix → app");
    checkMounts(`${name}: mounts`, mounts);
  }
  if (use !== undefined) checkLayers(`${name}: use`, use);
  return exported as Config;
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
    if (!isMountReference(value)) {
      checkReference(at, value);
      continue;
    }
    for (const key of Object.keys(value)) checkKey(at, key, MOUNT_KEYS);
    checkReference(`${at}.app`, value.app);
    if (value.maxBodyBytes !== undefined && !(typeof value.maxBodyBytes === "number" && value.maxBodyBytes >= 0))
      throw unfit(`${at}.maxBodyBytes`, value.maxBodyBytes, "a number of bytes");
    if (value.variables !== undefined && typeof value.variables !== "function")
      throw unfit(`${at}.variables`, value.variables, "a function (request) => variables");
  }
  return mounts as NonNullable<Config["mounts"]>;
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
  return new UsageError(`${name}: found ${JSON.stringify(found)}, expected ${expected}`);
}
