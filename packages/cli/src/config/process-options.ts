// Settings of a gateway as a daemon: logs, workers, files, its user, the admin listener.
import { LISTENING, type Option, SERVING } from "./option.ts";

/** Log and access log. */
export const LOGS: readonly Omit<Option, "group">[] = [
  { key: "accessLog", kind: "switch", only: SERVING, help: "one line per request", default: "on" },
  {
    key: "logLevel",
    kind: "text",
    choices: ["trace", "debug", "info", "warn", "error", "fatal", "silent"],
    value: "LEVEL",
    help: "least level to log",
    default: "info; gw fetch and gw check warn",
  },
  { key: "logFormat", kind: "text", choices: ["text", "json"], help: "form of log lines", default: "text" },
  {
    key: "logFile",
    kind: "path",
    value: "FILE",
    only: LISTENING,
    help: "append log lines to a file, opened anew on USR1",
    default: "standard error",
  },
  {
    key: "accessLogFile",
    kind: "path",
    value: "FILE",
    only: SERVING,
    help: "append access log lines to a file, opened anew on USR1",
    default: "standard output",
  },
  {
    key: "accessLogFormat",
    kind: "text",
    value: "FORMAT",
    only: SERVING,
    help: "combined, common, json, or Apache's letters: '%h %u %>s %D'",
    default: "combined; json with --log-format json",
  },
];

/** The processes of a gateway. */
export const PROCESS: readonly Omit<Option, "group" | "only">[] = [
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
  {
    key: "strictStart",
    kind: "switch",
    help: "end the start when a backend does not get ready, too, not only an app",
    default: "off",
  },
  {
    key: "user",
    kind: "text",
    value: "USER",
    help: "become this user once every address is bound, before anything is loaded; needs root",
    default: "no change",
  },
  { key: "group", kind: "text", value: "GROUP", help: "become this group", default: "that of --user" },
  {
    key: "umask",
    kind: "text",
    value: "BITS",
    help: "permissions that new files do not get, octal: 027",
    default: "as inherited",
  },
];

/** The admin listener. */
export const ADMIN: readonly Omit<Option, "group">[] = [
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
