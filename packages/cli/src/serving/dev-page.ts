// What `gw dev` shows instead of a bare 500: the error, its causes and its stack. Never used by `gw serve`.
import {
  andThen,
  discard,
  encodeText,
  guard,
  type Handler,
  HeaderList,
  type HttpRequest,
  isGatewayError,
  layer,
  type Middleware,
  notesIfAny,
} from "@gw/core";

/** A layer that replaces answers made from errors by a page for the developer, or by text for other clients. */
export function devErrors(): Middleware {
  const shown = layer({
    name: "devErrors",
    onResponse(answer, request) {
      const error = notesIfAny(request.exchange)?.error;
      if (answer.kind !== "response" || answer.status < 500 || error === undefined || error === null) return answer;
      const where = `${request.method} ${request.target}`;
      const isForBrowser = wantsHtml(request);
      const body = encodeText(isForBrowser ? errorPage(error, where) : errorText(error, where));
      const headers = isForBrowser ? pageHeaders : textHeaders;
      return andThen(discard(answer), () => ({ kind: "response", status: answer.status, headers, body }) as const);
    },
  });
  // What layers and lint throw is an answer only behind a guard.
  return Object.assign((next: Handler) => shown(guard(next)), { layerName: "devErrors" });
}

const commonHeaders = [
  ["Cache-Control", "no-store"],
  ["X-Content-Type-Options", "nosniff"],
] as const;
const textHeaders = HeaderList.from([["Content-Type", "text/plain; charset=utf-8"], ...commonHeaders]);
const pageHeaders = HeaderList.from([
  ["Content-Type", "text/html; charset=utf-8"],
  ["Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"],
  ...commonHeaders,
]);

function wantsHtml({ headers }: Pick<HttpRequest, "headers">): boolean {
  return headers.get("accept")?.includes("text/html") ?? false;
}

/** The error as text. Pure. */
export function errorText(error: unknown, where: string): string {
  const causes = chainOf(error).map((cause, at) => `${at > 0 ? "Caused by: " : ""}${stackOf(cause)}`);
  return `${where}\n\n${causes.join("\n\n")}\n`;
}

/** The page for an error. Pure. */
export function errorPage(error: unknown, where: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(titleOf(error))}</title>
<style>
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 3rem auto; padding: 0 1.25rem }
h1 { font-size: 1.4rem; overflow-wrap: anywhere }
pre { background: light-dark(#f4f2ed, #23262e); padding: 1rem; border-radius: .5rem; overflow-x: auto; font-size: .87rem }
p { color: light-dark(#666, #aaa); overflow-wrap: anywhere }
</style>
<p>${escapeHtml(where)}</p>
${chainOf(error).map(sectionOf).join("\n")}
<p>Shown by <code>gw dev</code> only; <code>gw serve</code> answers without detail.</p>
</html>
`;
}

function sectionOf(cause: unknown, at: number): string {
  const title = `${at > 0 ? "Caused by: " : ""}${titleOf(cause)}`;
  return `<h1>${escapeHtml(title)}</h1>\n<pre>${escapeHtml(stackOf(cause))}</pre>`;
}

const MAX_CAUSES = 8; // a chain may be a circle

function chainOf(error: unknown): unknown[] {
  const chain: unknown[] = [];
  for (
    let at = error;
    at !== undefined && at !== null && chain.length < MAX_CAUSES;
    at = (at as { cause?: unknown }).cause
  )
    chain.push(at);
  return chain;
}

function titleOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return isGatewayError(error) ? `${error.code}: ${error.message}` : `${error.name}: ${error.message}`;
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
