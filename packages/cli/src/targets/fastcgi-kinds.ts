// fastcgi: and php: an app behind a FastCGI socket, a PHP site.
import type { FastcgiOptions, FastcgiPoolOptions, PhpFpmOptions } from "@gw/fastcgi";
import type { TargetOptionKind, TargetOptions } from "./target.ts";
import type { TargetKind } from "./target-kind.ts";

const CLIENT = {
  connectTimeoutMs: "number",
  headerTimeoutMs: "number",
  idleTimeoutMs: "number",
  timeoutMs: "number",
  maxConnections: "number",
  maxIdleConnections: "number",
  keepAliveMs: "number",
  multiplex: "switch",
  maxQueued: "number",
  queueTimeoutMs: "number",
  authorization: "switch",
  sendfileRoots: "paths",
  accelRoots: "pathRecord",
  variables: "record",
} as const satisfies { readonly [K in keyof (FastcgiOptions & PhpFpmOptions)]?: TargetOptionKind };

const { idleTimeoutMs: _gap, maxConnections: _most, ...POOL_CLIENT } = CLIENT;

const POOL = {
  ...POOL_CLIENT,
  args: "list",
  env: "record",
  cwd: "path",
  user: "text",
  min: "number",
  max: "number",
  requestsPerProcess: "number",
  idleTimeoutMs: "number",
  ioTimeoutMs: "number",
  busyTimeoutMs: "number",
  maxRequests: "number",
  maxLifetimeMs: "number",
  maxRssBytes: "number",
  ready: ["accept", "spawn"],
  startTimeoutMs: "number",
  drainTimeoutMs: "number",
  stopTimeoutMs: "number",
} as const satisfies { readonly [K in keyof FastcgiPoolOptions]?: TargetOptionKind };

const PHP = {
  ...CLIENT,
  index: "list",
  tryFiles: "list",
  split: "list",
  noScripts: "list",
  socket: "list",
  command: "text",
  pm: ["static", "dynamic", "ondemand"],
  maxChildren: "number",
  maxRequests: "number",
  user: "text",
  env: "record",
  ini: "record",
} as const satisfies TargetOptions;

/** What of a `php:` target is about the processes it starts. */
const START: readonly string[] = ["command", "pm", "maxChildren", "maxRequests", "user", "env", "ini"];

/** `unix:/path` and `host:port`; whatever else follows `fastcgi:` is a program. */
const isAddress = (place: string): boolean => /^unix:|:\d+$/.test(place);

/** All of them. */
export const FASTCGI_KINDS: readonly TargetKind[] = [
  {
    name: "fastcgi",
    example: "fastcgi:unix:/path.sock",
    help: "an app behind a FastCGI socket: unix:/path or host:port",
    takes: isAddress,
    place: "name",
    options: CLIENT,
    async build(address, options) {
      const { fastcgi } = await import("@gw/fastcgi");
      return fastcgi({ ...options, address });
    },
  },
  {
    name: "fastcgi",
    example: "fastcgi:./program",
    help: "a FastCGI program, started and watched: a path, or a name on PATH",
    takes: (place) => !isAddress(place),
    place: "program",
    options: POOL,
    async build(command, options, folder) {
      const { fastcgiPool } = await import("@gw/fastcgi");
      return fastcgiPool({ cwd: folder, ...options, command });
    },
  },
  {
    name: "php",
    example: "php:./docroot",
    help: "a PHP site; starts php-fpm or php-cgi unless ?socket= says where one listens",
    place: "directory",
    options: PHP,
    async build(root, options) {
      const { phpFpm } = await import("@gw/fastcgi");
      const entries = Object.entries(options);
      const start = Object.fromEntries(entries.filter(([name]) => START.includes(name)));
      const rest = Object.fromEntries(entries.filter(([name]) => !START.includes(name)));
      return phpFpm({ ...rest, root, ...(rest.socket === undefined && { start }) });
    },
  },
];
