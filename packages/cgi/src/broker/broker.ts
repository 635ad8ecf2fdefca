// One spawn broker: its process, its control channel, the programs it runs for us.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { withoutInherited } from "@gw/core/node";
import { startError } from "../launch-error.ts";
import type { LaunchSpec } from "../launcher.ts";
import { BrokerProgram } from "./broker-program.ts";
import { BrokerDecoder, type BrokerEvent, inputHead, launchHead } from "./protocol.ts";

/** Inputs of `Broker.open`. */
export interface BrokerOptions {
  /** The broker's command; the directory for its socket is added. It gets the control channel as descriptor 3. */
  command: readonly [program: string, ...args: readonly string[]];
  /** Whether it tells the process id of every program. @default false */
  tellsStart?: boolean;
  /** Called when its process was started again inside, and when all of it is gone. */
  onTrouble(isGone: boolean): void;
  /** For its first sign of life, milliseconds. @default 5_000 */
  readyTimeoutMs?: number;
}

/** While a broker is started again it takes no connections: this often and long we try. */
const CONNECT_TRIES = 200;
const CONNECT_PAUSE_MS = 50;
const NOT_THERE: ReadonlySet<string> = new Set(["ECONNREFUSED", "ENOENT", "EAGAIN"]);

/** A process that starts programs for us. Ends with us, and its programs with it. */
export class Broker {
  readonly #process: ChildProcess;
  readonly #control: Socket;
  readonly #directory: string;
  readonly #onTrouble: (isGone: boolean) => void;
  readonly #tellsStart: boolean;
  readonly #programs: Map<number, BrokerProgram> = new Map();
  readonly #decoder: BrokerDecoder = new BrokerDecoder();
  /** Name of its socket. One that is started again may have another: so nobody reaches it before we know of its start. */
  #socket = "";
  #nextId = 1;
  /** Settles when it takes connections. */
  #ready: Promise<void>;
  #settleReady: (error: Error | null) => void = () => {};
  #isClosed = false;

  /**
   * Starts a broker and waits until it takes programs.
   *
   * @throws Error if it cannot be started or does not get ready.
   */
  static async open(options: BrokerOptions): Promise<Broker> {
    const broker = new Broker(options);
    const { readyTimeoutMs = 5_000 } = options;
    const late = setTimeout(() => broker.#settleReady(new Error("it did not get ready in time")), readyTimeoutMs);
    try {
      await broker.#ready;
      return broker;
    } catch (error) {
      broker.close();
      throw error;
    } finally {
      clearTimeout(late);
    }
  }

  private constructor({ command: [program, ...args], tellsStart = false, onTrouble }: BrokerOptions) {
    this.#onTrouble = onTrouble;
    this.#tellsStart = tellsStart;
    this.#ready = this.#waitUntilReady();
    this.#directory = mkdtempSync(join(tmpdir(), "gw-cgi-")); // 0700: nobody else may connect
    this.#process = spawn(program, [...args, this.#directory], {
      // A group of its own: what a terminal sends to ours must not end programs that may finish.
      detached: true,
      env: { PATH: "/usr/local/bin:/usr/bin:/bin", NODE_V8_COVERAGE: undefined },
      stdio: withoutInherited(["ignore", "ignore", 2, "pipe"]),
    });
    this.#control = this.#process.stdio[3] as Socket;
    this.#process.on("error", (error) => this.#settleReady(error));
    this.#process.unref();
    this.#control.on("data", (chunk: Uint8Array) => {
      for (const event of this.#decoder.feed(chunk)) this.#handle(event);
    });
    this.#control.on("error", () => {});
    this.#control.on("close", () => this.#lost());
    this.#control.unref();
  }

  /** Whether programs run, or are about to. */
  get isBusy(): boolean {
    return this.#programs.size > 0;
  }

  /** Starts a program. What goes wrong after this is told by the program's exit. */
  async launch(spec: LaunchSpec): Promise<BrokerProgram> {
    const id = this.#nextId++;
    const head = launchHead(id, spec);
    await this.#ready.catch((error: unknown) => {
      throw startError(spec.command[0], "the spawn broker ended", error);
    });
    const input = spec.hasInput ? await this.#connect(spec) : null;
    const output = await this.#connect(spec).catch((error: unknown) => {
      input?.destroy();
      throw error;
    });
    const program = new BrokerProgram(
      { id, spec, output, input, tellsStart: this.#tellsStart },
      { tell: (line) => this.#tell(line), forget: (gone) => this.#forget(gone) },
    );
    this.#programs.set(id, program);
    this.#control.ref();
    input?.write(inputHead(id), "latin1");
    output.write(head, "latin1");
    if (this.#isClosed) program.lost();
    // Before its process id is known nothing of it may be seen: nobody could end it if this broker died.
    await program.isKnown;
    return program;
  }

  /** Ends the broker, and programs that still run. */
  close(): void {
    this.#isClosed = true;
    this.#control.destroy();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #connect(spec: LaunchSpec): Promise<Socket> {
    for (let tries = 1; ; tries++) {
      try {
        return await opened(connect({ path: join(this.#directory, this.#socket), allowHalfOpen: true }));
      } catch (error) {
        const { code = "" } = error as NodeJS.ErrnoException;
        if (this.#isClosed || !NOT_THERE.has(code) || tries === CONNECT_TRIES) {
          throw startError(spec.command[0], code === "EMFILE" ? code : "the spawn broker takes no connections", error);
        }
        await delay(CONNECT_PAUSE_MS);
      }
    }
  }

  #handle(event: BrokerEvent): void {
    if (event.kind === "ready") return this.#isReady(event.socket);
    if (event.kind === "lost") return this.#restarting();
    const program = this.#programs.get(event.id);
    if (program === undefined) return;
    if (event.kind === "ended") program.ended(event.exit, event);
    else if (event.kind === "errors") program.errors(event.bytes);
    else if (event.kind === "errors-closed") program.errorsClosed();
    else if (event.kind === "lives") program.lives();
    else if (event.kind === "started") program.started(event.pid);
    else program.failed(event.reason);
  }

  #waitUntilReady(): Promise<void> {
    const ready = new Promise<void>((done, fail) => {
      this.#settleReady = (error) => (error === null ? done() : fail(error));
    });
    ready.catch(() => {}); // whoever waits for it hears of it
    return ready;
  }

  #isReady(socket: string): void {
    this.#socket = socket;
    this.#settleReady(null);
    // What was said to the one before may have died with it.
    for (const program of [...this.#programs.values()]) program.brokerIsBack();
  }

  /** Its parent starts it again. */
  #restarting(): void {
    this.#ready = this.#waitUntilReady();
    for (const program of [...this.#programs.values()]) program.orphaned();
    this.#onTrouble(false);
  }

  #lost(): void {
    this.#settleReady(new Error("it ended at once"));
    const wasClosed = this.#isClosed;
    this.close();
    for (const program of [...this.#programs.values()]) program.lost();
    if (!wasClosed) this.#onTrouble(true);
  }

  #tell(line: string): void {
    if (!this.#isClosed) this.#control.write(line);
  }

  #forget(id: number): void {
    this.#programs.delete(id);
    if (this.#programs.size === 0) this.#control.unref();
  }
}

function opened(socket: Socket): Promise<Socket> {
  return new Promise((done, fail) => {
    socket.once("error", fail);
    socket.once("connect", () => {
      socket.off("error", fail);
      done(socket);
    });
  });
}
