// The order in which an app may send its events, for lint: which one may follow which.

/** A broken order, with the sentence it breaks. */
export interface OrderFinding {
  readonly rule: { readonly id: string; readonly sentence: string };
  readonly found: string;
}

const START_FIRST = {
  id: "asgi-order-start",
  sentence: "Response Start … Needs to be followed by at least one response content message.",
};
const AFTER_END = {
  id: "asgi-order-end",
  sentence: "response will be taken as complete and closed, and any further messages on the channel will be ignored",
};
const REPLY = {
  id: "asgi-order-connect",
  sentence:
    "This message must be responded to with either an Accept message or a Close message before the socket will pass websocket.receive messages.",
};
const DENIAL = {
  id: "asgi-order-denial",
  sentence:
    "These messages cannot be followed by any other websocket messages as the server should send a HTTP response and then close the connection.",
};

type Event = Readonly<Record<string, unknown>>;

/** Follows the events that one call of an app sends. */
export class SendOrder {
  readonly #scope: string;
  #isStarted = false;
  #hasTrailers = false;
  #isEnded = false;
  #reply: "none" | "accepted" | "closed" | "denied" = "none";

  constructor(scope: string) {
    this.#scope = scope;
  }

  /** Takes the next event; gives what is wrong with its place, or `null`. */
  next(event: Event): OrderFinding | null {
    if (this.#scope === "http") return this.#nextHttp(event);
    return this.#scope === "websocket" ? this.#nextSocket(event) : null;
  }

  /** The app has returned; gives what it left undone, or `null`. */
  returned(): OrderFinding | null {
    if (this.#scope === "http" && !this.#isEnded)
      return { rule: START_FIRST, found: "the app returned before its response had ended" };
    if (this.#scope === "websocket" && this.#reply === "none")
      return { rule: REPLY, found: "the app returned without either" };
    return null;
  }

  #nextHttp(event: Event): OrderFinding | null {
    const type = String(event.type);
    if (this.#isEnded) return { rule: AFTER_END, found: `${type} after the end` };
    if (type === "http.response.start") {
      if (this.#isStarted) return { rule: START_FIRST, found: "a second http.response.start" };
      this.#isStarted = true;
      this.#hasTrailers = event.trailers === true;
    } else if (/^http\.response\.(?:body|zerocopysend|pathsend)$/.test(type)) {
      if (!this.#isStarted) return { rule: START_FIRST, found: `${type} before http.response.start` };
      this.#isEnded = event.more_body !== true && !this.#hasTrailers;
    } else if (type === "http.response.trailers") this.#isEnded = event.more_trailers !== true;
    return null;
  }

  #nextSocket(event: Event): OrderFinding | null {
    const type = String(event.type);
    const isDenial = type.startsWith("websocket.http.response.");
    if (this.#reply === "denied" && !isDenial) return { rule: DENIAL, found: type };
    if (this.#reply === "closed") return { rule: AFTER_END, found: `${type} after websocket.close` };
    if (this.#reply === "none" && type === "websocket.send")
      return { rule: REPLY, found: "websocket.send before websocket.accept" };
    if (this.#reply === "accepted" && (isDenial || type === "websocket.accept"))
      return { rule: REPLY, found: `${type} after websocket.accept` };
    if (isDenial) this.#reply = "denied";
    else if (type === "websocket.close") this.#reply = "closed";
    else if (type === "websocket.accept") this.#reply = "accepted";
    return null;
  }
}
