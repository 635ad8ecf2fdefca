// One try to have a request answered, and the body that a second try may need once more (R-F14).
import { type HttpRequest, hasExclusiveChunks, mayRetry, type UpstreamLease } from "@gw/core";
import type { Call } from "./call.ts";
import type { ConnectionPool } from "./connection-pool.ts";
import { FastcgiError } from "./errors.ts";

/** The body of a request, for one attempt or two. */
export class Input {
  readonly request: HttpRequest;
  #iterator: AsyncIterator<Uint8Array> | null = null;
  isTouched = false;

  constructor(request: HttpRequest) {
    this.request = request;
  }

  /** Whether its pieces are in nobody else's hands. */
  get isExclusive(): boolean {
    return hasExclusiveChunks(this.request.body);
  }

  /** Whether it can be read from its beginning. */
  get isWhole(): boolean {
    const { body } = this.request;
    return body.length === 0 || body.replayable || !this.isTouched;
  }

  /** @throws GatewayError `GW_BODY_TOO_LARGE` before anything is asked (R-H7) */
  open(): AsyncIterator<Uint8Array> | null {
    const { body } = this.request;
    if (body.length === 0) return null;
    if (this.#iterator === null || (this.isTouched && body.replayable)) {
      this.#iterator = body[Symbol.asyncIterator]();
      this.isTouched = false;
    }
    const iterator = this.#iterator;
    return {
      next: () => {
        this.isTouched = true;
        return iterator.next();
      },
      // Before its first piece nothing is lost: the second attempt may read it.
      return: async () => {
        if (this.isTouched) await iterator.return?.();
        return { done: true, value: undefined };
      },
    };
  }
}

/** What is known of one attempt. */
export class Attempt {
  readonly input: Input;
  readonly mayReuse: boolean;
  /** Whether it gets a connection for itself: the second try does. */
  readonly isAlone: boolean;
  readonly avoid: ConnectionPool | null;
  lease: UpstreamLease<ConnectionPool> | null = null;
  call: Call | null = null;
  wasUnreachable = false;

  constructor(input: Input, { mayReuse, before = null }: { mayReuse: boolean; before?: Attempt | null }) {
    this.input = input;
    this.mayReuse = mayReuse;
    this.isAlone = before !== null;
    // Who said that it takes one request at a time can be asked again.
    this.avoid = before === null || before.call?.wasRefused ? null : before.upstream;
  }

  get upstream(): ConnectionPool | null {
    return this.lease?.upstream ?? null;
  }

  /** No answer in time is a sign of bad health, unless the client left. */
  judge(error: unknown): void {
    const isSilence = error instanceof FastcgiError && error.code === "GW_FCGI_TIMEOUT";
    if (isSilence && !this.input.request.signal.aborted) this.lease?.failed();
  }

  /** Whether the request may be sent again: nothing was sent, or nothing came and it may be repeated. */
  mayRepeat(request: HttpRequest): boolean {
    if (request.signal.aborted) return false;
    if (this.wasUnreachable) return true;
    if (this.call?.wasRefused) return this.input.isWhole;
    return this.call?.isLost === true && !this.call.hasAnswered && mayRetry(request, !this.input.isTouched);
  }
}
