// Asks backends: picks one, picks or opens a connection, tries once more where that is safe.
import {
  type Address,
  type Answer,
  andThen,
  bufferBody,
  type HttpRequest,
  inPhase,
  type MaybePromise,
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
import type { SpillOptions } from "../input-queue.ts";
import { Attempt, Input } from "./attempt.ts";
import { type BackendResult, backendAnswer } from "./backend-answer.ts";
import type { BackendConnection } from "./backend-connection.ts";
import { Call } from "./call.ts";
import { ConnectionPool } from "./connection-pool.ts";
import { isNobodyThere } from "./errors.ts";
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
  readonly #spill: SpillOptions;
  #pools: ReadonlyMap<string, ConnectionPool> = new Map();

  /** @throws FastcgiError `GW_FCGI_OPTION` for numbers that cannot be meant */
  constructor(addresses: readonly Address[], options: FastcgiClientOptions, watcher: ClientWatcher | null = null) {
    checkClientOptions(options);
    this.#options = options;
    this.#watcher = watcher;
    this.#spill = { spool: options.spool ?? fileSpool(), maxSpoolBytes: MAX_SPOOL_BYTES };
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
    const ready = request.body.length === null ? await bufferBody(request, { spool: this.#spill.spool }) : request;
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
        const result = await this.#attempt(attempt, variables);
        attempt.lease?.succeeded(); // any answer is a sign of health
        return result;
      } catch (error) {
        attempt.judge(error);
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

  /** Sync up to the written request where a place and a connection are free: on the way of every request. */
  #attempt(attempt: Attempt, variables: Readonly<Record<string, string>>): MaybePromise<BackendResult> {
    const { signal, exchange } = attempt.input.request;
    const input = attempt.input.open();
    const taken = inPhase(exchange, "queue", () => this.#group.take(signal, attempt.avoid));
    this.#watcher?.asked();
    return andThen(taken, (lease) => {
      attempt.lease = lease;
      return andThen(connectionFor(lease, attempt, signal), (connection) =>
        this.#send(attempt, { lease, connection, variables, input }),
      );
    });
  }

  #send(attempt: Attempt, { lease, connection, variables, input }: Sending): Promise<BackendResult> {
    const { signal, exchange, method } = attempt.input.request;
    const { upstream } = lease;
    try {
      attempt.call = new Call(
        {
          connection,
          variables,
          input,
          isExclusive: attempt.input.isExclusive,
          keepConnection: upstream.keeps,
          signal,
          exchange,
          spill: this.#spill,
          done: (isClean, error) => {
            if (isClean || connection.running > 0) upstream.give(connection);
            else connection.destroy();
            const { address } = upstream;
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
    return backendAnswer(attempt.call, method);
  }
}

/** What an attempt has when it begins. */
interface Sending {
  readonly lease: UpstreamLease<ConnectionPool>;
  readonly connection: BackendConnection;
  readonly variables: Readonly<Record<string, string>>;
  readonly input: AsyncIterator<Uint8Array> | null;
}

function connectionFor(
  lease: UpstreamLease<ConnectionPool>,
  attempt: Attempt,
  signal: AbortSignal,
): MaybePromise<BackendConnection> {
  const { upstream } = lease;
  return andThen(upstream.takesSeveral(), (takesSeveral) => {
    const isShared = takesSeveral && !attempt.isAlone;
    const waiting = attempt.mayReuse && !isShared ? upstream.takeIdle() : null;
    return waiting ?? connected(lease, attempt, { signal, isShared });
  });
}

async function connected(
  lease: UpstreamLease<ConnectionPool>,
  attempt: Attempt,
  { signal, isShared }: { signal: AbortSignal; isShared: boolean },
): Promise<BackendConnection> {
  const { upstream } = lease;
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
