// fastcgi: and php: an app behind a FastCGI socket, a PHP site.
import type { FastcgiOptions, PhpFpmOptions } from "@gw/fastcgi";
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
  maxQueued: "number",
  queueTimeoutMs: "number",
  authorization: "switch",
  sendfileRoots: "list",
  accelRoots: "record",
  variables: "record",
} as const satisfies { readonly [K in keyof (FastcgiOptions & PhpFpmOptions)]?: TargetOptionKind };

const PHP = {
  ...CLIENT,
  index: "list",
  tryFiles: "list",
  split: "list",
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

/** Both kinds. */
export const FASTCGI_KINDS: readonly TargetKind[] = [
  {
    name: "fastcgi",
    example: "fastcgi:unix:/path.sock",
    help: "an app behind a FastCGI socket: unix:/path or host:port",
    place: "name",
    options: CLIENT,
    async build(address, options) {
      const { fastcgi } = await import("@gw/fastcgi");
      return fastcgi({ ...options, address });
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
