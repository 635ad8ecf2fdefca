// Lifespan: the app's start and stop (ASGI lifespan protocol 2.0).
import { type AppContext, GatewayError } from "@gw/core";
import type { AsgiApp } from "./app.ts";
import { Deferred } from "./deferred.ts";
import { eventError, orderError, rejected } from "./errors.ts";
import type { LifespanShutdownEvent, LifespanStartupEvent, SendEvent } from "./events.ts";

/** Whether the app is told of start and stop: `auto` goes on without for an app that throws, `on` requires it. */
export type LifespanMode = "auto" | "on" | "off";

type Stage = "starting" | "running" | "stopping" | "over";

/** One life of an app: from `start` to `stop`. */
export class Lifespan {
  /** The namespace the app fills while it starts. */
  readonly state: Record<string, unknown> = {};
  readonly #app: AsgiApp;
  readonly #context: AppContext;
  readonly #mode: LifespanMode;
  #stage: Stage = "starting";
  /** What `receive` has given, out of startup and shutdown. */
  #received = 0;
  readonly #started: Deferred<void> = new Deferred();
  readonly #shutdown: Deferred<void> = new Deferred();
  readonly #stopped: Deferred<void> = new Deferred();

  constructor(app: AsgiApp, context: AppContext, mode: LifespanMode) {
    this.#app = app;
    this.#context = context;
    this.#mode = mode;
  }

  /**
   * Runs the startup, at most for the given time.
   *
   * @throws GatewayError `GW_ASGI_LIFESPAN` if the app says it failed, takes too long, or (mode `on`) does not take part
   */
  async start(timeoutMs: number): Promise<void> {
    if (this.#mode === "off") return;
    this.#run();
    await withinTime(this.#started.promise, timeoutMs, () =>
      lifespanError(`no lifespan.startup.complete after ${timeoutMs} ms`),
    );
  }

  /**
   * Runs the shutdown; at the deadline it is waited for no longer.
   *
   * @throws GatewayError `GW_ASGI_LIFESPAN` if the app says it failed
   */
  async stop(deadline: AbortSignal): Promise<void> {
    if (this.#stage !== "running") return;
    this.#stage = "stopping";
    this.#shutdown.resolve();
    const onDeadline = (): void =>
      this.#stopped.reject(lifespanError("no lifespan.shutdown.complete before the deadline"));
    if (deadline.aborted) onDeadline();
    else deadline.addEventListener("abort", onDeadline, { once: true });
    try {
      await this.#stopped.promise;
    } finally {
      deadline.removeEventListener("abort", onDeadline);
    }
  }

  async #run(): Promise<void> {
    const scope = { type: "lifespan", asgi: { version: "3.0", spec_version: "2.0" }, state: this.state } as const;
    try {
      await this.#app(
        scope,
        () => this.#receive(),
        (event) => this.#send(event),
      );
      this.#ended(null);
    } catch (error) {
      this.#ended({ error });
    }
  }

  #receive(): Promise<LifespanStartupEvent | LifespanShutdownEvent> {
    this.#received++;
    if (this.#received === 1) return Promise.resolve({ type: "lifespan.startup" });
    if (this.#received === 2) return this.#shutdown.promise.then(() => ({ type: "lifespan.shutdown" }));
    // Nothing follows: an app that asks again waits until it is let go.
    return new Promise(() => {});
  }

  #send(event: SendEvent): Promise<void> {
    switch (event.type) {
      case "lifespan.startup.complete":
        if (this.#stage !== "starting") return rejected(orderError(event.type, "after the startup"));
        this.#stage = "running";
        this.#started.resolve();
        return Promise.resolve();
      case "lifespan.startup.failed":
        if (this.#stage !== "starting") return rejected(orderError(event.type, "after the startup"));
        this.#stage = "over";
        this.#started.reject(lifespanError(`the app failed to start: ${event.message ?? ""}`));
        return Promise.resolve();
      case "lifespan.shutdown.complete":
        if (this.#stage !== "stopping") return rejected(orderError(event.type, "before lifespan.shutdown"));
        this.#stage = "over";
        this.#stopped.resolve();
        return Promise.resolve();
      case "lifespan.shutdown.failed":
        if (this.#stage !== "stopping") return rejected(orderError(event.type, "before lifespan.shutdown"));
        this.#stage = "over";
        this.#stopped.reject(lifespanError(`the app failed to shut down: ${event.message ?? ""}`));
        return Promise.resolve();
      default:
        return rejected(
          eventError(String((event as { type?: unknown } | null)?.type), "not an event of a lifespan scope"),
        );
    }
  }

  /** The app's call has ended: before the startup was complete, that means it takes no part. */
  #ended(failure: { error: unknown } | null): void {
    const stage = this.#stage;
    this.#stage = "over";
    if (stage === "starting") this.#tookNoPart(failure);
    else if (failure !== null) this.#context.log.error({ err: failure.error }, "an ASGI app threw in its lifespan");
    this.#stopped.resolve();
  }

  #tookNoPart(failure: { error: unknown } | null): void {
    if (this.#mode === "auto") {
      this.#context.log.debug({ err: failure?.error }, "the ASGI app takes no part in the lifespan protocol");
      this.#started.resolve();
      return;
    }
    this.#started.reject(lifespanError("the app does not take part in the lifespan protocol", failure?.error));
  }
}

function lifespanError(message: string, cause?: unknown): GatewayError {
  return new GatewayError("GW_ASGI_LIFESPAN", 500, message, cause === undefined ? {} : { cause });
}

async function withinTime(promise: Promise<void>, timeoutMs: number, late: () => Error): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), timeoutMs);
  });
  try {
    await Promise.race([promise, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
