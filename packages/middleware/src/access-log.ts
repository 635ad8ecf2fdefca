// The access log: one line per exchange when it has ended, sockets and broken answers too.
import {
  type Answer,
  type GatewayRequest,
  layer,
  type Middleware,
  type Outcome,
  type StateKey,
  stateKey,
} from "@gw/core";
import { descriptorWriter, logFile } from "@gw/core/node";
import type { LogEntry } from "./access-log/entry.ts";
import { hideSecrets, SECRET_PARAMETERS } from "./access-log/escape.ts";
import { writeJsonEntry } from "./access-log/json.ts";
import { COMBINED, COMMON, type LogFormat, parseLogFormat } from "./access-log/letters.ts";

/** Settings of `accessLog`. */
export interface AccessLogOptions {
  /** `"combined"`, `"common"`, `"json"`, or a format string with Apache's letters (`%h %u %t "%r" %>s %b %D …`). @default "combined" */
  format?: "combined" | "common" | "json" | (string & {});
  /** `"stdout"`, `"stderr"`, a file to append to (opened anew on reload and by `reopenLogFiles`), or a function that gets each line with its newline. @default "stdout" */
  destination?: "stdout" | "stderr" | { path: string } | ((line: string) => void);
  /** Exchanges that get no line. @default none */
  skip?: (request: GatewayRequest, outcome: Outcome) => boolean;
  /** Query parameters whose values are replaced by `***`. @default those that commonly carry passwords, tokens and keys */
  secretParameters?: readonly string[];
}

/**
 * Writes a line when an exchange has ended: status, bytes and time are those that really were.
 *
 * Put it outermost. It never waits: lines that a slow reader leaves unread are
 * dropped beyond a limit, and counted. The user is the one that inner layers established.
 */
export function accessLog(options: AccessLogOptions = {}): Middleware {
  const { format = "combined", destination = "stdout", skip, secretParameters = SECRET_PARAMETERS } = options;
  const { write, needsAnswer } = formatOf(format, secretParameters);
  const output = outputOf(destination, format);
  const watch = (request: GatewayRequest, seen: Seen | null): void => {
    const startedMs = Date.now();
    const start = performance.now();
    request.exchange.onEnd((outcome) => {
      if (skip?.(request, outcome) === true) return;
      const durationMs = performance.now() - start;
      output.write(`${write({ request, answer: seen?.answer ?? null, outcome, startedMs, durationMs })}\n`);
    });
  };
  return layer({
    name: "accessLog",
    oncePerExchange: true,
    ...output.life,
    ...(needsAnswer
      ? {
          onRequest(request) {
            const seen: Seen = { answer: null };
            watch(request, seen);
            return { ...request, state: request.state.with(seenKey, seen) };
          },
          onResponse(answer, request) {
            const seen = request.state.get(seenKey);
            if (seen !== undefined) seen.answer = answer;
            return answer;
          },
        }
      : {
          onRequest(request) {
            watch(request, null);
            return request;
          },
        }),
  });
}

/** Where the answer is kept for a format that shows its header fields. */
interface Seen {
  answer: Answer | null;
}

const seenKey: StateKey<Seen> = stateKey("gw.access-log");

function formatOf(format: string, secretParameters: readonly string[]): LogFormat {
  const hide = hideSecrets(secretParameters);
  if (format === "json") return { write: (entry: LogEntry) => writeJsonEntry(entry, hide), needsAnswer: false };
  return parseLogFormat(format === "combined" ? COMBINED : format === "common" ? COMMON : format, hide);
}

interface Output {
  readonly write: (line: string) => void;
  readonly life: Pick<Middleware, "start" | "stop" | "reload">;
}

type DroppedLine = (count: number) => string;

function outputOf(destination: NonNullable<AccessLogOptions["destination"]>, format: string): Output {
  const droppedLine: DroppedLine = (count) =>
    format === "json" ? `${JSON.stringify({ droppedLines: count })}\n` : `- ${count} lines were dropped\n`;
  if (typeof destination === "function") return { write: destination, life: {} };
  if (typeof destination === "object") return fileOutput(destination.path, droppedLine);
  const writer = descriptorWriter(destination === "stdout" ? 1 : 2, { droppedLine });
  return { write: (line) => writer.write(line), life: { stop: () => writer.flush() } };
}

function fileOutput(path: string, droppedLine: DroppedLine): Output {
  const file = logFile(path, { droppedLine });
  return {
    write: (line) => file.write(line),
    life: {
      start: () => file.open(),
      stop: () => file.close(),
      reload: () => file.reopen(),
    },
  };
}
