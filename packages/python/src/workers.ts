// The workers of one Python app: started, kept, asked, replaced, stopped.
import {
  type Answer,
  type Backend,
  type Description,
  type GatewayError,
  type HttpRequest,
  type HttpResponse,
  isGatewayError,
  type Logger,
  type RequestHead,
  type Status,
  silentLogger,
  type WebSocketRequest,
} from "@gw/core";
import type { AttachedProcess } from "@gw/core/node";
import type { RequestEncoder } from "./answer-call.ts";
import { PROTOCOL } from "./codec/frames.ts";
import { type WorkerCommand, workerCommand } from "./command.ts";
import { describeWorkers, statusOfWorkers } from "./describe.ts";
import { appDown, tooManySockets } from "./errors.ts";
import { HttpCall } from "./http-call.ts";
import { checkOptions, type PythonInterface, type PythonOptions } from "./options.ts";
import { workerForRequest, workerForSocket } from "./pick.ts";
import { WaitingLine } from "./queue.ts";
import { isShort, readShort } from "./request-body.ts";
import { capacityOf, MAX_SOCKETS } from "./sizing.ts";
import { SocketCall } from "./socket-call.ts";
import { fitMemory, isShared, type PythonContext, startBackend } from "./start-backend.ts";
import { FileWatch } from "./watch.ts";
import { Worker } from "./worker.ts";

/** Python workers behind an app's `start`, `stop`, `reload`, `status` and `describe`. */
export class PythonWorkers {
  readonly #app: string;
  readonly #kind: PythonInterface;
  readonly #options: PythonOptions;
  readonly #workers = new Map<number, Worker>();
  readonly #line: WaitingLine<Worker>;
  readonly #capacity: number;
  readonly #timeoutMs: number;
  #log: Logger = silentLogger;
  #backend: Backend | null = null;
  #command: WorkerCommand | null = null;
  #startError: GatewayError | null = null;
  #watch: FileWatch | null = null;
  #clock: NodeJS.Timeout | null = null;
  #isStopped = false;
  /** Whether another process runs the workers, for several gateway processes. */
  #isShared = false;
  /** Whether the last attempt to load the app failed; a worker that dies later is only a pause. */
  #isBroken = false;

  /** @throws GatewayError `GW_PYTHON_OPTION` */
  constructor(app: string, kind: PythonInterface, options: PythonOptions = {}) {
    checkOptions(app, options);
    const { maxQueued = 1_000, timeoutMs = 60_000 } = options;
    this.#app = app;
    this.#kind = kind;
    this.#options = options;
    this.#line = new WaitingLine(maxQueued);
    this.#capacity = capacityOf(kind, options);
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Starts the workers and waits until the first one is ready, or has failed: then requests are answered 503, the
   * rest of the gateway lives, and it is tried again.
   */
  async start(context: PythonContext): Promise<void> {
    this.#log = context.log.child({ python: this.#app });
    this.#isStopped = false;
    this.#startError = null;
    try {
      this.#command = await this.#commandOf(context);
    } catch (error) {
      if (!isGatewayError(error)) throw error;
      this.#startError = error;
      this.#log.error({ err: error }, "no interpreter for a Python app");
      return;
    }
    const { interpreter, spec } = this.#command;
    this.#log.info({ interpreter: interpreter.path, version: interpreter.version, from: interpreter.from }, "Python");
    if (this.#options.reload === true) this.#watch = new FileWatch((path) => this.#fileChanged(path));
    this.#backend = await startBackend(this.#command, context, {
      isShared: this.#isShared,
      attach: (process) => this.#attach(process),
      detach: (pid) => this.#workers.get(pid)?.drain(spec.stopTimeoutMs ?? 0),
      changed: () => this.#changed(),
    });
    if (this.#timeoutMs > 0) {
      this.#clock = setInterval(() => this.#expire(), Math.min(1_000, Math.max(20, this.#timeoutMs / 5)));
      this.#clock.unref();
    }
    await this.#backend.ready.catch(() => {}); // why is in the log and the status
  }

