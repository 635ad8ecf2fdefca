// Clean pages for the errors of the gateway itself; what an app says stays as it is.
import {
  type Answer,
  andThen,
  discard,
  encodeText,
  errorAnswer,
  type GatewayRequest,
  HeaderList,
  type HttpResponse,
  layer,
  type MaybePromise,
  type Middleware,
  reasonPhrase,
} from "@gw/core";
import { type ErrorPageKind, errorPageKind } from "./error-pages/kind.ts";
import { errorSentence } from "./error-pages/texts.ts";
import { escapeHtml } from "./pages/escape.ts";
import { documentOf, ownPageHeaders } from "./pages/own-page.ts";
import { isRefusal } from "./pages/refusal.ts";
import { isStatusText, isThrown } from "./pages/thrown.ts";

export { type ErrorPageKind, errorPageKind } from "./error-pages/kind.ts";

/** Facts that an error page can show. Nothing of the inside. */
export interface ErrorPage {
  readonly status: number;
  /** The status's reason phrase. */
  readonly title: string;
  /** One sentence for people. */
  readonly sentence: string;
  /** Id of the exchange, as in the log. */
  readonly requestId: string;
}

/** Settings of `errorPages`. */
export interface ErrorPagesOptions {
  /** Makes the HTML document of a page; escape what you put into it. @default our own, light and dark */
  html?: (page: ErrorPage) => string;
}

/**
 * Gives errors of the gateway a page: HTML for browsers, `application/problem+json` (RFC 9457) for clients that ask for
 * JSON, plain text for others.
 *
 * Errors of the gateway are: errors that were thrown, refusals of our layers,
 * and 4xx and 5xx answers without a body. Pages never show an error's message.
 * A body that an app made is not touched.
 */
export function errorPages({ html = ownHtml }: ErrorPagesOptions = {}): Middleware {
  return layer({
    name: "errorPages",
    onError: (error, request) => errorAnswer(error, request),
    onResponse: (answer, request) => (needsPage(answer, request) ? withPage(answer, request, html) : answer),
  });
}

function needsPage(answer: Answer, request: GatewayRequest): answer is HttpResponse {
  if (answer.kind === "accept" || answer.status < 400 || request.kind === "websocket") return false;
  const { body, headers } = answer;
  if (body === null) return !headers.has("content-type");
  if (!(body instanceof Uint8Array)) return false;
  return isRefusal(answer) || (isThrown(answer, request) && isStatusText(body, answer.status, headers));
}

const OF_THE_OLD_BODY = [
  "content-type",
  "content-length",
  "content-encoding",
  "content-language",
  "etag",
  "last-modified",
];
const FORMS: Readonly<Record<ErrorPageKind, HeaderList>> = {
  html: ownPageHeaders,
  json: plainHeaders("application/problem+json"),
  text: plainHeaders("text/plain; charset=utf-8"),
};

function withPage(
  answer: HttpResponse,
  request: GatewayRequest,
  html: NonNullable<ErrorPagesOptions["html"]>,
): MaybePromise<Answer> {
  const { status } = answer;
  const kind = errorPageKind(request.headers.get("accept"));
  const page: ErrorPage = {
    status,
    title: reasonPhrase(status),
    sentence: errorSentence(status),
    requestId: request.exchange.id,
  };
  const kept = answer.headers.without(...OF_THE_OLD_BODY);
  const added = [...FORMS[kind]].filter(([name]) => !kept.has(name));
  const headers = HeaderList.from([...kept, ...added, ["Vary", "Accept"]]);
  const body = encodeText(kind === "html" ? html(page) : kind === "json" ? problemOf(page) : plainOf(page));
  return andThen(discard(answer), () => ({ kind: "response", status, headers, body }));
}

function ownHtml({ status, title, sentence, requestId }: ErrorPage): string {
  return documentOf(
    `${status} ${title}`,
    [
      `<p class="code">${status}</p>`,
      `<h1>${escapeHtml(title || `Error ${status}`)}</h1>`,
      `<p>${escapeHtml(sentence)}</p>`,
      `<p class="soft small">Reference<br><code>${escapeHtml(requestId)}</code></p>`,
    ].join("\n"),
  );
}

function problemOf({ status, title, requestId }: ErrorPage): string {
  return `${JSON.stringify({ type: "about:blank", title: title || `Error ${status}`, status, requestId })}\n`;
}

function plainOf({ status, title, sentence, requestId }: ErrorPage): string {
  return `${status} ${title}\n${sentence}\nReference ${requestId}\n`;
}

function plainHeaders(type: string): HeaderList {
  return HeaderList.from({ "Content-Type": type, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store" });
}
