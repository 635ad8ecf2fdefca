// Short answers with which our layers refuse, and how `errorPages` knows them from an app's.
import { type Answer, encodeText, HeaderList, type HttpResponse, reasonPhrase } from "@gw/core";

const bodies = new WeakSet<object>();

/** An answer that says no: its status as plain text, never cached. Make it once and share it. */
export function refusal(status: number, headers: Readonly<Record<string, string>> = {}): HttpResponse {
  const body = encodeText(`${status} ${reasonPhrase(status)}\n`);
  bodies.add(body);
  return {
    kind: "response",
    status,
    headers: HeaderList.from({
      "Content-Type": "text/plain; charset=utf-8",
      "Cache-Control": "no-store",
      ...headers,
    }),
    body,
  };
}

/** Whether an answer, or the one it was copied from, was made by `refusal`. */
export function isRefusal(answer: Answer): boolean {
  return answer.kind === "response" && answer.body !== null && bodies.has(answer.body);
}
