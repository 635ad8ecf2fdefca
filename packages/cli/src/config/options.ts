// Every setting of the command, once: flags, variables, file keys, help and docs are made from this table or compared with it.
import { CONTROL, FASTCGI, PASSWD, REQUEST } from "./command-options.ts";
import type { Option } from "./option.ts";

const SERVING: readonly string[] = ["serve", "dev", "check", "auto"];
const LISTENING: readonly string[] = [...SERVING, "fastcgi"];

const APP: readonly Omit<Option, "group">[] = [
  {
    key: "config",
    short: "c",
    kind: "path",
    value: "FILE",
    help: "configuration file",
    default: "gw.config.ts, .mts, .js, .mjs, .json if no app is named",
  },
  {
    key: "interface",
    kind: "text",
    choices: ["auto", "app", "handler", "fetch", "wsgi", "asgi"],
    value: "SHAPE",
    help: "what the app's file exports; auto: told by its members or its number of parameters",
    default: "auto",
  },
  {
    key: "mount",
    kind: "text",
    repeatable: true,
    value: "WHERE=APP",
    help: "mount another app: /prefix, host or host/prefix",
  },
  {
    key: "use",
    kind: "text",
    repeatable: true,
    value: "LAYER",
    help: "wrap all apps in a layer: basic-auth?htpasswd=./users, ./layer.ts",
  },
  {
    key: "threads",
    kind: "number",
    value: "N",
    only: [...LISTENING, "check"],
    help: "threads for WSGI-shaped apps; of a TypeScript app 0: the main thread, which it then blocks",
    default: "1; Python 8",
  },
  {
    key: "lifespan",
    kind: "text",
    choices: ["auto", "on", "off"],
    help: "whether an ASGI-shaped app is told of start and stop",
    default: "auto",
  },
  {
    key: "python",
    kind: "text",
    value: "PROGRAM",
    help: "interpreter of Python apps: a path, or a name on PATH",
    default: "their virtual environment, else python3",
  },
  {
    key: "rootPath",
    kind: "text",
    value: "/PATH",
    help: "path that a front proxy has taken off: SCRIPT_NAME, root_path",
  },
  {
    key: "envFile",
    kind: "path",
    value: "FILE",
    help: "read environment variables from a file first; those already set stay",
  },
];

const BINDING: readonly Omit<Option, "group" | "only">[] = [
  {
    key: "bind",
    short: "b",
    kind: "text",
    repeatable: true,
    value: "ADDR",
    help: "host:port, unix:/path or fd://3",
    default: "127.0.0.1:8000",
  },
  { key: "host", kind: "text", value: "HOST", help: "host to bind", default: "127.0.0.1" },
  { key: "port", short: "p", kind: "port", value: "PORT", help: "port to bind; 0: any free one", default: "8000" },
  { key: "uds", kind: "path", value: "PATH", help: "unix socket to bind" },
  { key: "fd", kind: "number", value: "N", help: "inherited socket to use" },
];

const TLS: readonly Omit<Option, "group" | "only">[] = [
  { key: "sslCertfile", kind: "path", value: "FILE", help: "certificate chain, PEM; turns TLS on" },
  { key: "sslKeyfile", kind: "path", value: "FILE", help: "private key, PEM", default: "the certificate file" },
  {
    key: "http",
    kind: "text",
    choices: ["auto", "1", "2"],
    help: "HTTP versions; auto: both, chosen by ALPN over TLS",
    default: "auto",
  },
  { key: "h2c", kind: "switch", help: "HTTP/2 without TLS, for clients that start with it", default: "off" },
];

const LIMITS: readonly Omit<Option, "group">[] = [
  {
    key: "timeout",
    short: "t",
    kind: "duration",
    value: "TIME",
    only: SERVING,
    help: "longest time to receive a whole request",
    default: "15m",
  },
  {
    key: "headerTimeout",
    kind: "duration",
    value: "TIME",
    only: SERVING,
    help: "longest time to receive a request head",
    default: "10s",
  },
  {
    key: "keepAlive",
    kind: "duration",
    value: "TIME",
    only: SERVING,
    help: "idle time of a kept connection",
    default: "65s",
  },
  {
    key: "gracefulTimeout",
    kind: "duration",
    value: "TIME",
    only: [...LISTENING, "cgi"],
    help: "time for running requests at a stop or reload",
    default: "30s; gw dev 1s, gw cgi 5s",
  },
  {
    key: "limitConcurrency",
    kind: "number",
    value: "N",
    only: SERVING,
    help: "requests at once; beyond: 503 with Retry-After",
    default: "no limit",
  },
  { key: "limitRequestBody", kind: "size", value: "SIZE", help: "largest request body", default: "10m" },
];

