// The receive side of a handler under an ASGI server: the body, and the news that the client has gone.
import { GatewayError } from "@gw/core";
import type { Receive } from "./app.ts";

/** Reads the events of one http call. */
export class EventReader {
  /** Fires when the client has gone. */
  readonly signal: AbortSignal;
  readonly #controller: AbortController = new AbortController();
  readonly #receive: Receive;
  #isOver = false;

  constructor(receive: Receive) {
    this.#receive = receive;
    this.signal = this.#controller.signal;
  }

  /** The body, part by part; from its end on the client is watched. */
  async *body(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const event = await this.#receive();
      if (event.type === "http.disconnect") {
        this.#leave();
        throw new GatewayError("GW_BODY_CUT", 400, "the client went away inside the request body");
      }
      if (event.type !== "http.request") continue;
      // Both keys are optional in the document.
      const { body, more_body } = event as Partial<typeof event>;
      if (body !== undefined && body.length > 0) yield body;
      if (!more_body) break;
    }
    this.watch();
  }

  /** Waits for the disconnect, for a request whose body is empty or read. */
  watch(): void {
    const wait = async (): Promise<void> => {
      while (!this.#isOver) if ((await this.#receive()).type === "http.disconnect") return this.#leave();
    };
    wait().catch(() => {});
  }

  /** The client was seen to have gone by other means: a send has failed. */
  left(): void {
    this.#leave();
  }

  /** The response has ended: a disconnect is no news any more. */
  end(): void {
    this.#isOver = true;
  }

  #leave(): void {
    if (!this.#isOver) this.#controller.abort();
  }
}
