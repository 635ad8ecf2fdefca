// The commands: names, usage, and where the code is. What a CGI program goes through is here at once: each further file
// would cost every request a third of a millisecond.
import type { Invocation } from "../invocation.ts";
import { run as runAuto } from "./auto.ts";
import { run as runCgi } from "./cgi.ts";

/** A command of `gw`. */
export interface Command {
  readonly name: string;
  readonly usage: string;
  readonly summary: string;
  /** Fewest and most operands; the last possible one is the app, unless the command takes none. */
  readonly operands: readonly [least: number, most: number];
  /** `false`: it is about a gateway that runs, not about an app. @default true */
  readonly takesApp?: false;
  /** What to say when there are too few. */
  readonly missing: string;
  load(): Promise<{ run(invocation: Invocation): Promise<number> }>;
}

/** Every command, in the order of `gw --help`. */
export const COMMANDS: readonly Command[] = [
  {
    name: "auto",
    usage: "gw <app>",
    summary: "serve it; as a CGI or FastCGI program when a web server started us so",
    operands: [0, 1],
    missing: "",
    load: async () => ({ run: runAuto }),
  },
  {
    name: "serve",
    usage: "gw serve [app]",
    summary: "HTTP server",
    operands: [0, 1],
    missing: "",
    load: () => import("./serve.ts"),
  },
  {
    name: "dev",
    usage: "gw dev [app]",
    summary: "HTTP server with reload on change, lint and error pages",
    operands: [0, 1],
    missing: "",
    load: () => import("./dev.ts"),
  },
  {
    name: "fastcgi",
    usage: "gw fastcgi [app]",
    summary: "FastCGI responder, authorizer or filter behind nginx, Apache, lighttpd or Caddy",
    operands: [0, 1],
    missing: "",
    load: () => import("./fastcgi.ts"),
  },
  {
    name: "cgi",
    usage: "gw cgi [app]",
    summary: "answer one request as a CGI program",
    operands: [0, 1],
    missing: "",
    load: async () => ({ run: runCgi }),
  },
  {
    name: "fetch",
    usage: "gw fetch <path> [app]",
    summary: "one request to the app, without a socket",
    operands: [1, 2],
    missing: "name a path, such as gw fetch /",
    load: () => import("./fetch.ts"),
  },
  {
    name: "check",
    usage: "gw check [app]",
    summary: "load everything, print the pipeline, lint one request, serve nothing",
    operands: [0, 1],
    missing: "",
    load: () => import("./check.ts"),
  },
  {
    name: "config",
    usage: "gw config [app]",
    summary: "print the configuration in effect, and where each value came from",
    operands: [0, 1],
    missing: "",
    load: () => import("./config.ts"),
  },
  {
    name: "routes",
    usage: "gw routes [app]",
    summary: "print which app answers where",
    operands: [0, 1],
    missing: "",
    load: () => import("./routes.ts"),
  },
  {
    name: "explain",
    usage: "gw explain <method> <url> [app]",
    summary: "print why a request goes where it goes, without asking the app",
    operands: [2, 3],
    missing: "name the method and the URL, such as gw explain GET /",
    load: () => import("./explain.ts"),
  },
  {
    name: "ctl",
    usage: "gw ctl <what> [value]",
    summary: "ask or steer a running gateway: status, reload, drain /app, workers 4, …",
    operands: [1, 2],
    takesApp: false,
    missing: "name what to do, such as gw ctl status",
    load: () => import("./ctl.ts"),
  },
  {
    name: "passwd",
    usage: "gw passwd <file> <user>",
    summary: "set a user's password in an htpasswd file, or take the user out",
    operands: [2, 2], // two always, so no configuration file is looked for
    missing: "name the htpasswd file and the user; the password is asked for, or read from standard input",
    load: () => import("./passwd.ts"),
  },
];
