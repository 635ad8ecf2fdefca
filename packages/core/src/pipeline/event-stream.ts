// Server-sent events: text that goes on coming (WHATWG HTML §9.2).
import { encodeText } from "../bytes/byte-string.ts";
import { GatewayError } from "../model/errors.ts";
import { type HeaderInit, HeaderList } from "../model/headers.ts";
import type { HttpResponse } from "../model/response.ts";

/** One event. */
export interface ServerEvent {
  /** May have several lines. */
  readonly data: string;
  /** Name of the event. @default the browser's "message" */
  readonly event?: string;
  /** What `Last-Event-ID` will say after a reconnection. */
  readonly id?: string;
  /** How long the client waits before it reconnects, milliseconds. */
  readonly retryMs?: number;
}

/** Events, or their data alone. */
export type ServerEvents = AsyncIterable<ServerEvent | string>;

/** What `eventStream` may be told. */
export interface EventStreamOptions {
  /** A comment is sent after this long without an event, so that proxies keep the connection; 0: never. @default 15_000 */
  heartbeatMs?: number;
  /** Further fields. */
  headers?: HeaderInit;
}

/**
 * An answer that sends events as they come.
 *
 * The next event is asked for when the client has taken the last one. When the
 * client leaves, the source's iterator is returned and the signal given to a
 * source function fires; a source that waits for something else must listen to it.
 *
 * @param source an iterable, or a function of the signal that makes one
 * @throws GatewayError `GW_EVENT` in the body, for an `event` or `id` with a line break (or an `id` with NUL).
 */
export function eventStream(
  source: ServerEvents | ((signal: AbortSignal) => ServerEvents),
  { heartbeatMs = 15_000, headers }: EventStreamOptions = {},
): HttpResponse {
  const gone = new AbortController();
  return {
    kind: "response",
    status: 200,
    headers: headers === undefined ? eventHeaders : HeaderList.from([...eventHeaders, ...HeaderList.from(headers)]),
    body: {
      [Symbol.asyncIterator]: () => {
        const events = typeof source === "function" ? source(gone.signal) : source;
        return new EventBytes(events[Symbol.asyncIterator](), heartbeatMs);
      },
    },
    close: () => gone.abort(),
  };
}

const eventHeaders = HeaderList.from({
  "Content-Type": "text/event-stream",
  "Cache-Control": "no-cache",
  "X-Accel-Buffering": "no", // nginx would hold events back
});

type Given = { readonly result: IteratorResult<ServerEvent | string> } | { readonly error: unknown };

const HEARTBEAT = encodeText(":\n\n");

/** Events as bytes, with heartbeats while the source is silent. By hand: a generator cannot be returned while it waits. */
class EventBytes implements AsyncIterator<Uint8Array> {
  readonly #events: AsyncIterator<ServerEvent | string>;
  readonly #heartbeatMs: number;
  #isAsked = false;
  /** What the source gave to the question that is open. */
  #given: Given | null = null;
  #wake: () => void = () => {};
  #isDone = false;

  constructor(events: AsyncIterator<ServerEvent | string>, heartbeatMs: number) {
    this.#events = events;
    this.#heartbeatMs = heartbeatMs;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    if (this.#isDone) return END;
    if (!this.#isAsked) this.#ask();
    if (this.#given === null) await this.#silence();
    if (this.#isDone) return END;
    const given = this.#given;
    if (given === null) return { done: false, value: HEARTBEAT };
    this.#given = null;
    this.#isAsked = false;
    if ("error" in given) throw given.error;
    if (!given.result.done) return { done: false, value: writeEvent(given.result.value) };
    this.#isDone = true;
    return END;
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    if (this.#isDone) return END;
    this.#isDone = true;
    this.#wake();
    const returned = Promise.resolve(this.#events.return?.());
    // A generator that waits returns after its wait: only the signal can wake it.
    if (this.#isAsked) returned.catch(() => {});
    else await returned;
    return END;
  }

  #ask(): void {
    this.#isAsked = true;
    const give = (given: Given): void => {
      this.#given = given;
      this.#wake();
    };
    this.#events.next().then(
      (result) => give({ result }),
      (error: unknown) => give({ error }),
    );
  }

  /** Until the source gives something, the stream is returned, or it is time for a heartbeat. */
  #silence(): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#heartbeatMs === 0 ? undefined : setTimeout(resolve, this.#heartbeatMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

const END: IteratorResult<Uint8Array> = { done: true, value: undefined };

/** One event as the bytes of its lines. */
export function writeEvent(event: ServerEvent | string): Uint8Array {
  if (typeof event === "string") return encodeText(`${dataLines(event)}\n`);
  const { data, event: name, id, retryMs } = event;
  let text = "";
  if (name !== undefined) text += `event: ${oneLine("event", name)}\n`;
  if (id !== undefined) text += `id: ${oneLine("id", id)}\n`;
  if (retryMs !== undefined) text += `retry: ${Math.max(0, Math.round(retryMs))}\n`;
  return encodeText(`${text}${dataLines(data)}\n`);
}

function dataLines(data: string): string {
  return data
    .split(/\r\n|\r|\n/)
    .map((line) => `data: ${line}\n`)
    .join("");
}

function oneLine(field: string, value: string): string {
  if (!/[\r\n\0]/.test(value)) return value;
  throw new GatewayError(
    "GW_EVENT",
    500,
    `an event's ${field} is one line, found ${JSON.stringify(value.slice(0, 80))}`,
  );
}
