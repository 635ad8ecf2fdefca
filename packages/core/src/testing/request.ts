// The in-memory carrier: runs an app without a socket, with everything a carrier does around it.

import { pumpBody } from "../body/pump.ts";
import { decodeText } from "../bytes/byte-string.ts";
import { isBodilessStatus } from "../headers/status.ts";
import type { AppSource } from "../model/app.ts";
import type { AppContext } from "../model/context.ts";
import type { Outcome } from "../model/exchange.ts";
import type { HeaderList } from "../model/headers.ts";
import type { HttpResponse } from "../model/response.ts";
import { createContext } from "../pipeline/context.ts";
import { OpenExchange } from "../pipeline/exchange.ts";
import { Runtime } from "../pipeline/runtime.ts";
import { type TestRequestInit, testRequest } from "./builders.ts";

/** What `request` may be told, besides the request. */
export interface RequestInit extends TestRequestInit {
  /** Whether lint checks the app. @default true */
  lint?: boolean;
  /** Given to `start`. @default a silent one */
  context?: AppContext;
}

/** An answer as the client got it. */
export interface TestResponse {
  readonly status: number;
  readonly headers: HeaderList;
  /** The body that arrived, also if it was cut. */
  readonly bytes: Uint8Array;
  readonly trailers: HeaderList | null;
  /** Headers of each 103 that came before. */
  readonly earlyHints: readonly HeaderList[];
  /** How the exchange ended: `result` is `"cut"` when the body broke off. */
  readonly outcome: Outcome;
  /** The body as UTF-8. */
  text(): string;
  /** The body as JSON. */
  json(): unknown;
}

/**
 * Runs one request through an app in memory, under lint, and gives the answer
 * once the exchange has ended. The app is started before and stopped after;
 * `run` keeps one going for several requests.
 */
export async function request(app: AppSource, target = "/", init: RequestInit = {}): Promise<TestResponse> {
  const runtime = new Runtime(app, {
    context: init.context ?? createContext(),
    ...(init.maxBodyBytes !== undefined && { maxBodyBytes: init.maxBodyBytes }),
  });
  await runtime.start();
  try {
    return await send(runtime, target, init);
  } finally {
    await runtime.stop(AbortSignal.timeout(5_000));
  }
}

class MemoryExchange extends OpenExchange {
  readonly earlyHints: HeaderList[] = [];

  inform(headers: HeaderList): void {
    this.earlyHints.push(headers);
  }
}

async function send(runtime: Runtime, target: string, init: RequestInit): Promise<TestResponse> {
  const exchange = new MemoryExchange(runtime);
  const asked = testRequest(target, { ...init, exchange });
  const answer = await runtime.answer(asked);
  if (answer.kind === "accept") throw new TypeError(`${target}: the app accepted a socket on a plain request`);
  const chunks: Uint8Array[] = [];
  const outcome = await sendAnswer(asked.method, answer, chunks, asked.signal);
  exchange.end(outcome.outcome);
  const bytes = Buffer.concat(chunks);
  return {
    status: answer.status,
    headers: answer.headers,
    bytes,
    trailers: outcome.trailers,
    earlyHints: exchange.earlyHints,
    outcome: outcome.outcome,
    text: () => decodeText(bytes),
    json: () => JSON.parse(decodeText(bytes)) as unknown,
  };
}

async function sendAnswer(
  method: string,
  answer: HttpResponse,
  chunks: Uint8Array[],
  signal: AbortSignal,
): Promise<{ outcome: Outcome; trailers: HeaderList | null }> {
  const { status } = answer;
  if (method === "HEAD" || isBodilessStatus(status)) {
    await answer.close?.();
    return { outcome: { status, bytesSent: 0, result: "sent", error: null }, trailers: null };
  }
  try {
    const { bytesSent, trailers } = await pumpBody(answer, {
      write: (chunk) => void chunks.push(chunk.slice()),
      signal,
    });
    return { outcome: { status, bytesSent, result: "sent", error: null }, trailers };
  } catch (error) {
    const bytesSent = chunks.reduce((sum, { length }) => sum + length, 0);
    return { outcome: { status, bytesSent, result: signal.aborted ? "gone" : "cut", error }, trailers: null };
  }
}
