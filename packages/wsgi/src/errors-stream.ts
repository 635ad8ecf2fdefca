// wsgi.errors: text that an app writes goes to the exchange's log, line by line.
import type { Exchange } from "@gw/core";
import type { WsgiErrorStream } from "./types.ts";

/** Longest line kept back for its `\n`; longer ones are logged in pieces. */
const MAX_HELD_CHARS = 8_192;

/**
 * Each complete line becomes one `error` line of the log; `flush` logs what has no `\n` yet.
 *
 * Takes any text, as PEP 3333 asks; the log escapes control characters (R-O13).
 */
export class WsgiErrors implements WsgiErrorStream {
  readonly #exchange: Exchange;
  #held = "";

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  write(text: string): void {
    const lines = (this.#held + text).split("\n");
    this.#held = lines.pop() ?? "";
    for (const line of lines) this.#log(line);
    if (this.#held.length > MAX_HELD_CHARS) this.flush();
  }

  writelines(lines: Iterable<string>): void {
    for (const line of lines) this.write(line);
  }

  flush(): void {
    const rest = this.#held;
    this.#held = "";
    if (rest !== "") this.#log(rest);
  }

  #log(line: string): void {
    this.#exchange.log.error({ stream: "wsgi.errors" }, line);
  }
}
