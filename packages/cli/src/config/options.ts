// One table: flag, file key, environment variable, default, help. Everything that reads settings reads this.
import type { ValueKind } from "./values.ts";

/** One setting of the command. */
export interface Option {
  /** Key in gw.config.ts, camel case. The flag and the GW_ variable are made from it. */
  readonly key: string;
  /** One-letter flag. */
  readonly short?: string;
  readonly kind: ValueKind;
  /** Allowed texts. */
  readonly choices?: readonly string[];
  /** May be given several times; the values are collected. */
  readonly repeatable?: true;
  /** Shown in `--help` in place of the value. */
  readonly value?: string;
  readonly help: string;
  /** Heading in `--help`. */
  readonly group: "App" | "Binding" | "TLS and protocols" | "Limits" | "Proxies" | "Logs" | "Process" | "Request";
  /** Commands that take it; absent: all that load an app. */
  readonly only?: readonly string[];
}

const SERVING = ["serve", "dev", "check", "auto"];

/** Every setting, in the order of `--help`. */
export const OPTIONS: readonly Option[] = [
  {
    key: "config",
    short: "c",
    kind: "text",
    value: "FILE",
    group: "App",
    help: "configuration file (gw.config.ts, .mts, .js, .mjs or .json when there is one and no app is named)",
  },
  {
    key: "interface",
    kind: "text",
    choices: ["auto", "app", "handler", "fetch", "wsgi", "asgi"],
    group: "App",
    help: "shape of the app's function; auto tells them apart by parameter count",
  },
  {
    key: "mount",
    kind: "text",
    repeatable: true,
    value: "/PREFIX=APP",
    group: "App",
    help: "mount another app under a prefix or host",
  },
  {
    key: "use",
    kind: "text",
    repeatable: true,
    value: "LAYER",
    group: "App",
    help: "wrap the app in a layer: basic-auth?htpasswd=FILE, ./layer.ts",
  },
  {
    key: "lifespan",
    kind: "text",
    choices: ["auto", "on", "off"],
    group: "App",
    help: "ASGI lifespan of an ASGI-shaped app (auto)",
  },
  {
    key: "rootPath",
    kind: "text",
    value: "/PATH",
    group: "App",
    help: "path a front proxy has stripped: SCRIPT_NAME, root_path",
  },
  { key: "envFile", kind: "text", value: "FILE", group: "App", help: "read environment variables from a file first" },

  {
    key: "bind",
    short: "b",
    kind: "text",
    repeatable: true,
    value: "ADDR",
    group: "Binding",
    only: SERVING,
    help: "host:port, unix:/path or fd://3; default 127.0.0.1:8000",
  },
  { key: "host", kind: "text", value: "HOST", group: "Binding", only: SERVING, help: "host to bind (127.0.0.1)" },
  {
    key: "port",
    short: "p",
    kind: "port",
    value: "PORT",
    group: "Binding",
    only: SERVING,
    help: "port to bind (8000); 0: any free one",
  },
  { key: "uds", kind: "text", value: "PATH", group: "Binding", only: SERVING, help: "unix socket to bind" },
  { key: "fd", kind: "number", value: "N", group: "Binding", only: SERVING, help: "inherited listening socket to use" },

  {
    key: "sslCertfile",
    kind: "text",
    value: "FILE",
    group: "TLS and protocols",
    only: SERVING,
    help: "certificate chain, PEM; turns TLS on",
  },
  {
    key: "sslKeyfile",
    kind: "text",
    value: "FILE",
    group: "TLS and protocols",
    only: SERVING,
    help: "private key, PEM; default: in the certificate file",
  },
  {
    key: "http",
    kind: "text",
    choices: ["auto", "1", "2"],
    group: "TLS and protocols",
    only: SERVING,
    help: "HTTP versions offered with TLS (auto)",
  },
  {
    key: "h2c",
    kind: "switch",
    group: "TLS and protocols",
    only: SERVING,
    help: "accept HTTP/2 without TLS (prior knowledge)",
  },

  {
    key: "timeout",
    short: "t",
    kind: "duration",
    value: "TIME",
    group: "Limits",
    only: SERVING,
    help: "longest time to receive a whole request (15m)",
  },
  {
    key: "headerTimeout",
    kind: "duration",
    value: "TIME",
    group: "Limits",
    only: SERVING,
    help: "longest time to receive a request head (10s)",
  },
  {
    key: "keepAlive",
    kind: "duration",
    value: "TIME",
    group: "Limits",
    only: SERVING,
    help: "idle time of a kept connection (65s)",
  },
  {
    key: "gracefulTimeout",
    kind: "duration",
    value: "TIME",
    group: "Limits",
    only: SERVING,
    help: "time that running requests get at shutdown (30s)",
  },
  {
    key: "limitConcurrency",
    kind: "number",
    value: "N",
    group: "Limits",
    only: SERVING,
    help: "requests at once; beyond: 503 with Retry-After (no limit)",
  },
  { key: "limitRequestBody", kind: "size", value: "SIZE", group: "Limits", help: "largest request body (10m)" },

  {
    key: "proxyHeaders",
    kind: "switch",
    group: "Proxies",
    only: SERVING,
    help: "read X-Forwarded-* and Forwarded from the peers of --forwarded-allow-ips",
  },
  {
    key: "forwardedAllowIps",
    kind: "list",
    value: "LIST",
    group: "Proxies",
    only: SERVING,
    help: "peers to believe: addresses or networks (127.0.0.1,::1)",
  },
  {
    key: "proxyProtocol",
    kind: "switch",
    group: "Proxies",
    only: SERVING,
    help: "expect the PROXY protocol from those peers",
  },

  { key: "accessLog", kind: "switch", group: "Logs", only: SERVING, help: "one line per request on stdout (on)" },
  {
    key: "logLevel",
    kind: "text",
    choices: ["trace", "debug", "info", "warn", "error", "fatal", "silent"],
    group: "Logs",
    help: "least level to log (info)",
  },
  { key: "logFormat", kind: "text", choices: ["text", "json"], group: "Logs", help: "form of log lines (text)" },

  { key: "reload", kind: "switch", group: "Process", only: SERVING, help: "load the app anew when a file changes" },
  {
    key: "reloadDir",
    kind: "text",
    repeatable: true,
    value: "DIR",
    group: "Process",
    only: SERVING,
    help: "directory to watch; default: the app's",
  },
  { key: "pid", kind: "text", value: "FILE", group: "Process", only: SERVING, help: "write the process id to a file" },

  {
    key: "method",
    short: "X",
    kind: "text",
    value: "METHOD",
    group: "Request",
    only: ["fetch"],
    help: "request method (GET, or POST with --data)",
  },
  {
    key: "header",
    short: "H",
    kind: "text",
    repeatable: true,
    value: "'NAME: VALUE'",
    group: "Request",
    only: ["fetch"],
    help: "request header",
  },
  {
    key: "data",
    short: "d",
    kind: "text",
    value: "DATA",
    group: "Request",
    only: ["fetch"],
    help: "request body; @FILE reads a file, @- standard input",
  },
  {
    key: "include",
    short: "i",
    kind: "switch",
    group: "Request",
    only: ["fetch"],
    help: "print status and headers too",
  },
];

/** `headerTimeout` → `--header-timeout`. */
export function flagOf({ key }: Option): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** `headerTimeout` → `GW_HEADER_TIMEOUT`. */
export function variableOf({ key }: Option): string {
  return `GW_${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

/** The options a command takes. */
export function optionsOf(command: string): readonly Option[] {
  return OPTIONS.filter(({ only }) => only === undefined || only.includes(command));
}
