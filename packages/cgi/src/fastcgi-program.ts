// One program behind a FastCGI server: a connection of its own, records in both directions.
import { connect, type Socket } from "node:net";
import { Readable, Writable } from "node:stream";
import type { Address } from "@gw/core";
import { LineLog } from "@gw/core/node";
import {
  type ProtocolStatus,
  RecordType,
  RequesterConnection,
  streamRecords,
  writeAbortRequest,
  writeBeginRequest,
  writeParams,
  writeRecord,
} from "@gw/fastcgi/codec";
import { startError } from "./launch-error.ts";
import type { LaunchSpec, ProgramExit, RunningProgram } from "./launcher.ts";

const unknownExit: ProgramExit = { code: null, signal: null };
const NOTHING: Uint8Array = new Uint8Array(0);

/** A program behind a FastCGI server. */
export class FastcgiProgram implements RunningProgram {
  readonly input: Writable | null;
  readonly output: Readable;
  readonly exited: Promise<ProgramExit>;
  readonly #socket: Socket;
  readonly #machine: RequesterConnection = new RequesterConnection();
  readonly #id: number;
  readonly #errors: LineLog;
  readonly #program: string;
  #isClosed = false;
  #settle: (exit: ProgramExit) => void = () => {};

  /** @throws Error of the system if nobody listens at the address. */
  static async start(spec: LaunchSpec, address: Address): Promise<FastcgiProgram> {
    const socket = connect("path" in address ? { path: address.path } : { ...address, noDelay: true });
    await new Promise<void>((done, fail) => socket.once("connect", done).once("error", fail));
    return new FastcgiProgram(socket, spec);
  }

  private constructor(socket: Socket, { command, environment, hasInput, log }: LaunchSpec) {
    this.#socket = socket;
    this.#program = command[0];
    this.#id = this.#machine.begin();
    this.exited = new Promise((settle) => {
      this.#settle = settle;
    });
    this.#errors = new LineLog({
      write: (line) => log.warn({ stream: "stderr" }, line),
      dropped: (dropped) => log.warn({ stream: "stderr", dropped }, "output of a program was dropped: too many lines"),
    });
    this.output = new Readable({
      read: () => void socket.resume(),
      destroy: (error, done) => {
        this.#close();
        done(error);
      },
    });
    this.input = hasInput ? this.#inputStream() : null;
    socket.on("data", (chunk: Uint8Array) => this.#feed(chunk));
    socket.on("error", () => this.#close());
    socket.on("close", () => this.#close());
    socket.write(writeBeginRequest(this.#id, "responder", false));
    for (const piece of streamRecords(RecordType.params, this.#id, writeParams(Object.entries(environment)))) {
      socket.write(piece);
    }
    socket.write(writeRecord(RecordType.params, this.#id, NOTHING));
    if (!hasInput) socket.write(writeRecord(RecordType.stdin, this.#id, NOTHING));
  }

  /** Asks the server to end it, and leaves: what runs on there is out of our reach. */
  stop(): void {
    if (!this.#socket.destroyed) this.#socket.end(writeAbortRequest(this.#id));
    this.#close();
  }

  #inputStream(): Writable {
    const send = (pieces: readonly Uint8Array[], done: (error?: Error | null) => void): void => {
      if (this.#socket.destroyed) return done();
      this.#socket.cork();
      for (const piece of pieces.slice(0, -1)) this.#socket.write(piece);
      // Its callback is called once the system has taken the bytes: that is the program's pace.
      this.#socket.write(pieces.at(-1) ?? NOTHING, () => done());
      this.#socket.uncork();
    };
    const stream = new Writable({
      write: (chunk: Uint8Array, _, done) => send(streamRecords(RecordType.stdin, this.#id, chunk), done),
      final: (done) => send([writeRecord(RecordType.stdin, this.#id, NOTHING)], done),
    });
    return stream.on("error", () => {});
  }

  #feed(chunk: Uint8Array): void {
    for (const event of this.#machine.feed(chunk)) {
      if (event.kind === "output" && !this.output.push(event.bytes)) this.#socket.pause();
      else if (event.kind === "error") this.#errors.feed(event.bytes);
      else if (event.kind === "end") this.#ended(event);
    }
    if (this.#machine.failure !== null) this.#close();
  }

  #ended({ appStatus, protocolStatus }: { appStatus: number; protocolStatus: ProtocolStatus | null }): void {
    if (protocolStatus === "complete") this.#settle({ code: appStatus, signal: null });
    else this.#settle({ ...unknownExit, error: startError(this.#program, "EAGAIN") });
    this.#close();
  }

  /** Nothing more comes. Without news of its end the exit stays unknown: an answer of unknown length is then cut. */
  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#settle(unknownExit);
    this.#socket.destroy();
    this.#errors.end();
    this.input?.destroy();
    if (!this.output.destroyed) this.output.push(null);
  }
}
