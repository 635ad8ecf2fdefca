// communicator: drives an ASGI app event by event, for tests; in the words of asgiref.testing.
import { GatewayError } from "@gw/core";
import type { AsgiApp } from "./app.ts";
import { Deferred } from "./deferred.ts";
import { cancelledError } from "./errors.ts";
import type { ReceiveEvent, SendEvent } from "./events.ts";
import type { HttpScope, LifespanScope, Scope, WebSocketScope } from "./scopes.ts";

/** A scope of which only `type` must be given; the rest has defaults. */
export type PartialScope =
  | (Partial<HttpScope> & { readonly type: "http" })
  | (Partial<WebSocketScope> & { readonly type: "websocket" })
  | (Partial<LifespanScope> & { readonly type: "lifespan" });

/** One call of an app, in a test's hand. The app is called at the first use. */
export interface Communicator {
  /** Gives the app an event. Throws what the app has thrown. */
  sendInput(event: ReceiveEvent): Promise<void>;
  /**
   * The app's next event.
   *
   * @throws what the app has thrown, or `GW_ASGI_NO_OUTPUT` if it returns, or lets the time pass, without an event
   * @param timeoutMs @default 1_000
   */
  receiveOutput(timeoutMs?: number): Promise<SendEvent>;
  /** Whether the app sends nothing for this long. @default 100 ms */
  receiveNothing(timeoutMs?: number): Promise<boolean>;
  /** Waits for the app to return; throws what it throws. @default 1_000 ms, after which it is stopped */
  wait(timeoutMs?: number): Promise<void>;
  /** Lets go of the app: what it waits for throws. */
  stop(): void;
}

/** Calls an app with this scope and hands its `receive` and `send` to the test. */
export function communicator(app: AsgiApp, scope: PartialScope): Communicator {
  return new ScopeCommunicator(app, fullScope(scope));
}

class ScopeCommunicator implements Communicator {
  readonly #app: AsgiApp;
  readonly #scope: Scope;
  readonly #input: Queue<ReceiveEvent> = new Queue();
  readonly #output: Queue<SendEvent> = new Queue();
  #running: Promise<void> | null = null;
  #failure: { error: unknown } | null = null;
  #isDone = false;

  constructor(app: AsgiApp, scope: Scope) {
    this.#app = app;
    this.#scope = scope;
  }

  async sendInput(event: ReceiveEvent): Promise<void> {
    this.#run();
    this.#throwFailure();
    this.#input.put(event);
  }

  async receiveOutput(timeoutMs = 1_000): Promise<SendEvent> {
    const running = this.#run();
    if (this.#output.isEmpty) this.#throwFailure();
    const event = await this.#output.take(timeoutMs, running);
    if (event !== null) return event;
    this.#throwFailure();
    throw noOutput(this.#isDone ? "the app returned without sending an event" : `no event within ${timeoutMs} ms`);
  }

  async receiveNothing(timeoutMs = 100): Promise<boolean> {
    const running = this.#run();
    this.#throwFailure();
    const event = await this.#output.take(timeoutMs, running);
    if (event !== null) this.#output.putBack(event);
    return event === null;
  }

  async wait(timeoutMs = 1_000): Promise<void> {
    const running = this.#run();
    await within(running, timeoutMs);
    this.stop();
    this.#throwFailure();
    if (!this.#isDone) throw noOutput(`the app has not returned within ${timeoutMs} ms`);
  }

  stop(): void {
    this.#input.fail(cancelledError());
  }

  #run(): Promise<void> {
    this.#running ??= this.#call();
    return this.#running;
  }

  async #call(): Promise<void> {
    try {
      await this.#app(
        this.#scope,
        () => this.#input.next(),
        async (event) => this.#output.put(event),
      );
    } catch (error) {
      this.#failure = { error };
    }
    this.#isDone = true;
  }

  #throwFailure(): void {
    if (this.#failure !== null) throw this.#failure.error;
  }
}

/** Events in order, with those who wait for them. */
class Queue<T> {
  readonly #items: T[] = [];
  readonly #waiting: Deferred<T>[] = [];
  #error: Error | null = null;

  get isEmpty(): boolean {
    return this.#items.length === 0;
  }

  put(item: T): void {
    const first = this.#waiting.shift();
    if (first === undefined) this.#items.push(item);
    else first.resolve(item);
  }

  putBack(item: T): void {
    this.#items.unshift(item);
  }

  fail(error: Error): void {
    this.#error = error;
    for (const one of this.#waiting.splice(0)) one.reject(error);
  }

  next(): Promise<T> {
    const item = this.#items.shift();
    const waiting = new Deferred<T>();
    if (item !== undefined) waiting.resolve(item);
    else if (this.#error !== null) waiting.reject(this.#error);
    else this.#waiting.push(waiting);
    return waiting.promise;
  }

  /** The next item; `null` if the time is over or nobody will put one any more. */
  async take(timeoutMs: number, until: Promise<void>): Promise<T | null> {
    const item = this.#items.shift();
    if (item !== undefined) return item;
    const waiting = new Deferred<T | null>();
    this.#waiting.push(waiting as Deferred<T>);
    await within(Promise.race([waiting.promise.then(() => {}), until]), timeoutMs);
    const at = this.#waiting.indexOf(waiting as Deferred<T>);
    if (at === -1) return waiting.promise;
    this.#waiting.splice(at, 1);
    return null;
  }
}

/** Waits for a promise that does not reject, at most for this long. */
async function within(promise: Promise<void>, timeoutMs: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([promise, late]);
  clearTimeout(timer);
}

function noOutput(message: string): GatewayError {
  return new GatewayError("GW_ASGI_NO_OUTPUT", 500, message);
}

function fullScope(scope: PartialScope): Scope {
  if (scope.type === "lifespan") return { asgi: { version: "3.0", spec_version: "2.0" }, state: {}, ...scope };
  const path = scope.path ?? "/";
  const common = {
    asgi: { version: "3.0", spec_version: "2.5" },
    path,
    raw_path: new TextEncoder().encode(encodeURI(path)),
    query_string: new Uint8Array(0),
    root_path: "",
    headers: [],
    client: ["127.0.0.1", 50_000],
    server: ["127.0.0.1", 80],
    state: {},
    extensions: {},
  } as const;
  return scope.type === "http"
    ? { http_version: "1.1", method: "GET", scheme: "http", ...common, ...scope }
    : { http_version: "1.1", scheme: "ws", subprotocols: [], ...common, ...scope };
}
