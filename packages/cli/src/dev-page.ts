// What `gw dev` shows instead of a bare 500: the error, its causes and its stack. Never used by `gw serve`.
import { discard, encodeText, HeaderList, isGatewayError, layer, type Middleware, notesIfAny } from "@gw/core";

const headers = HeaderList.from({ "Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store" });

/** A layer that replaces answers made from errors by a page for the developer. */
export function devErrors(): Middleware {
  return layer({
    name: "devErrors",
    async onResponse(answer, request) {
      const error = notesIfAny(request.exchange)?.error;
      if (answer.kind !== "response" || answer.status < 500 || !error) return answer;
      await discard(answer);
      const page = errorPage(error, `${request.method} ${request.target}`);
      return { kind: "response", status: answer.status, headers, body: encodeText(page) };
    },
  });
}

/** The page for an error. Pure. */
export function errorPage(error: unknown, where: string): string {
  const causes = chainOf(error);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(titleOf(error))}</title>
<style>
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 3rem auto; padding: 0 1.25rem }
h1 { font-size: 1.4rem; overflow-wrap: anywhere }
pre { background: light-dark(#f4f2ed, #23262e); padding: 1rem; border-radius: .5rem; overflow-x: auto; font-size: .87rem }
p { color: light-dark(#666, #aaa) }
</style>
<p>${escapeHtml(where)}</p>
${causes.map((cause, at) => `<h1>${at > 0 ? "Caused by: " : ""}${escapeHtml(titleOf(cause))}</h1>\n<pre>${escapeHtml(stackOf(cause))}</pre>`).join("\n")}
<p>Shown by <code>gw dev</code> only; <code>gw serve</code> answers without detail.</p>
</html>
`;
}

function chainOf(error: unknown): unknown[] {
  const chain: unknown[] = [];
  for (let at = error; at !== undefined && at !== null && chain.length < 8; at = (at as { cause?: unknown }).cause)
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
