// Asks backends: picks one, picks or opens a connection, tries once more where that is safe.
import {
  type Address,
  type Answer,
  andThen,
  bufferBody,
  type HttpRequest,
  inPhase,
  isPromise,
  mayRetry,
  mountVariables,
  redirectedRequest,
  type Status,
  UpstreamGroup,
  type UpstreamLease,
  upstreamAddressText,
  writeVariables,
} from "@gw/core";
import { fileSpool } from "@gw/core/node";
import { checkClientOptions } from "../check-options.ts";
import { type BackendResult, backendAnswer } from "./backend-answer.ts";
import type { BackendConnection } from "./backend-connection.ts";
import { Call } from "./call.ts";
import { ConnectionPool } from "./connection-pool.ts";
import { FastcgiError, isNobodyThere } from "./errors.ts";
import { handOver } from "./hand-over.ts";
import type { FastcgiClientOptions } from "./options.ts";
import type { ClientWatcher } from "./watcher.ts";

declare const __GW_VERSION__: string;

/** Most of an answer that waits in a file for a slow client, so that the others on its connection get theirs. */
const MAX_SPOOL_BYTES = 67_108_864;

/** Which script a request is for; byte strings. */
export interface ScriptVariables {
  /** @default the mount */
  readonly scriptName?: string;
  readonly pathInfo?: string;
  /** What no client and no mount may set: SCRIPT_FILENAME, DOCUMENT_ROOT. */
  readonly own: Readonly<Record<string, string>>;
}

/** The requests of one mount and the backends behind it. */
export class FastcgiClient {
  readonly #options: FastcgiClientOptions;
  readonly #watcher: ClientWatcher | null;
  readonly #group: UpstreamGroup<ConnectionPool>;
  readonly #spool: NonNullable<FastcgiClientOptions["spool"]>;
  #pools: ReadonlyMap<string, ConnectionPool> = new Map();

  /** @throws FastcgiError `GW_FCGI_OPTION` for numbers that cannot be meant */
  constructor(addresses: readonly Address[], options: FastcgiClientOptions, watcher: ClientWatcher | null = null) {
    checkClientOptions(options);
    this.#options = options;
    this.#watcher = watcher;
    this.#spool = options.spool ?? fileSpool();
    this.#group = new UpstreamGroup<ConnectionPool>([], options);
    this.useAddresses(addresses);
  }

  /** Sends requests to these addresses from now on; what runs at others may finish. */
  useAddresses(addresses: readonly Address[]): void {
    const { connectTimeoutMs = 5_000, maxIdleConnections = 4, keepAliveMs = 10_000, multiplex = false } = this.#options;
    const pooling = { connectTimeoutMs, maxIdleConnections, keepAliveMs, multiplex };
    const before = this.#pools;
    this.#pools = new Map(
      addresses.map((address) => {
        const name = upstreamAddressText(address);
        return [name, before.get(name) ?? new ConnectionPool(address, pooling)];
      }),
    );
    for (const [name, pool] of before) if (!this.#pools.has(name)) pool.close();
    this.#group.replace([...this.#pools.values()]);
  }

