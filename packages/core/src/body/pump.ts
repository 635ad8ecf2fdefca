// Sends any answer body: one chunk at a time, at the client's pace, closed exactly once.

import { checkTrailers } from "../headers/check.ts";
import { contentLength } from "../headers/content-length.ts";
import { GatewayError } from "../model/errors.ts";
import type { HeaderList } from "../model/headers.ts";
import type { MaybePromise } from "../model/maybe-promise.ts";
import type { HttpResponse } from "../model/response.ts";
import { isPromise } from "../pipeline/and-then.ts";

/** Where the bytes go. */
export interface PumpTarget {
  /** Takes a chunk, never an empty one; a promise settles when the client can take more. */
  write(chunk: Uint8Array): MaybePromise<void>;
  /** Fires when the peer is gone. */
  signal: AbortSignal;
}

/** What was sent. */
export interface PumpResult {
  /** Body bytes handed to `write`. */
  bytesSent: number;
  /** The answer's trailers, asked for after the last chunk; `null`: none. */
  trailers: HeaderList | null;
}

/**
 * Sends the body of an answer, then closes the answer, exactly once, however it ends.
 *
 * Rejects when the body is not sent whole, so the carrier must make the cut visible to its client (R-W5):
 * with the error of the body, of `write` or of `close`; with `signal.reason` when the peer went away;
 * with `GW_LENGTH_MISMATCH` when the body does not have the length its Content-Length says (R-W4), of
 * which no byte too many is written; with `GW_RESPONSE_HEAD` when its trailers cannot be sent (R-H5). On a failure the iterator is returned before the answer is closed.
 */
export async function pumpBody(answer: HttpResponse, target: PumpTarget): Promise<PumpResult> {
  let result: PumpResult;
  try {
    const bytesSent = await sendBody(answer, target);
    result = { bytesSent, trailers: trailersOf(answer) };
  } catch (error) {
    await closeQuietly(answer);
    throw error;
  }
  await answer.close?.();
  return result;
}

/** The head has been checked before it left; these come too late for that, from the same app. */
function trailersOf({ trailers }: HttpResponse): HeaderList | null {
  const fields = trailers?.() ?? null;
  if (fields !== null) checkTrailers(fields);
  return fields;
}

async function closeQuietly(answer: HttpResponse): Promise<void> {
  try {
    await answer.close?.();
  } catch {
    // The first error is the one that counts.
  }
}

async function sendBody({ body, headers }: HttpResponse, { write, signal }: PumpTarget): Promise<number> {
  const expected = contentLength(headers, 500);
  let bytesSent = 0;
  signal.throwIfAborted();
  const send = (chunk: Uint8Array): MaybePromise<void> => {
    if (!(chunk instanceof Uint8Array)) throw notBytes(chunk);
    if (chunk.length === 0) return;
    if (expected !== null && bytesSent + chunk.length > expected) throw mismatch(expected, "more");
    bytesSent += chunk.length;
    return write(chunk);
  };
  if (body instanceof Uint8Array) await send(body);
  else if (body !== null && Symbol.asyncIterator in body) await sendAsync(body, send, signal);
  else if (body !== null) await sendSync(body, send, signal);
  if (expected !== null && bytesSent < expected) throw mismatch(expected, String(bytesSent));
  return bytesSent;
}

async function sendSync(
  body: Iterable<Uint8Array>,
  send: (chunk: Uint8Array) => MaybePromise<void>,
  signal: AbortSignal,
): Promise<void> {
  const wait = new AbortableWait(signal);
  try {
    for (const chunk of body) {
      const written = send(chunk);
      if (isPromise(written)) await wait.on(written);
      signal.throwIfAborted();
    }
  } finally {
    wait.end();
  }
}

async function sendAsync(
  body: AsyncIterable<Uint8Array>,
  send: (chunk: Uint8Array) => MaybePromise<void>,
  signal: AbortSignal,
): Promise<void> {
  const iterator = body[Symbol.asyncIterator]();
  const wait = new AbortableWait(signal);
  let isAsking = false;
  try {
    for (;;) {
      isAsking = true;
      const result = await wait.on(iterator.next());
      isAsking = false;
      if (result.done) return;
      const written = send(result.value);
      if (isPromise(written)) await wait.on(written);
      signal.throwIfAborted();
    }
  } catch (error) {
    const returning = Promise.resolve(iterator.return?.()).catch(() => {});
    // A generator inside `await` returns only after it: that may never come, so it is not waited for.
    if (!isAsking) await returning;
    throw error;
  } finally {
    wait.end();
  }
}

/** Waits for one promise after the other, or for the signal. `Promise.race` would hold on to every one until the end. */
class AbortableWait {
  readonly #signal: AbortSignal;
  #reject: (reason: unknown) => void = () => {};
  readonly #onAbort = (): void => this.#reject(this.#signal.reason);

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  on<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      promise.then(resolve, reject);
      if (this.#signal.aborted) this.#onAbort();
    });
  }

  end(): void {
    this.#signal.removeEventListener("abort", this.#onAbort);
  }
}

function mismatch(expected: number, found: string): GatewayError {
  return new GatewayError(
    "GW_LENGTH_MISMATCH",
    500,
    `the answer's Content-Length is ${expected}, its body has ${found} bytes`,
  );
}

function notBytes(chunk: unknown): GatewayError {
  return new GatewayError(
    "GW_BODY_CHUNK",
    500,
    `body chunks are Uint8Array, found ${chunk === null ? "null" : typeof chunk}; encode text with encodeText()`,
  );
}
