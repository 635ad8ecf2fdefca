// A socket whose other end is this program: what `fromNodeHandler` gives to node:http's server.
import { Duplex } from "node:stream";
import type { Address, HttpRequest } from "@gw/core";

/** What a memory socket does with what passes through it. */
export interface MemorySocketEnds {
  /** Bytes the server wrote; the server waits until `done` is called. */
  readonly onWrite: (bytes: Uint8Array, done: () => void) => void;
  /** The server has closed its side. */
  readonly onEnd: () => void;
  /** The socket is gone, one way or the other. */
  readonly onClose: () => void;
}

/** A duplex with the properties of `net.Socket` that apps look at. */
export class MemorySocket extends Duplex {
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly remoteFamily: string | undefined;
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
  /** What express and others take for "this is https". */
  readonly encrypted: boolean;
  /** The request that it carries. */
  readonly request: HttpRequest;
  readonly #ends: MemorySocketEnds;
  #onWanted: (() => void) | null = null;

  constructor(request: HttpRequest, ends: MemorySocketEnds) {
    super({ allowHalfOpen: true });
    this.request = request;
    this.#ends = ends;
    this.encrypted = request.scheme === "https";
    const [remote, local] = [inetOf(request.client), inetOf(request.server)];
    this.remoteAddress = remote?.host;
    this.remotePort = remote?.port;
    this.remoteFamily = remote === null ? undefined : remote.host.includes(":") ? "IPv6" : "IPv4";
    this.localAddress = local?.host;
    this.localPort = local?.port;
    this.once("close", () => {
      this._read(); // nobody waits for a reader that is gone
      ends.onClose();
    });
    this.on("error", () => {});
  }

  setTimeout(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  destroySoon(): void {
    this.end(() => this.destroy());
  }

  /** Settles when the reader has taken what was pushed. */
  wanted(): Promise<void> {
    return new Promise((resolve) => {
      this.#onWanted = resolve;
    });
  }

  override _read(): void {
    const onWanted = this.#onWanted;
    this.#onWanted = null;
    onWanted?.();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#ends.onWrite(chunk, done);
  }

  override _writev(chunks: { chunk: Buffer; encoding: BufferEncoding }[], done: () => void): void {
    this.#ends.onWrite(Buffer.concat(chunks.map(({ chunk }) => chunk)), done);
  }

  override _final(done: () => void): void {
    this.#ends.onEnd();
    done();
  }
}

function inetOf(address: Address | null): { readonly host: string; readonly port: number } | null {
  return address !== null && "host" in address ? address : null;
}
