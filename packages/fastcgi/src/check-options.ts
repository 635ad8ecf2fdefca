// Numbers that no mount can mean, refused while the mount is made. What depends on the system is asked at the start.
import { basename } from "node:path";
import { checkNumbers, countFrom, limitMs, type NumberTable, timerMs, wholeNumber } from "@gw/core";
import { FastcgiError } from "./client/errors.ts";
import type { FastcgiClientOptions } from "./client/options.ts";
import type { FastcgiServerOptions } from "./options.ts";
import type { PhpStartOptions } from "./php/options.ts";
import type { FastcgiPoolOptions } from "./pool/options.ts";

const CLIENT: NumberTable<FastcgiClientOptions> = {
  connectTimeoutMs: timerMs,
  headerTimeoutMs: limitMs,
  idleTimeoutMs: limitMs,
  timeoutMs: limitMs,
  maxConnections: countFrom(1),
  maxIdleConnections: countFrom(0),
  keepAliveMs: timerMs,
  maxQueued: countFrom(0),
  queueTimeoutMs: timerMs,
};

const SERVER: NumberTable<FastcgiServerOptions> = {
  maxConnections: countFrom(1),
  maxRequestsPerConnection: countFrom(1),
  maxParamsBytes: countFrom(1),
  maxParams: countFrom(1),
  maxBodyBytes: countFrom(0),
  maxSpoolBytes: countFrom(0),
  headerTimeoutMs: timerMs,
  bodyTimeoutMs: limitMs,
  minBodyBytesPerSecond: countFrom(0),
  requestTimeoutMs: limitMs,
  writeTimeoutMs: timerMs,
  idleGraceMs: timerMs,
  gracefulTimeoutMs: timerMs,
};

const MOST_PROCESSES = 1_024;

const POOL: NumberTable<FastcgiPoolOptions> = {
  min: wholeNumber(0, MOST_PROCESSES),
  max: wholeNumber(1, MOST_PROCESSES),
  requestsPerProcess: countFrom(1),
  idleTimeoutMs: limitMs,
  ioTimeoutMs: limitMs,
  busyTimeoutMs: limitMs,
  maxRequests: countFrom(0),
  maxLifetimeMs: limitMs,
  maxRssBytes: countFrom(0),
  startTimeoutMs: timerMs,
  drainTimeoutMs: timerMs,
  stopTimeoutMs: timerMs,
};

const PHP: NumberTable<PhpStartOptions> = {
  maxChildren: wholeNumber(1, MOST_PROCESSES),
  maxRequests: wholeNumber(0, 2_147_483_647), // PHP-FPM reads it as an int
};

const refuse = (message: string): FastcgiError => new FastcgiError("GW_FCGI_OPTION", message);

/** @throws FastcgiError `GW_FCGI_OPTION` that names the option, what it may be and what was found. */
export function checkClientOptions(options: FastcgiClientOptions): void {
  checkNumbers(options, CLIENT, refuse);
}

/** @throws as `checkClientOptions` */
export function checkServerOptions(options: FastcgiServerOptions): void {
  checkNumbers(options, SERVER, refuse);
}

/** @throws as `checkClientOptions` */
export function checkPoolOptions(options: FastcgiPoolOptions): void {
  checkNumbers(options, POOL, refuse);
}

/** @throws as `checkClientOptions` */
export function checkPhpStart(options: PhpStartOptions): void {
  checkNumbers(options, PHP, refuse);
  const { pm = "static", command = "" } = options;
  if (options.pm !== undefined && basename(command).includes("cgi")) {
    throw refuse(
      `pm is for PHP-FPM, and ${JSON.stringify(command)} is php-cgi, which always keeps all of its processes`,
    );
  }
  if (pm === "static" || pm === "dynamic" || pm === "ondemand") return;
  throw refuse(`pm is static, dynamic or ondemand, found ${JSON.stringify(pm)}`);
}

/**
 * The folders of `noScripts` with a slash at both ends.
 *
 * @throws FastcgiError `GW_FCGI_OPTION` for what is no path below the mount
 */
export function checkScriptFolders(folders: readonly string[]): readonly string[] {
  return folders.map((folder) => {
    if (folder.startsWith("/") && !/\/\/|\/\.\.?(?:\/|$)/.test(folder)) return folder.replace(/\/?$/, "/");
    throw refuse(`noScripts: found ${JSON.stringify(folder)}, expected a path below the mount like "/uploads/"`);
  });
}
