// Apache's format strings (mod_log_config): parsed once, written fast.
import { GatewayError, toBytes } from "@gw/core";
import { findCookie } from "../cookies/read.ts";
import { hostOf, type LogEntry, userOf } from "./entry.ts";
import { escapeBytes, type HideSecrets } from "./escape.ts";
import { logTime, TIME_FORMATS } from "./time.ts";

/** Writes one part of a line. */
type Part = (entry: LogEntry) => string;

/** A format, parsed. */
export interface LogFormat {
  /** The line without its newline. */
  readonly write: (entry: LogEntry) => string;
  /** Whether it shows header fields of the answer. */
  readonly needsAnswer: boolean;
}

/** Apache's `combined`. */
export const COMBINED = '%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"';
/** Apache's `common`. */
export const COMMON = '%h %l %u %t "%r" %>s %b';

const DIRECTIVE = /%(?:(!?)(\d{3}(?:,\d{3})*))?[<>]?(?:\{([^}]*)\})?([A-Za-z%])/g;

/**
 * Parses a format string.
 *
 * @throws GatewayError `GW_LOG_FORMAT` for a letter we do not have, or a header that carries secrets.
 */
export function parseLogFormat(format: string, hide: HideSecrets): LogFormat {
  const parts: Part[] = [];
  let needsAnswer = false;
  let at = 0;
  for (const found of format.matchAll(DIRECTIVE)) {
    const [whole, negation, statuses, argument = "", letter = ""] = found;
    pushText(parts, format.slice(at, found.index));
    at = found.index + whole.length;
    needsAnswer ||= letter === "o";
    const part = partOf(letter, argument, hide);
    parts.push(statuses === undefined ? part : onlyFor(statuses.split(","), negation === "!", part));
  }
  pushText(parts, format.slice(at));
  return {
    needsAnswer,
    write(entry) {
      let line = "";
      for (const part of parts) line += part(entry);
      return line;
    },
  };
}

function pushText(parts: Part[], text: string): void {
  if (text.includes("%")) throw unknown(text.slice(text.indexOf("%"), text.indexOf("%") + 8));
  if (text !== "") parts.push(() => text);
}

function onlyFor(statuses: readonly string[], isNegated: boolean, part: Part): Part {
  return (entry) => (statuses.includes(String(entry.outcome.status)) === isNegated ? "-" : part(entry));
}

// Letter by letter as in mod_log_config; what a gateway cannot know is left out.
const LETTERS: Readonly<Record<string, (argument: string, hide: HideSecrets) => Part>> = {
  "%": () => () => "%",
  a:
    () =>
    ({ request }) =>
      escapeBytes(hostOf(request.client)),
  B:
    () =>
    ({ outcome }) =>
      String(outcome.bytesSent),
  b:
    () =>
    ({ outcome }) =>
      outcome.bytesSent === 0 ? "-" : String(outcome.bytesSent),
  C:
    (name) =>
    ({ request }) =>
      orDash(findCookie(request.headers.get("cookie"), name)),
  D:
    () =>
    ({ durationMs }) =>
      String(Math.round(durationMs * 1_000)),
  H:
    () =>
    ({ request }) =>
      escapeBytes(request.protocol),
  h:
    () =>
    ({ request }) =>
      escapeBytes(hostOf(request.client)),
  i: headerPart((entry) => entry.request.headers),
  L:
    () =>
    ({ request }) =>
      escapeBytes(request.exchange.id),
  l: () => () => "-",
  m:
    () =>
    ({ request }) =>
      escapeBytes(request.method),
  o: headerPart((entry) => entry.answer?.headers ?? null),
  P: () => () => String(process.pid),
  p:
    () =>
    ({ request }) =>
      "port" in request.server ? String(request.server.port) : "-",
  q:
    (_, hide) =>
    ({ request }) =>
      request.query === "" ? "" : escapeBytes(hide(`?${request.query}`)),
  r:
    (_, hide) =>
    ({ request }) =>
      escapeBytes(`${request.method} ${hide(request.target)} ${request.protocol}`),
  s:
    () =>
    ({ outcome }) =>
      String(outcome.status),
  T: (unit) => durationPart(unit),
  t: (format) => {
    if (!TIME_FORMATS.includes(format))
      throw unknown(`%{${format}}t`, `%t, %{${TIME_FORMATS.slice(1).join("}t, %{")}}t`);
    return ({ startedMs }) => logTime(startedMs, format);
  },
  U:
    () =>
    ({ request }) =>
      escapeBytes(request.mount + request.path),
  u: () => (entry) => userPart(userOf(entry)),
  V:
    () =>
    ({ request }) =>
      orDash(request.headers.get("host")),
  v:
    () =>
    ({ request }) =>
      escapeBytes(hostOf(request.server)),
  X:
    () =>
    ({ outcome }) =>
      outcome.result === "sent" ? "+" : "X",
};

function partOf(letter: string, argument: string, hide: HideSecrets): Part {
  const make = LETTERS[letter];
  if (make === undefined) throw unknown(`%${letter}`);
  return make(argument, hide);
}

const SECRET_HEADERS = /^(proxy-)?authorization$|^(set-)?cookie$/i;

type Fields = (entry: LogEntry) => { get(name: string): string | null } | null;

function headerPart(fields: Fields): (name: string, hide: HideSecrets) => Part {
  return (name, hide) => {
    if (name === "") throw unknown("%i or %o without a {Name}");
    if (SECRET_HEADERS.test(name)) {
      throw new GatewayError("GW_LOG_FORMAT", 500, `the header ${name} carries secrets and is not logged`);
    }
    return (entry) => {
      const value = fields(entry)?.get(name) ?? null;
      return value === null ? "-" : escapeBytes(hide(value));
    };
  };
}

function durationPart(unit: string): Part {
  const perMs = { "": 0.001, s: 0.001, ms: 1, us: 1_000 }[unit];
  if (perMs === undefined) throw unknown(`%{${unit}}T`);
  return ({ durationMs }) => String(perMs === 0.001 ? Math.floor(durationMs * perMs) : Math.round(durationMs * perMs));
}

function orDash(value: string | null): string {
  return value === null ? "-" : escapeBytes(value);
}

function userPart(user: string | null): string {
  return user === null ? "-" : escapeBytes(toBytes(user)).replaceAll(" ", "\\x20");
}

function unknown(found: string, known: string = `%${Object.keys(LETTERS).join(" %")}`): GatewayError {
  return new GatewayError("GW_LOG_FORMAT", 500, `the log format has ${JSON.stringify(found)}; known are ${known}`);
}
