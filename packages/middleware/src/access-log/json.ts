// The access log as JSON lines.
import { toText } from "@gw/core";
import { hostOf, type LogEntry, userOf } from "./entry.ts";
import { escapeJson, type HideSecrets } from "./escape.ts";

/** One entry as a JSON object, without its newline. */
export function writeJsonEntry(entry: LogEntry, hide: HideSecrets): string {
  const { request, outcome, startedMs, durationMs } = entry;
  const header = (name: string): string | null => {
    const value = request.headers.get(name);
    return value === null ? null : toText(hide(value));
  };
  const facts = {
    time: new Date(startedMs).toISOString(),
    requestId: request.exchange.id,
    client: hostOf(request.client),
    user: userOf(entry),
    kind: request.kind,
    method: request.method,
    host: header("host"),
    target: toText(hide(request.target)),
    protocol: request.protocol,
    status: outcome.status,
    bytesSent: outcome.bytesSent,
    durationMs: Math.round(durationMs * 1_000) / 1_000,
    result: outcome.result,
    referer: header("referer"),
    userAgent: header("user-agent"),
  };
  return escapeJson(JSON.stringify(facts));
}