  /** Stops them when they have finished what is under way; at the deadline they are killed. */
  async stop(deadline?: AbortSignal): Promise<void> {
    this.#isStopped = true;
    this.#watch?.close();
    this.#line.refuseAll(this.#down());
    const kill = (): void => {
      for (const worker of this.#workers.values()) worker.kill();
    };
    if (deadline?.aborted === true) kill();
    deadline?.addEventListener("abort", kill, { once: true });
    // Those that others use, too, only lose their connection to us.
    if (this.#isShared) await Promise.all([...this.#workers.values()].map((worker) => this.#leave(worker)));
    await this.#backend?.stop();
    deadline?.removeEventListener("abort", kill);
    if (this.#clock !== null) clearInterval(this.#clock);
  }

  /**
   * Replaces every worker by one that has loaded the app anew; no request is dropped.
   *
   * @throws GatewayError `GW_BACKEND_FAILED` when a new one does not get ready; the old ones stay
   */
  async reload(): Promise<void> {
    await this.#backend?.roll();
  }

  /** Answers a request. */
  async request(request: HttpRequest, encoder: RequestEncoder<HttpRequest>): Promise<HttpResponse> {
    const short = request.body.length === 0 ? NOTHING : isShort(request.body) ? await readShort(request.body) : null;
    const worker = workerForRequest(this.#workers.values()) ?? (await this.#wait(request));
    const call = new HttpCall(request, worker.link);
    call.start(encoder, short);
    this.#count(worker);
    return call.answer;
  }

  /** Answers a socket's opening. */
  async socket(request: WebSocketRequest, encoder: RequestEncoder<WebSocketRequest>): Promise<Answer> {
    const full = new Set<Worker>();
    for (;;) {
      const workers = [...this.#workers.values()].filter((worker) => !full.has(worker));
      if (workers.length === 0 && full.size > 0) throw tooManySockets();
      const worker = workerForSocket(workers) ?? (await this.#wait(request));
      if (!worker.hasSocketRoom || full.has(worker)) throw tooManySockets();
      const call = new SocketCall(request, worker.link);
      call.start(encoder);
      this.#count(worker);
      const answer = await call.answer;
      if (answer !== null) return answer;
      full.add(worker); // other gateway processes have filled it
    }
  }

  describe(): Description {
    return describeWorkers(this.#app, this.#kind, this.#options);
  }

  status(): Status {
    const { size } = this.#workers;
    const facts = { workers: size, active: sum(this.#workers.values()), queued: this.#line.length };
    return statusOfWorkers(this.#app, { backend: this.#backend, startError: this.#startError, facts });
  }

  async #commandOf(context: PythonContext): Promise<WorkerCommand> {
    if (this.#options.engine !== "wasm") {
      this.#isShared = isShared(this.#options, context);
      const { hasSiblings = false } = context;
      return workerCommand(this.#app, this.#kind, this.#options, { hasSiblings, isShared: this.#isShared });
    }
    // Only who wants it pays for it.
    const { wasmCommand } = await import("./wasm-command.ts");
    return wasmCommand(this.#app, this.#options);
  }

  async #wait(request: RequestHead): Promise<Worker> {
    if (this.#isStopped || this.#startError !== null || this.#hasFailed()) throw this.#down();
    return this.#line.wait(this.#options.queueTimeoutMs ?? 30_000, request);
  }

  #hasFailed(): boolean {
    const state = this.#backend?.state;
    return state === "stopped" || (state === "failed" && (this.#isBroken || this.#isToldBroken()));
  }

  /** Shared workers tell their own supervisor what is wrong, and it tells us. */
  #isToldBroken(): boolean {
    return (
      this.#isShared &&
      /the app(?: could not be imported|'s factory failed|'s startup failed)/.test(this.#backend?.lastError ?? "")
    );
  }

  async #leave(worker: Worker): Promise<void> {
    const stopTimeoutMs = this.#command?.spec.stopTimeoutMs ?? 0;
    const late = setTimeout(() => worker.kill(), stopTimeoutMs);
    await worker.drain(stopTimeoutMs);
    clearTimeout(late);
  }

  #down(): GatewayError {
    const why = this.#startError?.message ?? this.#backend?.lastError ?? "it is not running";
    return appDown(this.#app, why);
  }

  async #attach(process: AttachedProcess): Promise<void> {
    const worker = new Worker(process, {
      log: this.#log,
      capacity: this.#capacity,
      maxSockets: this.#options.maxSockets ?? MAX_SOCKETS,
      isGuest: this.#isShared || this.#options.engine === "wasm",
      files: (paths) => this.#watch?.add(paths, worker.startedAt),
      free: () => this.#free(worker),
    });
    const facts = await worker.started.catch((error: unknown) => {
      this.#isBroken = !this.#isShared; // a connection that fails says nothing of the app
      throw error;
    });
    if (facts.protocol !== PROTOCOL) throw new Error(`it speaks protocol ${facts.protocol}, not ${PROTOCOL}`);
    this.#isBroken = false;
    this.#log.info({ pid: process.pid, ...facts }, "a Python worker has loaded the app");
    const wanted = this.#command?.spec.processes ?? 1;
    if (this.#workers.size === 0 && wanted > 1 && this.#options.workers === undefined && this.#backend !== null)
      fitMemory(this.#backend, wanted, process.pid, this.#log);
    this.#workers.set(process.pid, worker);
    void process.exited.then(() => {
      this.#workers.delete(process.pid);
    });
    this.#free(worker);
  }

  #count(worker: Worker): void {
    const { maxRequests = 0 } = this.#options;
    worker.served++;
    // Spread, so that workers that started together do not end together.
    const limit = maxRequests + ((worker.pid % 11) * maxRequests) / 100;
    if (maxRequests === 0 || worker.served < limit || !worker.isOpen || worker.isRetiring) return;
    worker.isRetiring = true;
    void this.#replace(worker, `it has served ${worker.served} requests`);
  }

  #free(worker: Worker): void {
    while (this.#line.length > 0 && worker.hasRoom) {
      const { load } = worker;
      this.#line.serve(worker);
      // Whoever was served begins in a microtask: one at a time.
      if (worker.load === load) return queueMicrotask(() => queueMicrotask(() => this.#free(worker)));
    }
  }

  #changed(): void {
    if (this.#hasFailed()) this.#line.refuseAll(this.#down());
  }

  #expire(): void {
    for (const worker of this.#workers.values()) {
      if (worker.isHung) worker.expire(this.#timeoutMs);
      else if (worker.expire(this.#timeoutMs)) void this.#examine(worker);
    }
  }

  /** A request has passed its deadline: a thread hangs, or the whole loop does, or the app is only slow. */
  async #examine(worker: Worker): Promise<void> {
    if (worker.isRetiring || (this.#kind === "asgi" && (await worker.answers()))) return;
    worker.isRetiring = true;
    worker.giveUp();
    this.#log.error(
      { pid: worker.pid, timeoutMs: this.#timeoutMs },
      "a Python worker hangs: its stacks follow, it is replaced",
    );
    await this.#replace(worker, "it hangs");
  }

  async #replace(worker: Worker, why: string): Promise<void> {
    this.#log.info({ pid: worker.pid }, `a Python worker is replaced: ${why}`);
    try {
      await this.#backend?.recycle(worker.pid);
    } catch (error) {
      worker.isRetiring = false;
      this.#log.error({ err: error, pid: worker.pid }, "a Python worker could not be replaced");
    }
  }

  #fileChanged(path: string): void {
    this.#log.info({ path }, "a file of the app has changed: the workers are replaced");
    // What goes wrong is in the log and the status; the old workers stay.
    this.reload().catch(() => {});
  }
}

const NOTHING: Uint8Array = new Uint8Array(0);

function sum(workers: Iterable<Worker>): number {
  let load = 0;
  for (const worker of workers) load += worker.load;
  return load;
}