  /** Asks a backend; local redirects (R-C8) and files that it names are answered from inside. */
  async answer(request: HttpRequest, script: ScriptVariables): Promise<Answer> {
    // PHP and others read no body whose length they are not told.
    const ready = request.body.length === null ? await bufferBody(request, { spool: this.#spool }) : request;
    const result = await this.#ask(ready, this.#variables(ready, script));
    if (result.kind === "response") return handOver(request, result, this.#options);
    return request.exchange.dispatch(redirectedRequest(request, result.target));
  }

  /** Requests that are at a backend, and those that wait for one. */
  get demand(): { readonly running: number; readonly queued: number } {
    return { running: this.#group.running, queued: this.#group.queued };
  }

  /** How busy it is. */
  status(name: string): Status {
    const members = this.#group.members;
    const isUp = members.length === 0 || members.some((member) => member.isUp);
    const idle = members.reduce((sum, { upstream }) => sum + upstream.idle, 0);
    return {
      name,
      state: !isUp ? "failed" : members.every((member) => member.isUp) ? "ready" : "degraded",
      error: isUp ? null : "no backend can be reached",
      facts: { running: this.#group.running, queued: this.#group.queued, idle },
    };
  }

  /** Lets running requests finish until the deadline, then cuts them. */
  stop(deadline: AbortSignal): void {
    for (const { upstream } of this.#group.members) {
      upstream.close();
      if (deadline.aborted) upstream.destroy();
      else deadline.addEventListener("abort", () => upstream.destroy(), { once: true });
    }
  }

  #variables(request: HttpRequest, { scriptName, pathInfo, own }: ScriptVariables): Record<string, string> {
    const { authorization } = this.#options;
    const variables = writeVariables(request, {
      interface: "fastcgi",
      software: `gw/${__GW_VERSION__}`,
      variables: mountVariables(request),
      ...(scriptName !== undefined && { scriptName }),
      ...(pathInfo !== undefined && { pathInfo }),
      ...(authorization !== undefined && { authorization }),
    });
    return Object.assign(variables, own);
  }

  /** One attempt, and where that is safe a second one, on a new connection (R-F14). */
  async #ask(request: HttpRequest, variables: Readonly<Record<string, string>>): Promise<BackendResult> {
    const input = new Input(request);
    // A connection that waits may have been closed under our hands. Who could not be asked again gets a fresh one.
    let attempt = new Attempt(input, { mayReuse: mayRetry(request, true) });
    for (let triesLeft = 1; ; attempt = new Attempt(input, { mayReuse: false, before: attempt })) {
      try {
        return await this.#attempt(attempt, variables);
      } catch (error) {
        if (!attempt.mayRepeat(request)) throw error;
        const isGone = attempt.upstream !== null && isNobodyThere(error) && this.#isGone(attempt.upstream);
        if (!isGone && triesLeft-- === 0) throw error;
        if (attempt.call?.wasRefused) attempt.upstream?.takesOne();
        request.exchange.log.debug({ err: error }, "the request is sent to the backend once more");
      }
    }
  }

  #isGone({ address }: ConnectionPool): boolean {
    return this.#watcher?.unreachable(address) ?? false;
  }

  async #attempt(attempt: Attempt, variables: Readonly<Record<string, string>>): Promise<BackendResult> {
    const { request } = attempt.input;
    const { signal, exchange, method } = request;
    const input = attempt.input.open();
    const taken = inPhase(exchange, "queue", () => this.#group.take(signal, attempt.avoid));
    this.#watcher?.asked();
    const lease = isPromise(taken) ? await taken : taken;
    attempt.upstream = lease.upstream;
    const connection = await connectionFor(lease, attempt, signal);
    try {
      attempt.call = new Call(
        {
          connection,
          variables,
          input,
          keepConnection: lease.upstream.keeps,
          signal,
          exchange,
          spill: { spool: this.#spool, maxSpoolBytes: MAX_SPOOL_BYTES },
          done: (isClean, error) => {
            if (isClean || connection.running > 0) lease.upstream.give(connection);
            else connection.destroy();
            const { address } = lease.upstream;
            void andThen(this.#watcher?.ended({ address, isClean, error }), () => lease.release());
          },
        },
        this.#options,
      );
    } catch (error) {
      if (connection.running === 0) connection.destroy();
      lease.release();
      throw error;
    }
    return judged(lease, await settled(backendAnswer(attempt.call, method)), signal);
  }
}

type Settled<T> = { readonly value: T } | { readonly error: unknown };

async function settled<T>(promise: Promise<T>): Promise<Settled<T>> {
  return promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
}

/** Any answer is a sign of health; no answer is one of the opposite, unless the client left. */
function judged<T>(lease: UpstreamLease<ConnectionPool>, result: Settled<T>, signal: AbortSignal): T {
  if ("value" in result) {
    lease.succeeded();
    return result.value;
  }
  const { error } = result;
  const isSilence = error instanceof FastcgiError && error.code === "GW_FCGI_TIMEOUT";
  if (isSilence && !signal.aborted) lease.failed();
  throw error;
}

async function connectionFor(
  lease: UpstreamLease<ConnectionPool>,
  attempt: Attempt,
  signal: AbortSignal,
): Promise<BackendConnection> {
  const { upstream } = lease;
  const known = upstream.takesSeveral();
  const shares = isPromise(known) ? await known : known;
  const isShared = shares && !attempt.isAlone;
  const waiting = attempt.mayReuse && !isShared ? upstream.takeIdle() : null;
  if (waiting !== null) return waiting;
  try {
    const connect = () => (isShared ? upstream.share(attempt.mayReuse) : upstream.open(signal));
    return await inPhase(attempt.input.request.exchange, "connect", connect);
  } catch (error) {
    if (!signal.aborted) {
      lease.failed();
      attempt.wasUnreachable = true;
    }
    lease.release();
    throw error;
  }
}

/** The body of a request, for one attempt or two. */
class Input {
  readonly request: HttpRequest;
  #iterator: AsyncIterator<Uint8Array> | null = null;
  isTouched = false;

  constructor(request: HttpRequest) {
    this.request = request;
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
class Attempt {
  readonly input: Input;
  readonly mayReuse: boolean;
  /** Whether it gets a connection for itself: the second try does. */
  readonly isAlone: boolean;
  readonly avoid: ConnectionPool | null;
  upstream: ConnectionPool | null = null;
  call: Call | null = null;
  wasUnreachable = false;

  constructor(input: Input, { mayReuse, before = null }: { mayReuse: boolean; before?: Attempt | null }) {
    this.input = input;
    this.mayReuse = mayReuse;
    this.isAlone = before !== null;
    // Who said that it takes one request at a time can be asked again.
    this.avoid = before === null || before.call?.wasRefused ? null : before.upstream;
  }

  /** Whether the request may be sent again: nothing was sent, or nothing came and it may be repeated. */
  mayRepeat(request: HttpRequest): boolean {
    if (request.signal.aborted) return false;
    if (this.wasUnreachable) return true;
    if (this.call?.wasRefused) return this.input.isWhole;
    return this.call?.isLost === true && !this.call.hasAnswered && mayRetry(request, !this.input.isTouched);
  }
}