const PROXIES: readonly Omit<Option, "group" | "only">[] = [
  {
    key: "proxyHeaders",
    kind: "switch",
    help: "believe X-Forwarded-* and Forwarded of the listed peers",
    default: "off",
  },
  { key: "proxyProtocol", kind: "switch", help: "expect the PROXY protocol from the listed peers", default: "off" },
  {
    key: "forwardedAllowIps",
    kind: "list",
    value: "LIST",
    help: "the peers: addresses, networks, unix",
    default: "127.0.0.1,::1,unix",
  },
  {
    key: "identityFrom",
    kind: "list",
    value: "LIST",
    help: "peers that log users in and say so in a header: addresses, networks, unix",
    default: "none",
  },
  {
    key: "identityHeader",
    kind: "text",
    repeatable: true,
    value: "VARIABLE=HEADER",
    help: "what those peers say, and the variable it becomes; all of them must set or remove it on every request",
    default: "REMOTE_USER=Remote-User",
  },
];

const LOGS: readonly Omit<Option, "group">[] = [
  { key: "accessLog", kind: "switch", only: SERVING, help: "one line per request on standard output", default: "on" },
  {
    key: "logLevel",
    kind: "text",
    choices: ["trace", "debug", "info", "warn", "error", "fatal", "silent"],
    value: "LEVEL",
    help: "least level to log",
    default: "info; gw fetch and gw check warn",
  },
  { key: "logFormat", kind: "text", choices: ["text", "json"], help: "form of log lines", default: "text" },
];

const PROCESS: readonly Omit<Option, "group" | "only">[] = [
  {
    key: "workers",
    short: "w",
    kind: "number",
    value: "N",
    help: "worker processes under one that keeps them; 0: one process alone",
    default: "0",
  },
  { key: "maxRequests", kind: "number", value: "N", help: "replace a worker after so many requests", default: "never" },
  { key: "maxRss", kind: "size", value: "SIZE", help: "replace a worker that uses more memory", default: "never" },
  {
    key: "workerTimeout",
    kind: "duration",
    value: "TIME",
    help: "kill and replace a worker that gives no sign of life for so long",
    default: "30s",
  },
  { key: "metrics", kind: "switch", help: "count requests by mount", default: "on with --admin" },
  {
    key: "drainDelay",
    kind: "duration",
    value: "TIME",
    help: "at TERM, time between not being ready and taking no more connections",
    default: "0s",
  },
  { key: "reload", kind: "switch", help: "load the app anew when a file changes", default: "off; gw dev on" },
  {
    key: "reloadDir",
    kind: "path",
    repeatable: true,
    value: "DIR",
    help: "folder to watch",
    default: "those of apps, layers and the configuration",
  },
  { key: "pid", kind: "path", value: "FILE", help: "write the process id to a file once all binds listen" },
];

const ADMIN: readonly Omit<Option, "group">[] = [
  {
    key: "admin",
    kind: "text",
    repeatable: true,
    only: [...LISTENING, "ctl"],
    value: "ADDR",
    help: "probes, metrics and status page at 127.0.0.1:9000; with control at unix:/path",
    default: "none",
  },
];

/** Every setting, in the order of `--help`. */
export const OPTIONS: readonly Option[] = [
  ...APP.map((option) => ({ ...option, group: "App" as const })),
  ...BINDING.map((option) => ({ ...option, group: "Binding" as const, only: LISTENING })),
  ...FASTCGI.map((option) => ({ ...option, group: "FastCGI and CGI" as const })),
  ...TLS.map((option) => ({ ...option, group: "TLS and protocols" as const, only: SERVING })),
  ...LIMITS.map((option) => ({ ...option, group: "Limits" as const })),
  ...PROXIES.map((option) => ({ ...option, group: "Proxies" as const, only: SERVING })),
  ...LOGS.map((option) => ({ ...option, group: "Logs" as const })),
  ...PROCESS.map((option) => ({ ...option, group: "Process" as const, only: LISTENING })),
  ...ADMIN.map((option) => ({ ...option, group: "Process" as const })),
  ...CONTROL.map((option) => ({ ...option, group: "Control" as const, only: ["ctl"] })),
  ...REQUEST.map((option) => ({ ...option, group: "Request" as const, only: ["fetch"] })),
];

/** The options a command takes. */
export function optionsOf(command: string): readonly Option[] {
  if (command === "passwd") return PASSWD;
  return OPTIONS.filter(({ only }) => only === undefined || only.includes(command));
}

/** The option with a key. */
export function optionWithKey(key: string): Option | undefined {
  return OPTIONS.find((option) => option.key === key);
}
