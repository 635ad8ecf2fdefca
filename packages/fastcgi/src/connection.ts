// One connection of a web server: socket ↔ codec ↔ requests.
import type { Socket } from "node:net";
import { GatewayError, type MaybePromise, type ReadVariablesOptions } from "@gw/core";
import { countPassing } from "@gw/core/node";
import { endPiece } from "./answer.ts";
import { ApplicationConnection, type ApplicationEvent } from "./codec/application.ts";
import { RecordType } from "./codec/constants.ts";
import { recordHeader } from "./codec/record.ts";
import type { ConnectionSettings } from "./connection-settings.ts";
import { inputCut } from "./input-queue.ts";
import { OpeningLimit } from "./opening-limit.ts";
import { RecordSocket } from "./record-socket.ts";
import { Responder, type ResponderLink } from "./responder.ts";
import { WriteLimit } from "./write-limit.ts";

/** Unread input of one connection beyond which it is read no further. */
const PAUSE_BYTES = 262_144;
/**
 * Answers that the web server has not read, beyond which we begin nothing more for it. No more than that: input of
 * requests that run is read on, because who sends a long one may read no answer before its end.
 */
const UNREAD_BYTES = 1_048_576;
/** How long a connection with one request waits for its app to read, before the input goes to a file. */
const PATIENCE_MS = 250;

/** A connection that has asked nothing yet gets so many times the grace of one that has. */
const FIRST_REQUEST_FACTOR = 10;

/** Counts what makes a connection active, for all of them: cheaper than the time, and an order too. */
let moments = 0;

/** Serves the requests of one connection. */
export class Connection implements ResponderLink {
  readonly variables: ReadVariablesOptions;
  readonly #socket: Socket;
  readonly #writer: RecordSocket;
  readonly #settings: ConnectionSettings;
  readonly #machine: ApplicationConnection;
  readonly #responders: Map<number, Responder> = new Map();
  readonly #keeps: Map<number, boolean> = new Map();
  readonly #openings: OpeningLimit;
  readonly #writes: WriteLimit;
  /** Where the last end of a request stands in the order of all of them, or the start of the connection. */
  lastActive: number = moments++;
  /** What is to be done when the web server has read its answers. */
  #held: readonly ApplicationEvent[] = [];
  /** Whether what has come together is being looked at: a request that ends meanwhile is not the last one. */
  #isTaking = false;
  #isEndDue = false;
  #isLeaving = false;
  #hasAsked = false;
  #patience: NodeJS.Timeout | undefined;
  #grace: NodeJS.Timeout | undefined;

