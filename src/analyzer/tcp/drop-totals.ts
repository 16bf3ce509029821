/** Reasons that are counted apart; the last one has all from there on (bpf/tcp.bpf.c). */
const LAST_REASON = 255;

/**
 * What the kernel counted of drops beyond the events that told of them: events are paced, its totals are not. The
 * totals are those of the time before, whose events have all come since.
 */
export class DropTotals {
  readonly #read: () => ReadonlyMap<number, number>;
  readonly #seen = new Map<number, number>();
  readonly #told = new Map<number, number>();
  #totals: ReadonlyMap<number, number> = new Map();

  /** @param read packets by the number of their reason, since the start */
  constructor(read: () => ReadonlyMap<number, number>) {
    this.#read = read;
  }

  /** An event told of a drop. */
  seen(reason: number): void {
    const key = Math.min(reason, LAST_REASON);
    this.#seen.set(key, (this.#seen.get(key) ?? 0) + 1);
  }

  /** Yields reasons with as many packets as no event will tell of. @param isLast nothing is under way any more */
  *untold(isLast: boolean): Iterable<[number, number]> {
    const now = this.#read();
    const totals = isLast ? now : this.#totals;
    this.#totals = now;
    for (const [reason, total] of totals) {
      const untold = total - (this.#seen.get(reason) ?? 0) - (this.#told.get(reason) ?? 0);
      if (untold <= 0) continue;
      this.#told.set(reason, (this.#told.get(reason) ?? 0) + untold);
      yield [reason, untold];
    }
  }
}

/** The label of a reason of `untold`: `null` is the last one, which is many. */
export function untoldReason(reason: number): number | null {
  return reason < LAST_REASON ? reason : null;
}
