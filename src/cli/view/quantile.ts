/** A value read from a histogram, and how far it can be trusted. */
export interface Quantile {
  readonly value: number;
  /** `at`: interpolated. `up-to`: somewhere in the first bucket. `above`: beyond the last bound. */
  readonly kind: 'at' | 'up-to' | 'above';
}

/**
 * The q-quantile of a histogram, interpolated within its bucket as Prometheus does it; null without values.
 * `counts` holds one number more than `bounds`: those beyond the last bound.
 */
export function quantile(q: number, bounds: readonly number[], counts: ArrayLike<number>): Quantile | null {
  let total = 0;
  for (let bucket = 0; bucket <= bounds.length; bucket++) {
    total += counts[bucket];
  }
  if (total <= 0) {
    return null;
  }
  const rank = q * total;
  let below = 0;
  for (const [bucket, bound] of bounds.entries()) {
    const inside = counts[bucket];
    if (inside > 0 && below + inside >= rank) {
      if (bucket === 0) {
        return { value: bound, kind: 'up-to' };
      }
      const lower = bounds[bucket - 1];
      return { value: lower + ((bound - lower) * (rank - below)) / inside, kind: 'at' };
    }
    below += inside;
  }
  return { value: bounds.at(-1) ?? 0, kind: 'above' };
}
