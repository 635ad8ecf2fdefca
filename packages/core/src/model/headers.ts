// HeaderList: the header fields of a request or response. Immutable; order, case and duplicates kept.
import { GatewayError } from "./errors.ts";
import { repeatSeparator } from "./repeat.ts";

/** Anything a HeaderList can be made from. A record's array values become repeated fields. */
export type HeaderInit =
  | HeaderList
  | Iterable<readonly [string, string]>
  | Readonly<Record<string, string | readonly string[]>>;

/**
 * Header fields in the order they were sent, with their case and their repeats.
 *
 * Names and values are byte strings: each char is one byte, as on the wire.
 * A list never changes; `with`, `append` and `without` return a new one, so a
 * constant list can be shared by all answers.
 */
export class HeaderList implements Iterable<readonly [name: string, value: string]> {
  /** The list with no fields. */
  static readonly empty: HeaderList = new HeaderList([]);

  readonly #flat: readonly string[];

  private constructor(flat: readonly string[]) {
    this.#flat = flat;
  }

  /**
   * Makes a list from pairs, a record or another list.
   *
   * @throws GatewayError `GW_HEADER_CHAR` if a name or value has a char above U+00FF; use `toBytes` to write text.
   */
  static from(init: HeaderInit): HeaderList {
    if (isHeaderList(init)) return init;
    const flat: string[] = [];
    if (Symbol.iterator in init) {
      for (const [name, value] of init as Iterable<readonly [string, string]>)
        flat.push(byteString(name), byteString(value));
      return new HeaderList(flat);
    }
    for (const [name, value] of Object.entries(init)) {
      byteString(name);
      for (const one of typeof value === "string" ? [value] : value) flat.push(name, byteString(one));
    }
    return new HeaderList(flat);
  }

  /**
   * Wraps `[name, value, name, value, …]` as read off a wire, without a check and without a copy.
   *
   * For carriers: the array now belongs to the list and must not change.
   */
  static fromWire(flat: readonly string[]): HeaderList {
    return flat.length === 0 ? HeaderList.empty : new HeaderList(flat);
  }

  /** Number of field lines. */
  get size(): number {
    return this.#flat.length >> 1;
  }

  /**
   * The value of a field, or `null`. The name is matched without regard to case.
   *
   * Repeated lines are joined as `repeatSeparator` says (RFC 9110 §5.3);
   * of `Set-Cookie`, which cannot be joined, the first is given: use `getAll`.
   */
  get(name: string): string | null {
    const flat = this.#flat;
    const lower = name.toLowerCase();
    let found: string | null = null;
    for (let at = 0; at < flat.length; at += 2) {
      if (!sameName(flat[at] as string, lower)) continue;
      if (found === null) {
        found = flat[at + 1] as string;
        continue;
      }
      const separator = repeatSeparator(lower);
      if (separator === null) return found;
      found += separator + (flat[at + 1] as string);
    }
    return found;
  }

  /** Every value of a field, in order; empty if there is none. */
  getAll(name: string): string[] {
    const flat = this.#flat;
    const lower = name.toLowerCase();
    const values: string[] = [];
    for (let at = 0; at < flat.length; at += 2) {
      if (sameName(flat[at] as string, lower)) values.push(flat[at + 1] as string);
    }
    return values;
  }

  /** Whether a field is present. */
  has(name: string): boolean {
    const flat = this.#flat;
    const lower = name.toLowerCase();
    for (let at = 0; at < flat.length; at += 2) if (sameName(flat[at] as string, lower)) return true;
    return false;
  }

  /**
   * A copy in which the field has exactly this value (or these): at the place of its first line, else at the end.
   *
   * @throws GatewayError `GW_HEADER_CHAR`
   */
  with(name: string, value: string | readonly string[]): HeaderList {
    const lower = byteString(name).toLowerCase();
    const values = typeof value === "string" ? [value] : value;
    const flat: string[] = [];
    let placed = false;
    const place = (): void => {
      placed = true;
      for (const one of values) flat.push(name, byteString(one));
    };
    for (let at = 0; at < this.#flat.length; at += 2) {
      const current = this.#flat[at] as string;
      if (!sameName(current, lower)) flat.push(current, this.#flat[at + 1] as string);
      else if (!placed) place();
    }
    if (!placed) place();
    return HeaderList.fromWire(flat);
  }

  /**
   * A copy with one more line at the end.
   *
   * @throws GatewayError `GW_HEADER_CHAR`
   */
  append(name: string, value: string): HeaderList {
    return new HeaderList([...this.#flat, byteString(name), byteString(value)]);
  }

  /** A copy without the named fields; the same list if none is present. */
  without(...names: readonly string[]): HeaderList {
    const lower = names.map((name) => name.toLowerCase());
    return this.filter((name) => !lower.some((one) => sameName(name, one)));
  }

  /** A copy with only the lines that the test accepts; the same list if it accepts all. */
  filter(test: (name: string, value: string) => boolean): HeaderList {
    const flat: string[] = [];
    for (let at = 0; at < this.#flat.length; at += 2) {
      const name = this.#flat[at] as string;
      const value = this.#flat[at + 1] as string;
      if (test(name, value)) flat.push(name, value);
    }
    return flat.length === this.#flat.length ? this : HeaderList.fromWire(flat);
  }

  /** The lines as `[name, value, name, value, …]`: what carriers write. Not a copy: do not change it. */
  toFlat(): readonly string[] {
    return this.#flat;
  }

  *[Symbol.iterator](): Generator<readonly [name: string, value: string]> {
    for (let at = 0; at < this.#flat.length; at += 2) yield [this.#flat[at] as string, this.#flat[at + 1] as string];
  }

  /** The lines as pairs, for logs and `JSON.stringify`. */
  toJSON(): (readonly [string, string])[] {
    return [...this];
  }
}

/** True for lists of any installed copy of gw. */
function isHeaderList(value: object): value is HeaderList {
  return value instanceof HeaderList || typeof (value as Partial<HeaderList>).toFlat === "function";
}

function sameName(name: string, lower: string): boolean {
  return name.length === lower.length && (name === lower || name.toLowerCase() === lower);
}

const BYTES_ONLY = /^[\u0000-\u00ff]*$/;

function byteString(value: string): string {
  if (BYTES_ONLY.test(value)) return value;
  throw new GatewayError(
    "GW_HEADER_CHAR",
    500,
    `a header field is a byte string (chars U+0000 to U+00FF), found ${JSON.stringify(value.slice(0, 80))}; encode text with toBytes()`,
  );
}
