// The output of a program as lines for the log: limited in rate and size, always drained (R-C16).

/** Inputs of LineLog. */
export interface LineLogOptions {
  /** Takes a line, without its end. */
  write: (line: string) => void;
  /** Told how many lines the rate limit swallowed, once it is over or the program has ended. */
  dropped: (lines: number) => void;
  /** Longest line, bytes; the rest of a longer one is left out. @default 4_096 */
  maxLineBytes?: number;
  /** Lines at once. @default 500 */
  burst?: number;
  /** Lines per second after a burst. @default 100 */
  linesPerSecond?: number;
  /** Monotonic milliseconds. @default performance.now */
  now?: () => number;
}

const TAIL_LINES = 20;
const TAIL_CHARS = 2_048;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** Cuts chunks into lines, counts them against a rate, and keeps the last ones for error messages. */
export class LineLog {
  readonly #write: (line: string) => void;
  readonly #report: (lines: number) => void;
  readonly #maxLineBytes: number;
  readonly #burst: number;
  readonly #perMs: number;
  readonly #now: () => number;
  readonly #line: Uint8Array;
  #lineBytes = 0; // of the line so far; more than fits says that it is cut
  #tokens: number;
  #tokensAt: number;
  #dropped = 0;
  #tail: string[] = [];

  constructor({
    write,
    dropped,
    maxLineBytes = 4_096,
    burst = 500,
    linesPerSecond = 100,
    now = () => performance.now(),
  }: LineLogOptions) {
    this.#write = write;
    this.#report = dropped;
    this.#maxLineBytes = maxLineBytes;
    this.#burst = burst;
    this.#perMs = linesPerSecond / 1_000;
    this.#now = now;
    this.#line = new Uint8Array(maxLineBytes);
    this.#tokens = burst;
    this.#tokensAt = now();
  }

  /** Takes a chunk, of any size. */
  feed(chunk: Uint8Array): void {
    for (let start = 0; start < chunk.length; ) {
      const feed = chunk.indexOf(LINE_FEED, start);
      const end = feed === -1 ? chunk.length : feed;
      this.#gather(chunk.subarray(start, end));
      if (feed !== -1) this.#endLine();
      start = end + 1;
    }
  }

  /** The program has ended: a line without an end counts, and what was dropped is reported. */
  end(): void {
    if (this.#lineBytes > 0) this.#endLine();
    this.#reportDropped();
  }

  /** The last lines, also dropped ones, for error messages. */
  tail(): string {
    return this.#tail.join("\n").slice(-TAIL_CHARS);
  }

  #gather(part: Uint8Array): void {
    const room = this.#maxLineBytes - this.#lineBytes;
    if (room > 0) this.#line.set(part.subarray(0, room), this.#lineBytes);
    this.#lineBytes += part.length;
  }

  #endLine(): void {
    const line = this.#takeLine();
    if (line === "") return;
    this.#tail.push(line);
    if (this.#tail.length > TAIL_LINES) this.#tail.shift();
    if (!this.#spend()) {
      this.#dropped++;
      return;
    }
    this.#reportDropped();
    this.#write(line);
  }

  #takeLine(): string {
    const length = this.#lineBytes;
    this.#lineBytes = 0;
    if (length > this.#maxLineBytes) return `${utf8.decode(this.#line)}… (${length} bytes)`;
    const end = length > 0 && this.#line[length - 1] === CARRIAGE_RETURN ? length - 1 : length;
    return utf8.decode(this.#line.subarray(0, end));
  }

  #spend(): boolean {
    const now = this.#now();
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#tokensAt) * this.#perMs);
    this.#tokensAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  #reportDropped(): void {
    if (this.#dropped === 0) return;
    this.#report(this.#dropped);
    this.#dropped = 0;
  }
}
