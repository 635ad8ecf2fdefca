// wsgi.input and wsgi.errors between a server and an app, with the rules of both (PEP 3333, "Input and Error Streams").
import type { WsgiErrorStream, WsgiInputStream } from "../types.ts";
import { show } from "./found.ts";

/** Tells of a broken rule; `side` is at fault. */
export type Tell = (side: "server" | "app", rule: { id: string; sentence: string }, found: string) => void;

const INPUT_BYTES = {
  id: "wsgi-input-bytes",
  sentence:
    'For values referred to in this specification as "bytestrings" (i.e., values read from wsgi.input, passed to write() or yielded by the application), the value must be of type bytes under Python 3',
};
const INPUT_SIZE = {
  id: "wsgi-input-size",
  sentence:
    "The semantics of each method are as documented in the Python Library Reference: read(size), readline(), readlines(hint)",
};
const NO_CLOSE = {
  id: "wsgi-stream-close",
  sentence: "applications must not attempt to close these streams, even if they possess close() methods",
};
const ERRORS_TEXT = {
  id: "wsgi-errors-text",
  sentence: 'wsgi.errors: This should be a "text mode" stream',
};

/** Passes reads on and checks what is asked and given. */
export class LintInput implements WsgiInputStream {
  readonly #input: WsgiInputStream;
  readonly #tell: Tell;

  constructor(input: WsgiInputStream, tell: Tell) {
    this.#input = input;
    this.#tell = tell;
  }

  read(...size: [number?]): Uint8Array {
    this.#checkSize("read", size);
    return this.#bytes("read", this.#input.read(...size));
  }

  readline(...size: [number?]): Uint8Array {
    this.#checkSize("readline", size);
    return this.#bytes("readline", this.#input.readline(...size));
  }

  readlines(...hint: [number?]): Uint8Array[] {
    this.#checkSize("readlines", hint);
    const lines = this.#input.readlines(...hint);
    for (const line of lines) this.#bytes("readlines", line);
    return lines;
  }

  *[Symbol.iterator](): Generator<Uint8Array> {
    for (const line of this.#input) yield this.#bytes("iteration", line);
  }

  close(): void {
    this.#tell("app", NO_CLOSE, "wsgi.input.close()");
  }

  #checkSize(method: string, args: readonly unknown[]): void {
    const [size] = args;
    const isRight = args.length <= 1 && (size === undefined || size === null || Number.isInteger(size));
    if (!isRight) this.#tell("app", INPUT_SIZE, `${method}(${args.map(show).join(", ")})`);
  }

  #bytes(method: string, value: Uint8Array): Uint8Array {
    if (!(value instanceof Uint8Array)) this.#tell("server", INPUT_BYTES, `${method} gave ${show(value)}`);
    return value;
  }
}

/** Passes text on and checks that it is text. */
export class LintErrors implements WsgiErrorStream {
  readonly #errors: WsgiErrorStream;
  readonly #tell: Tell;

  constructor(errors: WsgiErrorStream, tell: Tell) {
    this.#errors = errors;
    this.#tell = tell;
  }

  write(text: string): void {
    if (typeof text !== "string") this.#tell("app", ERRORS_TEXT, show(text));
    this.#errors.write(text);
  }

  writelines(lines: Iterable<string>): void {
    for (const line of lines) this.write(line);
  }

  flush(): void {
    this.#errors.flush();
  }

  close(): void {
    this.#tell("app", NO_CLOSE, "wsgi.errors.close()");
  }
}
