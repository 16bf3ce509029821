import type { ExchangeLine } from '../../model/exchange-line.ts';
import type { ExchangeFilter } from '../../control/exchange-filter.ts';
import { resolveMoment } from './time.ts';
import type { Moment } from './time.ts';

export interface Selection {
  readonly filter?: ExchangeFilter;
  /** Exchanges that began at or after it. */
  readonly from?: Moment;
  /** Exchanges that began before it. */
  readonly to?: Moment;
}

interface Entry {
  readonly time: bigint;
  readonly conn: string;
  readonly place: number;
  readonly line: ExchangeLine;
}

/**
 * Takes exchanges as they end and gives them by `time`, then `conn`, then as they came. An exchange that began first
 * may end last, so nothing can be given before everything was taken.
 */
export class OrderedExchanges {
  readonly #selection: Selection;
  readonly #entries: Entry[] = [];
  #first: bigint | undefined;

  constructor(selection: Selection) {
    this.#selection = selection;
  }

  add(line: ExchangeLine): void {
    const time = BigInt(line.time);
    if (this.#first === undefined || time < this.#first) {
      this.#first = time;
    }
    const { filter } = this.#selection;
    if (filter === undefined || filter(line)) {
      this.#entries.push({ time, conn: line.conn, place: this.#entries.length, line });
    }
  }

  /** Everything selected, in order. */
  *lines(): Generator<ExchangeLine> {
    const first = this.#first ?? 0n;
    const { from, to } = this.#selection;
    const begin = from === undefined ? undefined : resolveMoment(from, first);
    const end = to === undefined ? undefined : resolveMoment(to, first);
    this.#entries.sort(inOrder);
    for (const { time, line } of this.#entries) {
      if ((begin === undefined || time >= begin) && (end === undefined || time < end)) {
        yield line;
      }
    }
  }
}

function inOrder(a: Entry, b: Entry): number {
  if (a.time !== b.time) {
    return a.time < b.time ? -1 : 1;
  }
  if (a.conn !== b.conn) {
    return a.conn < b.conn ? -1 : 1;
  }
  return a.place - b.place;
}
