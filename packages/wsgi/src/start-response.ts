// start_response() and write(): what may be called when (PEP 3333, "The start_response() Callable").
import { GatewayError } from "@gw/core";
import type { Head, HeadReader } from "./head.ts";
import type { ExcInfo, StartResponse, Write } from "./types.ts";

/** Sends data of `write()`, after the head if that has not left yet. */
export type WriteSink = (head: Head, data: Uint8Array) => void;

/** The response that one call of an app has begun, as far as it has come. */
export class ResponseStart {
  /** What the app is given. */
  readonly startResponse: StartResponse;
  /** The head to send; `null` until the app has given one. */
  head: Head | null = null;
  /** Chunks passed to `write()`, to be sent before those of the iterable. */
  written: Uint8Array[] | null = null;
  writtenBytes = 0;
  /** Whether the head can no longer be replaced. */
  isHeadSent = false;
  /** Also true if the first call failed: the PEP counts it. */
  #isCalled = false;
  readonly #reader: HeadReader;
  readonly #sink: WriteSink | null;

  /** @param sink where data of `write()` goes; `null`: it is kept in `written` */
  constructor(reader: HeadReader, sink: WriteSink | null = null) {
    this.#reader = reader;
    this.#sink = sink;
    this.startResponse = (status, headers, excInfo) => this.#start(status, headers, excInfo);
  }

  /** Whether `write()` has sent the head, and perhaps data. */
  get isWriteOut(): boolean {
    return this.#sink !== null && this.isHeadSent;
  }

  #start(status: string, headers: readonly (readonly [string, string])[], excInfo: ExcInfo | null | undefined): Write {
    if (this.#isCalled) this.#checkAgain(excInfo ?? null);
    this.#isCalled = true;
    this.head = null;
    this.head = this.#reader.read(status, headers);
    return (data) => this.#write(data);
  }

  /** A second call is right only with exc_info, and only while the head is here. */
  #checkAgain(excInfo: ExcInfo | null): void {
    if (!Array.isArray(excInfo)) {
      throw new GatewayError("GW_WSGI_START_TWICE", 500, "start_response was called again without exc_info");
    }
    if (this.isHeadSent) throw excInfo[1];
  }

  #write(data: Uint8Array): void {
    if (!(data instanceof Uint8Array)) {
      throw new GatewayError("GW_WSGI_CHUNK", 500, `write() takes a Uint8Array, found ${typeof data}`);
    }
    const length = this.head?.length ?? null;
    if (length !== null && this.writtenBytes + data.length > length) {
      throw new GatewayError("GW_LENGTH_MISMATCH", 500, `write() past the Content-Length of ${length} bytes`);
    }
    this.isHeadSent = true;
    this.writtenBytes += data.length;
    if (this.#sink !== null) return this.#sink(this.head as Head, data);
    this.written ??= [];
    this.written.push(data);
  }
}
