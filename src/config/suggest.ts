/** Beyond so many edits a word is another word. */
const MOST_EDITS = 4;

/**
 * The candidate that was most likely meant, by edit distance (insertions, deletions, replacements, swaps of
 * neighbours), or undefined if none is near.
 */
export function suggest(word: string, candidates: readonly string[]): string | undefined {
  const wanted = word.toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.min(MOST_EDITS, Math.max(1, Math.floor(wanted.length / 3))) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(wanted, candidate.toLowerCase(), bestDistance);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Distance of two words, or `limit` if it is that or more. Bounded by the first 128 characters. */
export function editDistance(left: string, right: string, limit: number): number {
  const a = left.slice(0, 128);
  const b = right.slice(0, 128);
  if (Math.abs(a.length - b.length) >= limit) {
    return limit;
  }
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let distance = Math.min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        distance = Math.min(distance, before[j - 2] + 1);
      }
      current.push(distance);
    }
    before = previous;
    previous = current;
  }
  return Math.min(previous[b.length], limit);
}
