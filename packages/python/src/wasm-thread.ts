// A thread that the supervisor takes for a process: its port is descriptor 3, its lines go to the log, it can be ended.
import { Duplex } from "node:stream";
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import type { Logger } from "@gw/core";
import type { Child, ChildExit, ChildOptions } from "@gw/core/node";

/** What a thread is started with. */
export interface ThreadOptions extends Pick<ChildOptions, "env" | "log"> {
  /** The thread's own file. */
  readonly script: string;
  /** Directory of the worker's Python files. */
  readonly scripts: string;
  /** `module:attribute` */
  readonly app: string;
  readonly settings: object;
  readonly cwd: string;
  /** Directories with packages. */
  readonly folders: readonly string[];
}

/** What Python takes as Ctrl-C (signal 2). */
const INTERRUPT = 2;
/** So many, so far apart: time for a traceback in between. */
const INTERRUPTS = 5;
const INTERRUPT_EVERY_MS = 1_000;

/** Starts a thread. */
export async function spawnThread({ script, env, log, ...rest }: ThreadOptions): Promise<Child> {
  const { port1, port2 } = new MessageChannel();
  const flag = new SharedArrayBuffer(4);
  const interrupt = new SharedArrayBuffer(1);
  const { scripts, app, settings, cwd, folders } = rest;
  const workerData = { port: port2, flag, interrupt, app, settings, cwd, folders, env, scripts };
  const thread = new Worker(script, { workerData, transferList: [port2], env: { ...env }, execArgv: [] });
  return new ThreadChild(thread, {
    port: port1,
    flag: new Int32Array(flag),
    interrupt: new Uint8Array(interrupt),
    log,
  });
}

interface ThreadParts {
  readonly port: MessagePort;
  readonly flag: Int32Array;
  readonly interrupt: Uint8Array;
  readonly log: Logger;
}

class ThreadChild implements Child {
  readonly pid: number;
  readonly stdin = null;
  readonly stdout = null;
  readonly control: PortDuplex;
  readonly exited: Promise<ChildExit>;
  readonly #thread: Worker;
  readonly #interrupt: Uint8Array;
  #isKilled = false;
  #lastWords = "";

  constructor(thread: Worker, { port, flag, interrupt, log }: ThreadParts) {
    this.pid = thread.threadId;
    this.#thread = thread;
    this.#interrupt = interrupt;
    const lines = log.child({ thread: this.pid });
    this.control = new PortDuplex(port, flag, ({ stream, line }) => {
      if (stream === "stderr") this.#lastWords = line;
      lines.info({ stream }, line);
    });
    thread.on("error", (error) => {
      this.#lastWords = String(error);
      lines.error({ err: error }, "a thread of a Python app failed");
    });
    this.exited = new Promise((done) => {
      thread.once("exit", (code) => {
        this.control.close();
        const signal = this.#isKilled ? "SIGKILL" : null;
        done({ code: signal === null ? code : null, signal, timedOut: false, stderr: this.#lastWords });
      });
    });
  }

  /** TERM means nothing in there: whoever let it finish before has asked it to end. */
  stop(): Promise<ChildExit> {
    this.signal("SIGKILL");
    return this.exited;
  }

  signal(name: NodeJS.Signals): void {
    if (name === "SIGUSR1") this.#interruptUntilEnded();
    else if (!this.#isKilled) {
      this.#isKilled = true;
      void this.#thread.terminate();
    }
  }

  /** An interrupt may come where Python ignores it, in a finalizer for one: it is repeated, and at last nothing is asked. */
  #interruptUntilEnded(): void {
    let timesLeft = INTERRUPTS;
    const interrupt = (): void => {
      if (timesLeft-- > 0) Atomics.store(this.#interrupt, 0, INTERRUPT);
      else this.signal("SIGKILL");
    };
    const again = setInterval(interrupt, INTERRUPT_EVERY_MS);
    void this.exited.then(() => clearInterval(again));
    interrupt();
  }
}

interface Line {
  readonly stream: "stdout" | "stderr";
  readonly line: string;
}

/** Bytes to and from a thread that blocks while it waits: the flag counts what was sent, and wakes it. */
class PortDuplex extends Duplex {
  readonly #port: MessagePort;
  readonly #flag: Int32Array;
  readonly #said: (line: Line) => void;

  constructor(port: MessagePort, flag: Int32Array, said: (line: Line) => void) {
    super();
    this.#port = port;
    this.#flag = flag;
    this.#said = said;
    port.on("message", (message: Uint8Array | Line) => this.#take(message));
    port.on("close", () => this.push(null));
  }

  /** Takes what the thread has sent before it ended, a traceback perhaps: a port forgets what it holds when it is closed. */
  close(): void {
    for (let last = receiveMessageOnPort(this.#port); last !== undefined; last = receiveMessageOnPort(this.#port)) {
      this.#take(last.message as Uint8Array | Line);
    }
    this.#port.close();
  }

  #take(message: Uint8Array | Line): void {
    if (message instanceof Uint8Array) this.push(message);
    else this.#said(message);
  }

  override _read(): void {}

  override _write(chunk: Uint8Array, _encoding: string, done: () => void): void {
    // A copy: what a view looks at would be cloned as a whole.
    const bytes = new Uint8Array(chunk);
    this.#port.postMessage(bytes, [bytes.buffer]);
    this.#wake();
    done();
  }

  override _final(done: () => void): void {
    this.#port.postMessage(null);
    this.#wake();
    done();
  }

  #wake(): void {
    Atomics.add(this.#flag, 0, 1);
    Atomics.notify(this.#flag, 0);
  }
}
