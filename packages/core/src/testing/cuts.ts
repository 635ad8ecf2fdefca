// Bytes cut in pieces: a decoder must read the same however they arrive.

/**
 * Ways to cut bytes: whole, in two at every place, and byte by byte.
 *
 * `test.each(cutsOf(bytes))` in a codec's test shows that chunk borders do not matter.
 */
export function cutsOf(bytes: Uint8Array): Uint8Array[][] {
  const cuts: Uint8Array[][] = [[bytes]];
  for (let at = 1; at < bytes.length; at++) cuts.push([bytes.slice(0, at), bytes.slice(at)]);
  cuts.push(Array.from(bytes, (_, at) => bytes.slice(at, at + 1)));
  return cuts;
}