  /** @param onClosed called when the socket has closed */
  constructor(socket: Socket, settings: ConnectionSettings, onClosed: () => void) {
    this.#socket = socket;
    this.#settings = settings;
    this.variables = settings.variables;
    this.#machine = new ApplicationConnection(settings.codec);
    this.#writer = new RecordSocket(socket);
    this.#openings = new OpeningLimit(settings.headerTimeoutMs, () => this.#openingExpired());
    this.#writes = new WriteLimit(socket, settings.writeTimeoutMs, () => this.#writeExpired());
    socket.on("data", (chunk) => this.#feed(chunk));
    socket.on("end", () => this.#halfClosed());
    socket.on("error", () => {}); // "close" follows and says all there is to do
    socket.on("close", () => {
      this.#closed();
      onClosed();
    });
  }

  /** Requests under way. */
  get running(): number {
    return this.#responders.size;
  }

  /** Whether no request runs, nor waits for the web server to read. */
  get #isDone(): boolean {
    return this.running === 0 && this.#held.length === 0;
  }

  /** Whether no request has begun that is not finished, and the web server has taken all answers. */
  get isIdle(): boolean {
    return this.#machine.activeRequests === 0 && this.#socket.writableLength === 0;
  }

  /** The server stops: the connection ends with its last request. An idle one stays a moment for what is on its way. */
  leave(): void {
    this.#isLeaving = true;
    const { idleGraceMs } = this.#settings;
    // Who has just connected is about to ask, and on a busy machine that takes its time.
    const graceMs = this.#hasAsked ? idleGraceMs : idleGraceMs * FIRST_REQUEST_FACTOR;
    if (this.#isDone) this.#grace = setTimeout(() => this.#endIfIdle(), graceMs);
  }

  /** Called about once a second: who sends or reads too slowly is not waited for. No request sets a timer of its own. */
  check(nowMs: number): void {
    const moment = { nowMs, isPaused: this.#socket.isPaused() };
    for (const responder of this.#responders.values()) responder.checkPace(this.#settings.pace, moment);
    this.#writes.check();
    if (moment.isPaused || this.#socket.readableEnded) this.#probe();
  }

  #writeExpired(): void {
    this.#settings.runtimes.current.log.warn({}, "a FastCGI connection was closed: its peer does not read its answers");
    this.destroy();
  }

  /** What has arrived meanwhile is read before a `setImmediate`, not before a timer: our loop may have stood still. */
  #endIfIdle(): void {
    setImmediate(() => this.#isDone && this.#socket.end());
  }

  /** The server waits no longer. */
  destroy(): void {
    this.#socket.destroy();
  }

  write(pieces: readonly Uint8Array[]): MaybePromise<void> {
    return this.#writer.write(pieces);
  }

  /**
   * Reads on, or waits for the apps. Another request may be behind unread input (R-F4), so the wait has an end: at once
   * if there is another request already, else after a moment, the input goes to a file (docs/decisions/0006).
   */
  inputRead(): void {
    let unread = 0;
    for (const responder of this.#responders.values()) unread += responder.unreadBytes;
    if (unread > PAUSE_BYTES) {
      this.#socket.pause();
      if (this.running > 1) this.#spill();
      else this.#patience ??= setTimeout(() => this.#spill(), PATIENCE_MS);
      return;
    }
    this.#endPatience();
    if (this.#held.length === 0) this.#writer.resume();
  }

  #spill(): void {
    this.#endPatience();
    for (const responder of this.#responders.values()) responder.spill(this.#settings.spill);
  }

  #endPatience(): void {
    clearTimeout(this.#patience);
    this.#patience = undefined;
  }

  finished(requestId: number): void {
    this.#release(requestId);
    this.#machine.finish(requestId);
    this.lastActive = moments++;
    const keeps = this.#keeps.get(requestId) ?? false;
    this.#keeps.delete(requestId);
    const mayEnd = !keeps || this.#isLeaving;
    if (this.#isTaking) this.#isEndDue ||= mayEnd;
    else if (mayEnd && this.#isDone) this.#socket.end();
    else this.inputRead();
  }

  cut(requestId: number, isMeasured: boolean): void {
    if (this.running > 1) {
      // Others share the connection: an exit status that is not 0 is all that is left to say.
      void this.write([endPiece(requestId, 1)]);
      this.finished(requestId);
      return;
    }
    this.#release(requestId);
    if (isMeasured) this.#socket.destroySoon();
    else this.#writer.breakOff();
  }

  #release(requestId: number): void {
    const responder = this.#responders.get(requestId);
    if (responder === undefined) return;
    this.#responders.delete(requestId);
    this.#settings.runtimes.leave(responder.runtime);
  }

  #feed(chunk: Uint8Array): void {
    countPassing(chunk.length);
    let events: readonly ApplicationEvent[];
    try {
      events = this.#machine.feed(chunk);
    } catch (error) {
      this.#settings.runtimes.current.log.warn(
        { err: error },
        "a FastCGI connection was closed: its peer broke the protocol",
      );
      this.#socket.destroy();
      return;
    }
    this.#takeAll(events);
  }

  #takeAll(events: readonly ApplicationEvent[]): void {
    let at = 0;
    this.#isTaking = true;
    for (const event of events) {
      if (this.#socket.writableLength > UNREAD_BYTES && isAnswered(event)) {
        this.#hold(events.slice(at));
        break;
      }
      this.#take(event);
      at++;
    }
    this.#isTaking = false;
    if (this.#isEndDue && this.#isDone) this.#socket.end();
    this.#isEndDue = false;
    this.#openings.watch(this.#machine.oldestOpening);
    this.inputRead();
  }

  #hold(events: readonly ApplicationEvent[]): void {
    this.#held = events;
    this.#socket.pause();
    this.#socket.once("drain", () => {
      this.#held = [];
      this.#takeAll(events);
    });
  }

  /** Running requests are still answered; the connection ends with the last of them. */
  #openingExpired(): void {
    this.#settings.runtimes.current.log.warn({}, "a FastCGI request was dropped: its variables did not come to an end");
    const lateId = this.#machine.oldestOpening?.id;
    if (lateId === undefined || this.running === 0) return this.destroy();
    this.#isLeaving = true;
    this.#machine.finish(lateId);
    void this.write([endPiece(lateId, 1)]);
    this.#openings.watch(this.#machine.oldestOpening);
  }

  #take(event: ApplicationEvent): void {
    switch (event.kind) {
      case "request":
        return this.#open(event.id, event.keepConnection).run(event.params, event.role);
      case "invalid":
        return this.#open(event.id, event.keepConnection).refuse(event.error);
      case "input":
        return this.#responders.get(event.id)?.takeInput(event.bytes);
      case "inputEnd":
        return this.#responders.get(event.id)?.input.end();
      case "data":
        return this.#responders.get(event.id)?.data?.push(event.bytes);
      case "dataEnd":
        return this.#responders.get(event.id)?.data?.end();
      case "abort":
        return this.#responders.get(event.id)?.abort(gone("the web server aborted the request"));
      case "reply":
        return void this.write([event.bytes]);
      case "close":
        if (this.running === 0) this.#socket.end();
    }
  }

  #open(requestId: number, keepConnection: boolean): Responder {
    const responder = new Responder(this, requestId, this.#settings.runtimes.enter());
    this.#hasAsked = true;
    this.#responders.set(requestId, responder);
    this.#keeps.set(requestId, keepConnection);
    return responder;
  }

  /** A web server that has sent everything may close its side; it still gets its answers (R-F2). */
  #halfClosed(): void {
    for (const responder of this.#responders.values()) responder.failInput(inputCut());
    if (this.running === 0) return void this.#socket.end();
    this.#isLeaving = true;
    this.#probe();
  }

  /**
   * Half closed and closed look the same to us, and of one that is not read nothing is seen. An empty FCGI_STDERR means
   * nothing to who still reads, and fails on who does not: then the apps learn that nobody waits (R-F21). Over TCP it is
   * the second one that fails.
   */
  #probe(): void {
    const [requestId] = this.#responders.keys();
    if (requestId === undefined || this.#socket.writableLength > 0) return;
    void this.write([recordHeader(RecordType.stderr, requestId, 0)]);
  }

  #closed(): void {
    this.#endPatience();
    clearTimeout(this.#grace);
    this.#openings.watch(null);
    for (const responder of this.#responders.values()) responder.abort(gone("the web server closed the connection"));
  }
}

/** Whether it may make us write at once. */
const isAnswered = ({ kind }: ApplicationEvent): boolean => ["request", "invalid", "reply"].includes(kind);

function gone(message: string): GatewayError {
  return new GatewayError("GW_FCGI_GONE", 499, message);
}
