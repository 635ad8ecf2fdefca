// One request to an upstream over one connection: body up, answer down, both at the pace of who reads (R-F20).
import type { ClientRequest, IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import {
  beginPhase,
  Deadlines,
  type GatewayRequest,
  HeaderList,
  hasExclusiveChunks,
  type MaybePromise,
  type PhaseEnd,
} from "@gw/core";
import { giveBack } from "@gw/core/node";
import { clientLeft, ProxyError } from "./proxy-error.ts";
import { upstreamTrailers } from "./proxy-headers.ts";
import type { ProxySettings } from "./proxy-options.ts";
import type { ProxySocket } from "./proxy-socket.ts";
import type { ProxyTarget } from "./proxy-target.ts";
import { bytesRead } from "./proxy-upstream.ts";
import { StreamBody } from "./stream-body.ts";

/** What a call works on. */
export interface CallParts {
  readonly target: ProxyTarget;
  readonly settings: ProxySettings;
  readonly request: GatewayRequest;
  /** The request to the upstream; nothing of it is sent yet. */
  readonly outgoing: ClientRequest;
  /** What the connection becomes if a WebSocket is asked for; `null`: none is. */
  readonly socket: ProxySocket | null;
  /** Gets the fields of a 103. */
  readonly inform: (headers: HeaderList) => void;
  /** The exchange is over. Called once. */
  readonly done: () => void;
}

type Step = "connecting" | "asking" | "answering" | "over";

/** One exchange with an upstream. */
export class ProxyCall {
  /** The head of the answer; 101 once the WebSocket is open. Rejects with ProxyError or with what the request's body threw. */
  readonly head: Promise<IncomingMessage>;
  /** The body of the answer; there with the head. */
  body: StreamBody | null = null;
  /** It could not be reached: nothing was sent. */
  wasUnreachable = false;
  /** A kept connection turned out to be closed before a byte of an answer came. */
  wasStale = false;
  readonly #parts: CallParts;
  readonly #outgoing: ClientRequest;
  readonly #clientLeft: () => void;
  #resolve: (res: IncomingMessage) => void = () => {};
  #reject: (error: unknown) => void = () => {};
  #step: Step = "connecting";
  #connecting: PhaseEnd | null = null;
  #deadlines: Deadlines | null = null;
  #connectTimer: ReturnType<typeof setTimeout> | undefined;
  #readBefore = 0;
  #hasConnected = false;
  #input: AsyncIterator<Uint8Array> | null = null;

  constructor(parts: CallParts) {
    this.#parts = parts;
    const { settings, request, outgoing } = parts;
    this.head = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const { connectTimeoutMs } = settings;
    this.#outgoing = outgoing;
    this.#listen();
    this.#connectTimer = setTimeout(() => {
      this.wasUnreachable = true;
      this.cancel(this.#unreachable(`no connection within ${connectTimeoutMs} ms`));
    }, connectTimeoutMs);
    this.#clientLeft = () => this.cancel(clientLeft());
    if (request.signal.aborted) this.#clientLeft();
    else request.signal.addEventListener("abort", this.#clientLeft);
  }

  /** The next piece of the answer's body. Waiting for it counts as waiting for the upstream. */
  async read(): Promise<IteratorResult<Uint8Array>> {
    this.#deadlines?.clientDone("output");
    const result = await (this.body as StreamBody).next();
    if (result.done) this.#finish();
    else {
      this.#deadlines?.output();
      this.#deadlines?.waitForClient("output");
    }
    return result;
  }

  /** Nobody reads for now: that time is not the upstream's. */
  waitForClient(): void {
    this.#deadlines?.waitForClient("output");
  }

  /** Ends the exchange and its connection; whoever waits gets the reason. */
  cancel(reason: unknown): void {
    if (this.#step === "over") return;
    this.#connecting?.(reason);
    this.#connecting = null;
    this.#reject(reason);
    this.body?.fail(reason);
    this.#finish();
    this.#outgoing.destroy();
  }

  #listen(): void {
    const outgoing = this.#outgoing;
    outgoing.on("socket", (socket) => this.#onSocket(socket));
    outgoing.on("error", (error) => this.#onError(error));
    outgoing.on("information", ({ statusCode, rawHeaders }) => {
      if (statusCode === 103) this.#parts.inform(HeaderList.fromWire(rawHeaders));
    });
    outgoing.on("upgrade", (res, socket) => this.#onUpgrade(res, socket));
    outgoing.on("response", (res) => this.#onResponse(res));
  }

  /** `ws` has heard of it before us, and has taken the connection or thrown it away. */
  #onUpgrade(res: IncomingMessage, connection: Duplex): void {
    const { socket } = this.#parts;
    if (socket?.isOpen === true) {
      this.#resolve(res);
      return this.#finish();
    }
    const why =
      socket === null ? "it was not asked to change protocols" : (connection.errored?.message ?? "no WebSocket");
    connection.destroy();
    this.cancel(new ProxyError("GW_PROXY_ANSWER", `the upstream's 101 cannot be passed on: ${why}`));
  }

  #onSocket(socket: Socket): void {
    this.#readBefore = bytesRead(socket);
    if (!socket.connecting && (this.#outgoing.reusedSocket || !this.#parts.target.isTls)) {
      return this.#connected();
    }
    this.#connecting = beginPhase(this.#parts.request.exchange, "connect");
    socket.once("connect", () => {
      this.#hasConnected = true;
    });
    socket.once(this.#parts.target.isTls ? "secureConnect" : "connect", () => this.#connected());
  }

  #connected(): void {
    clearTimeout(this.#connectTimer);
    this.#connecting?.();
    this.#connecting = null;
    if (this.#step !== "connecting") return;
    this.#step = "asking";
    this.#deadlines = new Deadlines(this.#parts.settings, ({ limit, limitMs }) =>
      this.cancel(
        new ProxyError("GW_PROXY_TIMEOUT", `the upstream did not answer within its ${limit} limit of ${limitMs} ms`),
      ),
    );
    const { body } = this.#parts.request;
    if (body.length === 0) this.#outgoing.end();
    else void this.#feed();
  }

  /** Sends the body. While that lasts, it is the client's turn; how long the upstream may hold it up has its own limit. */
  async #feed(): Promise<void> {
    const { request, settings } = this.#parts;
    const outgoing = this.#outgoing;
    try {
      this.#deadlines?.waitForClient("input");
      const input = request.body[Symbol.asyncIterator](); // throws a 413 before anything is asked
      this.#input = input;
      const isExclusive = hasExclusiveChunks(request.body);
      outgoing.flushHeaders();
      for (;;) {
        const { done, value } = await input.next();
        if (this.#step === "over") return;
        if (done) break;
        const taken: MaybePromise<void> = this.#write(value, isExclusive)
          ? undefined
          : this.#drained(settings.idleTimeoutMs);
        if (taken !== undefined) await taken;
        if (this.#isOver()) return;
      }
      this.#input = null;
      const trailers = request.body.length === null ? ((await request.body.trailers?.()) ?? null) : null;
      if (trailers !== null) outgoing.addTrailers([...upstreamTrailers(trailers, settings)] as [string, string][]);
      outgoing.end();
      this.#deadlines?.clientDone("input");
    } catch (error) {
      // The upstream must not take half of a body for the whole.
      this.#input = null;
      this.cancel(error);
    }
  }

  #write(chunk: Uint8Array, isExclusive: boolean): boolean {
    const outgoing = this.#outgoing;
    return isExclusive ? outgoing.write(chunk, (error) => error == null && giveBack(chunk)) : outgoing.write(chunk);
  }

  #isOver(): boolean {
    return this.#step === "over";
  }

  #drained(limitMs: number): Promise<void> {
    const outgoing = this.#outgoing;
    return new Promise((resolve) => {
      const late = Number.isFinite(limitMs)
        ? setTimeout(() => {
            const text = `the upstream took nothing of the body for ${limitMs} ms`;
            this.cancel(new ProxyError("GW_PROXY_TIMEOUT", text));
          }, limitMs)
        : undefined;
      const done = (): void => {
        clearTimeout(late);
        outgoing.off("drain", done);
        outgoing.off("close", done);
        resolve();
      };
      outgoing.on("drain", done);
      outgoing.on("close", done);
    });
  }

  #onResponse(res: IncomingMessage): void {
    if (this.#step !== "asking") return void res.destroy();
    this.#step = "answering";
    this.#deadlines?.headerDone();
    this.body = new StreamBody(res, { isOurs: true });
    res.on("error", (error) => this.#cut(error));
    res.on("close", () => {
      if (!res.complete) this.#cut();
    });
    this.#resolve(res);
  }

  #cut(cause?: unknown): void {
    this.cancel(new ProxyError("GW_PROXY_CUT", "the upstream broke off in the middle of its answer", { cause }));
  }

  #onError(error: NodeJS.ErrnoException): void {
    if (this.#step === "connecting") return this.#failedToConnect(error);
    if (this.#step !== "asking") return this.#cut(error);
    const isGarbage = error.code?.startsWith("HPE_") === true;
    this.wasStale = !isGarbage && this.#outgoing.reusedSocket && bytesRead(this.#outgoing.socket) === this.#readBefore;
    const code = isGarbage ? "GW_PROXY_ANSWER" : "GW_PROXY_CUT";
    this.cancel(new ProxyError(code, `the upstream gave no answer: ${error.message}`, { cause: error }));
  }

  #failedToConnect(error: NodeJS.ErrnoException): void {
    const { isTls, text } = this.#parts.target;
    this.wasUnreachable = true;
    if (!isTls || !this.#hasConnected) return this.cancel(this.#unreachable(error.message, error));
    this.cancel(new ProxyError("GW_PROXY_TLS", `no TLS with the upstream ${text}: ${error.message}`, { cause: error }));
  }

  #unreachable(why: string, cause?: unknown): ProxyError {
    const { text } = this.#parts.target;
    return new ProxyError("GW_PROXY_UNREACHABLE", `cannot connect to the upstream ${text}: ${why}`, {
      cause,
      headers: [["Retry-After", "1"]],
    });
  }

  /** Gives everything back. An upload that is still under way ends here: nobody will answer it. */
  #finish(): void {
    if (this.#step === "over") return;
    this.#step = "over";
    clearTimeout(this.#connectTimer);
    this.#deadlines?.stop();
    this.#parts.request.signal.removeEventListener("abort", this.#clientLeft);
    if (!this.#outgoing.writableEnded) {
      this.#outgoing.destroy();
      Promise.resolve(this.#input?.return?.()).catch(() => {});
    }
    this.#parts.done();
  }
}
