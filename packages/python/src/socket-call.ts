// One WebSocket in a worker: its opening is a request, then messages go both ways.
import {
  type Answer,
  type GatewayError,
  HeaderList,
  type HttpResponse,
  isPromise,
  type WebSocketPeer,
  type WebSocketRequest,
} from "@gw/core";
import { AnswerCall, type RequestEncoder } from "./answer-call.ts";
import { MESSAGE_COST_BYTES, TO_PYTHON, WINDOW_BYTES } from "./codec/frames.ts";
import { appError } from "./errors.ts";

const NOTHING: Uint8Array = new Uint8Array(0);
/** The gateway or the app is being restarted (RFC 6455 §7.4.1, IANA registry). */
const SERVICE_RESTART = 1012;

/** One socket; its answer is `null` when the worker has no room for it, and the app has not seen it. */
export class SocketCall extends AnswerCall<WebSocketRequest, Answer | null> {
  #peer: WebSocketPeer | null = null;
  /** Messages that the client's buffer has no room for yet. */
  readonly #outgoing: (string | Uint8Array)[] = [];
  #isSending = false;
  #closing: { readonly code: number; readonly reason: string } | null = null;
  /** Bytes of messages, and what each costs, that the client has taken, and the app was not told of. */
  #sentBytes = 0;
  /** The same of messages that the app has not taken yet. */
  #untaken = 0;
  #room: (() => void) | null = null;
  #ended: { resolve(): void; reject(error: unknown): void } | null = null;
  #earlyEnd: { readonly error: unknown } | null = null;
  #isAccepted = false;

  /** Sends the opening. */
  start(encoder: RequestEncoder<WebSocketRequest>): void {
    this.begin(TO_PYTHON.SOCKET, encoder.size, (marshal) => encoder.write(marshal, this.request, NOTHING, false));
  }

  /** How long the worker has owed an answer to the opening, milliseconds. */
  overdueMs(now: number): number {
    return this.isHeadDue ? now - this.startedAt : 0;
  }

  /** Ends the conversation because the worker is about to end. */
  goAway(): void {
    void this.#peer?.close(SERVICE_RESTART, "");
  }

  override accept(subprotocol: string | null, flat: string[]): void {
    if (this.isSettled) return;
    if (subprotocol !== null && !this.request.subprotocols.includes(subprotocol)) {
      return this.abandon(appError(`it accepted the subprotocol ${JSON.stringify(subprotocol)}, which nobody offers`));
    }
    this.#isAccepted = true;
    this.link.becomeSocket(this.id);
    this.settle({
      kind: "accept",
      subprotocol,
      headers: HeaderList.fromWire(flat),
      run: (peer) => this.#run(peer),
      close: () => {
        if (this.#peer === null) this.#left(1006, "");
      },
    });
  }

  override busy(): void {
    this.finish();
    this.settle(null);
  }

  override message(message: string | Uint8Array): void {
    // A batch's bytes are a view; they stay untouched for as long as somebody holds them.
    this.#outgoing.push(message);
    this.#send();
  }

  override close(code: number, reason: string): void {
    this.#closing = { code, reason };
    this.#send();
  }

  override credit(bytes: number): void {
    this.#untaken -= bytes;
    this.#room?.();
  }

  override fail(message: string): void {
    if (!this.#isAccepted) return super.fail(message);
    this.#end(appError(message));
  }

  override lost(error: GatewayError): void {
    if (!this.#isAccepted) return super.lost(error);
    this.#end(error);
  }

  protected override asAnswer(response: HttpResponse): Answer {
    return response;
  }

  protected override leave(): void {
    if (!this.#isAccepted) super.leave();
    // Once it is open, `closed` has the code, and settles just after `signal` has fired.
    else if (this.#peer === null) this.#left(1006, "");
  }

  async #run(peer: WebSocketPeer): Promise<void> {
    this.#peer = peer;
    const ended = new Promise<void>((resolve, reject) => {
      this.#ended = { resolve, reject };
    });
    ended.catch(() => {});
    if (this.#earlyEnd !== null) throw this.#earlyEnd.error;
    void peer.closed.then(({ code, reason }) => this.#left(code, reason));
    this.#send();
    void this.#receive(peer);
    await ended;
  }

  async #receive(peer: WebSocketPeer): Promise<void> {
    try {
      for await (const { bytes, isText } of peer) {
        if (this.isOver) return;
        this.link.message(this.id, bytes, isText);
        this.#untaken += bytes.length + MESSAGE_COST_BYTES;
        if (this.#untaken > WINDOW_BYTES) await this.#hasRoom();
      }
    } catch (error) {
      this.#end(error);
    }
  }

  #hasRoom(): Promise<void> {
    return new Promise((done) => {
      this.#room = (): void => {
        if (this.#untaken > WINDOW_BYTES / 2 && !this.isOver) return;
        this.#room = null;
        done();
      };
    });
  }

  /** Sends what waits, as long as the client takes it at once. */
  #send(): void {
    const peer = this.#peer;
    if (peer === null || this.#isSending) return;
    for (let message = this.#outgoing.shift(); message !== undefined; message = this.#outgoing.shift()) {
      const bytes = Buffer.byteLength(message) + MESSAGE_COST_BYTES;
      const sent = peer.send(message);
      if (isPromise(sent)) return this.#sendLater(sent, bytes);
      this.#sent(bytes);
    }
    const closing = this.#closing;
    if (closing === null) return;
    this.#closing = null;
    void peer.close(closing.code, closing.reason).catch((error: unknown) => this.#end(error));
  }

  #sendLater(sending: Promise<void>, bytes: number): void {
    this.#isSending = true;
    sending.then(
      () => {
        this.#isSending = false;
        this.#sent(bytes);
        this.#send();
      },
      (error: unknown) => this.#end(error),
    );
  }

  #sent(bytes: number): void {
    this.#sentBytes += bytes;
    if (this.#sentBytes < WINDOW_BYTES / 4 || this.isOver) return;
    this.link.credit(this.id, this.#sentBytes);
    this.#sentBytes = 0;
  }

  #left(code: number, reason: string): void {
    if (!this.isOver) this.link.closed(this.id, code, reason);
    this.finish();
    this.#room?.();
    this.#ended?.resolve();
  }

  /** The conversation ends with an error: the carrier closes it with 1011. */
  #end(error: unknown): void {
    if (!this.isOver) this.link.closed(this.id, 1006, "");
    this.finish();
    this.#room?.();
    this.#earlyEnd = { error };
    this.#ended?.reject(error);
  }
}
