// "did you mean …": the nearest allowed word, when it is near enough to be a slip of the finger.

/** The allowed word nearest to `found`, or `null` if none differs by at most a third of its letters. */
export function nearest(found: string, allowed: readonly string[]): string | null {
  let best: { word: string; distance: number } | null = null;
  for (const word of allowed) {
    const distance = editDistance(found.toLowerCase(), word.toLowerCase());
    if (best === null || distance < best.distance) best = { word, distance };
  }
  if (best === null || best.distance >= best.word.length) return null; // no letter in common
  return best.distance <= Math.max(1, Math.floor(best.word.length / 3)) ? best.word : null;
}

/** ` (did you mean "x"?)`, or nothing. */
export function didYouMean(found: string, allowed: readonly string[]): string {
  const word = nearest(found, allowed);
  return word === null ? "" : ` (did you mean ${JSON.stringify(word)}?)`;
}

/** Letters to insert, delete, change or swap with their neighbour (optimal string alignment). */
function editDistance(left: string, right: string): number {
  let before: number[] = [];
  let row = Array.from({ length: right.length + 1 }, (_, at) => at);
  for (let i = 1; i <= left.length; i++) {
    const next = [i];
    for (let j = 1; j <= right.length; j++) {
      const change = (row[j - 1] as number) + (left[i - 1] === right[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] as number) + 1, (next[j - 1] as number) + 1, change));
      const swapped = i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1];
      if (swapped) next[j] = Math.min(next[j] as number, (before[j - 2] as number) + 1);
    }
    before = row;
    row = next;
  }
  return row[right.length] as number;
}
