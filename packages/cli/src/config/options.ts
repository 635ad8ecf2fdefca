// Every setting of the command, once: flags, variables, file keys, help and docs are made from this table or compared with it.
import { CONTROL, FASTCGI, PASSWD, REQUEST } from "./command-options.ts";
import { LISTENING, type Option, SERVING } from "./option.ts";
import { ADMIN, LOGS, PROCESS } from "./process-options.ts";
import { LIMITS, PROXIES, TLS } from "./traffic-options.ts";

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
  ...CONTROL.map((option) => ({ ...option, group: "Control" as const, only: ["ctl", "config", "routes"] })),
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
