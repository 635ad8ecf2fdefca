// For developers: a thrown error becomes a page with its stack, the source around it and the request. Never in production.
import { createHash } from "node:crypto";
import {
  type Answer,
  andThen,
  discard,
  encodeText,
  GatewayError,
  type GatewayRequest,
  guard,
  type Handler,
  HeaderList,
  type HttpResponse,
  layer,
  type MaybePromise,
  type Middleware,
  notesIfAny,
} from "@gw/core";
import { errorPageKind } from "./error-pages/kind.ts";
import { ownPageHeaders } from "./pages/own-page.ts";
import { isStatusText, isThrown } from "./pages/thrown.ts";
import { type ExceptionPage, exceptionPage, exceptionStyle, exceptionText } from "./show-exceptions/page.ts";
import { tracedErrors } from "./show-exceptions/trace.ts";

/** Settings of `showExceptions`. */
export interface ShowExceptionsOptions {
  /**
   * Works with `NODE_ENV=production`, too. Risk: everybody who can make the app fail sees its source and its stack.
   * @default false
   */
  force?: boolean;
}

/**
 * Answers a thrown error that would be a 5xx with what a developer wants to know: the error and its causes, each stack with
 * the source around the app's own frames, the request and its header fields.
 *
 * HTML for browsers, `application/problem+json` for clients that ask for JSON, text for others; the same status, never
 * cached. Values of `Authorization`, `Cookie` and other fields that may be secret are hidden, bodies are not shown. What an
 * app answers itself, and errors below 500, stay as they are.
 *
 * @throws GatewayError `GW_SHOW_EXCEPTIONS` with `NODE_ENV=production`, unless forced.
 */
export function showExceptions({ force = false }: ShowExceptionsOptions = {}): Middleware {
  if (!force && process.env.NODE_ENV === "production") {
    const why = "showExceptions() shows source code to clients: it is not for NODE_ENV=production";
    throw new GatewayError("GW_SHOW_EXCEPTIONS", 500, why);
  }
  const shown = layer({
    name: "showExceptions",
    onResponse: (answer, request) => (isForDevelopers(answer, request) ? withPage(answer, request) : answer),
  });
  // What layers and lint throw is an answer only behind a guard.
  return Object.assign((next: Handler) => shown(guard(next)), { layerName: "showExceptions" });
}

function isForDevelopers(answer: Answer, request: GatewayRequest): answer is HttpResponse {
  if (answer.kind === "accept" || answer.status < 500 || !isThrown(answer, request)) return false;
  // What an app made of an error itself is its own.
  return answer.body instanceof Uint8Array && isStatusText(answer.body, answer.status, answer.headers);
}

const styleHash = createHash("sha256").update(exceptionStyle).digest("base64");
const htmlHeaders = ownPageHeaders.with(
  "Content-Security-Policy",
  `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
);
const FORMS = {
  html: { headers: htmlHeaders, write: exceptionPage },
  json: { headers: ownPageHeaders.with("Content-Type", "application/problem+json"), write: exceptionJson },
  text: { headers: ownPageHeaders.with("Content-Type", "text/plain; charset=utf-8"), write: exceptionText },
} as const;

function withPage(answer: HttpResponse, request: GatewayRequest): MaybePromise<Answer> {
  const { status } = answer;
  const { headers, write } = FORMS[errorPageKind(request.headers.get("accept"))];
  const body = encodeText(write({ status, errors: tracedErrors(notesIfAny(request.exchange)?.error), request }));
  // What layers further in have added stays: CORS, cookies, Retry-After.
  const kept = answer.headers.without("content-type", "content-length", "content-security-policy", "cache-control");
  const added = [...headers].filter(([name]) => !kept.has(name));
  return andThen(discard(answer), () => ({
    kind: "response",
    status,
    headers: HeaderList.from([...kept, ...added, ["Vary", "Accept"]]),
    body,
  }));
}

function exceptionJson({ status, errors, request }: ExceptionPage): string {
  const shown = errors.map(({ name, message, stack }) => ({ name, message, stack: stack.split("\n") }));
  const [first] = errors;
  return `${JSON.stringify({ type: "about:blank", title: first?.message, status, errors: shown, requestId: request.exchange.id })}\n`;
}
