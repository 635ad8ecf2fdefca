// The Range field (RFC 9110 §14): which bytes of a representation are asked for.

/** Bytes from first to last, both included. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/**
 * The ranges that a Range field selects from `size` bytes, in its order; `"whole"` if it is to be ignored, `"unsatisfiable"` for a 416.
 *
 * Ignored are: other units, what does not parse, more than `maxRanges`, and
 * ranges that ask for more bytes together than there are (§14.2). A range past
 * the end is left out as long as another one is not; of nothing, everything is given.
 */
export function selectRanges(
  field: string | null,
  size: number,
  maxRanges: number,
): readonly ByteRange[] | "whole" | "unsatisfiable" {
  const set = field === null ? null : /^\s*bytes=(.*)$/i.exec(field)?.[1];
  if (set === null || set === undefined || size === 0) return "whole";
  const ranges: ByteRange[] = [];
  let count = 0;
  let bytes = 0;
  for (const spec of set.split(",")) {
    const text = spec.trim();
    if (text === "") continue;
    const range = parseRange(text, size);
    if (range === "invalid" || ++count > maxRanges) return "whole";
    if (range === null) continue;
    ranges.push(range);
    bytes += range.last - range.first + 1;
  }
  if (count === 0 || bytes > size) return "whole";
  return ranges.length === 0 ? "unsatisfiable" : ranges;
}

function parseRange(text: string, size: number): ByteRange | null | "invalid" {
  const [, from, to] = /^(\d*)-(\d*)$/.exec(text) ?? [];
  if (from === undefined || to === undefined || (from === "" && to === "")) return "invalid";
  if (from === "") {
    const suffix = Number(to);
    return suffix === 0 ? null : { first: Math.max(0, size - suffix), last: size - 1 };
  }
  const first = Number(from);
  const last = to === "" ? size - 1 : Math.min(Number(to), size - 1);
  if (to !== "" && Number(to) < first) return "invalid";
  return first >= size ? null : { first, last };
}

/** The value of Content-Range: `bytes 0-9/100`; with no range, for a 416, an asterisk in its place (§14.4). */
export function writeContentRange(range: ByteRange | null, size: number): string {
  return range === null ? `bytes */${size}` : `bytes ${range.first}-${range.last}/${size}`;
}
