// Heads that threads repeat: an equal one keeps its list, so that carriers check it once.
import { HeaderList } from "@gw/core";

const MAX_HEADS = 4;

/** The last few heads. */
export class HeadMemory {
  readonly #lists: HeaderList[] = [];
  #next = 0;

  /** The lines as a list: the one of an equal head before, if it is remembered. */
  listOf(lines: readonly string[]): HeaderList {
    for (const list of this.#lists) if (isSame(list.toFlat(), lines)) return list;
    const list = HeaderList.fromWire(lines);
    this.#lists[this.#next] = list;
    this.#next = (this.#next + 1) % MAX_HEADS;
    return list;
  }
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  if (one.length !== other.length) return false;
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) return false;
  return true;
}
