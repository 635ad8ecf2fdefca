// Two rings and the bells that say "look": what two threads talk through.
import { Ring, type RingRecord, ringMemory } from "./ring.ts";

/** What one thread hands to the other when it is started. */
export interface ChannelMemory {
  readonly rings: readonly [SharedArrayBuffer, SharedArrayBuffer];
  readonly words: SharedArrayBuffer;
}

/** Words of one end: it waits for a message of its port; it waits in `Atomics.wait`; it waits for room; its alarm. */
const ASLEEP = 0;
const BLOCKED = 1;
const ROOM = 2;
const ALARM = 3;
/** Ends are far enough apart for a cache line each. */
const END_WORDS = 16;

const NOTHING: Uint8Array = new Uint8Array(0);
const NO_TEXTS: readonly string[] = [];

/** Memory for one channel. */
export function channelMemory(): ChannelMemory {
  return { rings: [ringMemory(), ringMemory()], words: new SharedArrayBuffer(END_WORDS * 2 * 4) };
}

/** What a record may carry. */
export interface RecordParts {
  readonly id?: number;
  readonly a?: number;
  readonly b?: number;
  readonly texts?: readonly string[];
  readonly bytes?: Uint8Array;
}

/**
 * One end of a channel. Records are memory only: nobody is woken who is awake,
 * and what was sent can be read even if its sender has died since.
 */
export class ChannelEnd {
  readonly #out: Ring;
  readonly #in: Ring;
  readonly #words: Int32Array;
  readonly #mine: number;
  readonly #other: number;
  readonly #ring: () => void;

  /** @param ringBell posts a message to the other thread, which sleeps in its event loop */
  constructor({ rings, words }: ChannelMemory, side: 0 | 1, ringBell: () => void) {
    this.#out = new Ring(rings[side]);
    this.#in = new Ring(rings[side === 0 ? 1 : 0]);
    this.#words = new Int32Array(words);
    this.#mine = side * END_WORDS;
    this.#other = END_WORDS - this.#mine;
    this.#ring = ringBell;
  }

  /** Sends a record if there is room for it, and wakes the other thread if need be. */
  send(kind: number, parts: RecordParts = {}): boolean {
    const isSent = this.post(kind, parts);
    this.#wake();
    return isSent;
  }

  /** Like `send`, but wakes nobody: several records, then one `wake()`, cost one waking. */
  post(kind: number, { id = 0, a = 0, b = 0, texts = NO_TEXTS, bytes = NOTHING }: RecordParts): boolean {
    if (!this.#out.write(kind, id, a, b, texts, bytes)) {
      // The reader may have made room between the two steps: it looks at the word after each record.
      Atomics.store(this.#words, this.#mine + ROOM, 1);
      if (!this.#out.write(kind, id, a, b, texts, bytes)) return false;
    }
    return true;
  }

  /** Sends a record, and blocks this thread until there is room for it, or for `timeoutMs`. */
  sendSync(kind: number, parts: RecordParts, timeoutMs: number = Number.POSITIVE_INFINITY): boolean {
    let isSent = this.send(kind, parts);
    for (let left = timeoutMs; !isSent && left > 0; ) {
      const began = performance.now();
      this.#block(() => {
        isSent = this.send(kind, parts);
        return isSent;
      }, left);
      left -= performance.now() - began;
    }
    return isSent;
  }

  /** The next record, or `null`. */
  receive(): RingRecord | null {
    const record = this.#in.read();
    if (record === null) return null;
    const room = this.#other + ROOM;
    if (Atomics.load(this.#words, room) === 1 && Atomics.exchange(this.#words, room, 0) === 1) this.#wake();
    return record;
  }

  /** Says that this thread goes to its event loop and wants a message. False: there is something to receive first. */
  sleep(): boolean {
    Atomics.store(this.#words, this.#mine + ASLEEP, 1);
    if (this.#in.isEmpty) return true;
    Atomics.store(this.#words, this.#mine + ASLEEP, 0);
    return false;
  }

  /** Blocks this thread until there is something to receive, at most for `timeoutMs`. @returns whether there is */
  waitSync(timeoutMs: number): boolean {
    this.#block(() => !this.#in.isEmpty, timeoutMs);
    return !this.#in.isEmpty;
  }

  /** Wakes the other thread, whether there is something for it or not. */
  wake(): void {
    this.#wake();
  }

  #block(isDone: () => boolean, timeoutMs: number): void {
    const words = this.#words;
    const alarm = Atomics.load(words, this.#mine + ALARM);
    Atomics.store(words, this.#mine + BLOCKED, 1);
    // Looked at after the word was set: whoever writes from now on sees it and sounds the alarm.
    if (!isDone()) Atomics.wait(words, this.#mine + ALARM, alarm, timeoutMs);
    Atomics.store(words, this.#mine + BLOCKED, 0);
  }

  #wake(): void {
    const words = this.#words;
    if (Atomics.load(words, this.#other + BLOCKED) === 1) {
      Atomics.add(words, this.#other + ALARM, 1);
      Atomics.notify(words, this.#other + ALARM);
    } else if (Atomics.load(words, this.#other + ASLEEP) === 1) {
      if (Atomics.exchange(words, this.#other + ASLEEP, 0) === 1) this.#ring();
    }
  }
}
