// Settings of single commands: gw fastcgi and gw cgi, gw ctl, gw fetch, gw passwd.
import type { Option } from "./option.ts";

/** Where a web server tells us of its requests in variables. */
const BEHIND: readonly string[] = ["fastcgi", "cgi", "auto"];

/** What a web server in front of us is told, and told of. */
export const FASTCGI: readonly Omit<Option, "group">[] = [
  {
    key: "role",
    kind: "text",
    only: ["fastcgi"],
    choices: ["responder", "authorizer", "filter"],
    help: "what web servers ask of us; authorizer: the layers decide, without an app",
    default: "responder",
  },
  {
    key: "allowedPeers",
    kind: "list",
    value: "LIST",
    only: ["fastcgi"],
    help: "web servers that may connect over TCP: addresses, networks",
    default: "127.0.0.1,::1",
  },
  {
    key: "trustRemoteUser",
    kind: "switch",
    only: BEHIND,
    help: "believe the web server's REMOTE_USER and AUTH_TYPE; it must set or clear them itself",
    default: "off",
  },
  {
    key: "mountedAt",
    kind: "text",
    value: "/PATH",
    only: BEHIND,
    help: "the mount, where the web server's SCRIPT_NAME is not it; /: none",
    default: "SCRIPT_NAME",
  },
];

/** What `gw ctl` takes. */
export const CONTROL: readonly Omit<Option, "group" | "only">[] = [
  { key: "json", short: "j", kind: "switch", help: "print JSON", default: "off" },
];

/** The request of `gw fetch`. */
export const REQUEST: readonly Omit<Option, "group" | "only">[] = [
  {
    key: "method",
    short: "X",
    kind: "text",
    value: "METHOD",
    help: "request method",
    default: "GET; POST with --data",
  },
  { key: "header", short: "H", kind: "text", repeatable: true, value: "'NAME: VALUE'", help: "request header" },
  { key: "data", short: "d", kind: "text", value: "DATA", help: "request body; @FILE reads a file, @- standard input" },
  { key: "include", short: "i", kind: "switch", help: "print status and headers too", default: "off" },
];

/** What `gw passwd` takes: nothing of an app, and nothing that belongs into a configuration file. */
export const PASSWD: readonly Option[] = [
  { key: "create", short: "c", kind: "switch", group: "Users", help: "make the file; it must not be there yet" },
  { key: "delete", short: "D", kind: "switch", group: "Users", help: "take the user out of the file" },
  {
    key: "algorithm",
    kind: "text",
    choices: ["bcrypt", "argon2id", "scrypt"],
    group: "Users",
    help: "kind of hash; Apache and nginx read bcrypt only",
    default: "bcrypt",
  },
];
