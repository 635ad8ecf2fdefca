// What an app may pass to start_response (PEP 3333, "The start_response() Callable"), as rules that can be checked.
import { isHopByHop, isToken } from "@gw/core";
import type { LintRule } from "@gw/core/lint";
import { isByteString, show } from "./found.ts";

/** The arguments of one call, unchecked. */
export interface StartCall {
  readonly status: unknown;
  readonly headers: unknown;
  readonly excInfo: unknown;
  /** Whether the app has called before, in this invocation. */
  readonly isAgain: boolean;
}

/** The rules for a call of start_response. They are the app's to keep. */
export const startRules: readonly LintRule<StartCall>[] = [
  {
    id: "wsgi-start-again",
    sentence:
      "it is a fatal error to call start_response without the exc_info argument if start_response has already been called within the current invocation of the application",
    check: ({ isAgain, excInfo }) => (isAgain && (excInfo === undefined || excInfo === null) ? "a second call" : null),
  },
  {
    id: "wsgi-exc-info",
    sentence: "The exc_info argument, if supplied, must be a Python sys.exc_info() tuple.",
    check({ excInfo }) {
      const isRight = excInfo === undefined || excInfo === null || (Array.isArray(excInfo) && excInfo.length === 3);
      return isRight ? null : `${show(excInfo)}; excInfo(error) makes one`;
    },
  },
  {
    id: "wsgi-status",
    sentence:
      "it is a string consisting of a Status-Code and a Reason-Phrase, in that order and separated by a single space, with no surrounding whitespace or other characters",
    check({ status }) {
      const isRight = typeof status === "string" && /^[1-9][0-9]{2} (?:\S(?:.*\S)?)?$/s.test(status);
      return isRight ? null : show(status);
    },
  },
  {
    id: "wsgi-status-control",
    sentence:
      "The string must not contain control characters, and must not be terminated with a carriage return, linefeed, or combination thereof.",
    check: ({ status }) => (/[\u0000-\u001f\u007f]/.test(String(status)) ? show(status) : null),
  },
  {
    id: "wsgi-headers-list",
    sentence: "It must be a Python list; i.e. type(response_headers) is ListType",
    check: ({ headers }) => (Array.isArray(headers) ? null : show(headers)),
  },
  {
    id: "wsgi-headers-tuples",
    sentence: "The response_headers argument is a list of (header_name, header_value) tuples.",
    check: ({ headers }) => firstPair(headers, (pair) => !isPair(pair)),
  },
  {
    id: "wsgi-header-name",
    sentence:
      "Each header_name must be a valid HTTP header field-name (as defined by RFC 2616, Section 4.2), without a trailing colon or other punctuation.",
    check: ({ headers }) => firstPair(headers, ([name]) => !isToken(name) || /[^A-Za-z0-9]$/.test(name)),
  },
  {
    id: "wsgi-header-status",
    sentence: "There is no Status header: the HTTP status is not given through headers in WSGI (wsgiref.validate)",
    check: ({ headers }) => firstPair(headers, ([name]) => name.toLowerCase() === "status"),
  },
  {
    id: "wsgi-header-value",
    sentence:
      "Each header_value must not include any control characters, including carriage returns or linefeeds, either embedded or at the end.",
    check: ({ headers }) => firstPair(headers, ([, value]) => /[\u0000-\u001f\u007f]/.test(value)),
  },
  {
    id: "wsgi-latin1",
    sentence: "all strings … must contain only code points representable in ISO-8859-1 encoding",
    check({ status, headers }) {
      if (!isByteString(String(status))) return show(status);
      return firstPair(headers, ([name, value]) => !isByteString(name + value));
    },
  },
  {
    id: "wsgi-hop-by-hop",
    sentence: 'WSGI applications must not generate any "hop-by-hop" headers',
    check: ({ headers }) => firstPair(headers, ([name]) => isHopByHop(name.toLowerCase())),
  },
  {
    id: "wsgi-no-content-type",
    sentence: "no Content-Type is given when there is no content (wsgiref.validate)",
    check({ status, headers }) {
      const isEmpty = /^(?:204|304) /.test(String(status));
      return isEmpty ? firstPair(headers, isContentType) : null;
    },
  },
];

/** Whether the headers of a call have a Content-Type. */
export function hasContentType(headers: unknown): boolean {
  return Array.isArray(headers) && headers.some(isContentType);
}

function isContentType([name]: Pair): boolean {
  return name.toLowerCase() === "content-type";
}

type Pair = readonly [name: string, value: string];

function isPair(pair: unknown): boolean {
  return Array.isArray(pair) && pair.length === 2 && typeof pair[0] === "string" && typeof pair[1] === "string";
}

function firstPair(headers: unknown, isWrong: (pair: Pair) => boolean): string | null {
  for (const pair of headers as readonly Pair[]) if (isWrong(pair)) return show(pair);
  return null;
}
