import type { ExchangeFilter } from '../../control/exchange-filter.ts';
import type { ExchangeLine } from '../../model/exchange-line.ts';
import { SpillFile } from './spill-file.ts';
import { resolveMoment } from './time.ts';
import type { Moment } from './time.ts';

export interface Selection {
  readonly filter?: ExchangeFilter;
  /** Exchanges that began at or after it. */
  readonly from?: Moment;
  /** Exchanges that began before it. */
  readonly to?: Moment;
}

export interface OrderedExchangesOptions extends Selection {
  /** So many characters of lines are held in memory; the rest is put aside in a temporary file. Default 64 Mi. */
  readonly maxHeld?: number;
}

interface Entry {
  /** ns since the epoch. */
  readonly time: string;
  readonly conn: string;
  /** How many came before it. */
  readonly place: number;
  /** JSON. */
  readonly text: string;
}

const MAX_HELD = 64 << 20;

/**
 * Takes exchanges as they end and gives them by `time`, then `conn`, then as they came. An exchange that began first
 * may end last, so nothing can be given before everything was taken; what is beyond a bound waits on disk, in sorted
 * runs that are merged at the end.
 */
export class OrderedExchanges {
  readonly #options: OrderedExchangesOptions;
  readonly #maxHeld: number;
  #entries: Entry[] = [];
  #held = 0;
  #count = 0;
  #spill: SpillFile | undefined;
  #first: string | undefined;

  constructor(options: OrderedExchangesOptions) {
    this.#options = options;
    this.#maxHeld = options.maxHeld ?? MAX_HELD;
  }

  add(line: ExchangeLine): void {
    const { time, conn } = line;
    if (this.#first === undefined || compareTimes(time, this.#first) < 0) this.#first = time;
    const { filter, from, to } = this.#options;
    if (filter !== undefined && !filter(line)) return;
    if (from !== undefined && 'at' in from && compareTimes(time, String(from.at)) < 0) return;
    if (to !== undefined && 'at' in to && compareTimes(time, String(to.at)) >= 0) return;
    const text = JSON.stringify(line);
    this.#entries.push({ time, conn, place: this.#count, text });
    this.#count++;
    this.#held += text.length;
    if (this.#held >= this.#maxHeld) this.#putAside();
  }

  /** Everything selected, in order, as lines of JSON. Can be asked for again. */
  *lines(): Generator<string, void, void> {
    const first = BigInt(this.#first ?? '0');
    const { from, to } = this.#options;
    const begin = from === undefined ? undefined : String(resolveMoment(from, first));
    const end = to === undefined ? undefined : String(resolveMoment(to, first));
    this.#entries.sort(inOrder);
    for (const { time, text } of this.#merged()) {
      if (begin !== undefined && compareTimes(time, begin) < 0) continue;
      if (end !== undefined && compareTimes(time, end) >= 0) continue;
      yield text;
    }
  }

  close(): void {
    this.#spill?.close();
  }

  #putAside(): void {
    this.#spill ??= new SpillFile();
    this.#entries.sort(inOrder);
    this.#spill.write(this.#entries.map(encode));
    this.#entries = [];
    this.#held = 0;
  }

  *#merged(): Generator<Entry, void, void> {
    if (this.#spill === undefined) {
      yield* this.#entries;
      return;
    }
    const sources: Iterator<Entry>[] = [
      ...this.#spill.runs().map((run) => decodeAll(run)),
      this.#entries[Symbol.iterator](),
    ];
    // By their next entry. Runs follow each other in time for the most part, so the first mostly stays first.
    const heads: { entry: Entry; readonly source: Iterator<Entry> }[] = [];
    for (const source of sources) {
      const next = source.next();
      if (next.done !== true) heads.push({ entry: next.value, source });
    }
    heads.sort((one, other) => inOrder(one.entry, other.entry));
    while (heads.length > 0) {
      const head = heads[0];
      yield head.entry;
      const next = head.source.next();
      if (next.done === true) {
        heads.shift();
        continue;
      }
      head.entry = next.value;
      let at = 0;
      for (; at + 1 < heads.length && inOrder(heads[at + 1].entry, next.value) < 0; at++) heads[at] = heads[at + 1];
      heads[at] = head;
    }
  }
}

function inOrder(a: Entry, b: Entry): number {
  const times = compareTimes(a.time, b.time);
  if (times !== 0) return times;
  if (a.conn !== b.conn) return a.conn < b.conn ? -1 : 1;
  return a.place - b.place;
}

/** Of numbers as text; those of now have 19 digits. */
function compareTimes(a: string, b: string): number {
  if (a.length !== b.length || a.charCodeAt(0) === 45 || b.charCodeAt(0) === 45) {
    const difference = BigInt(a) - BigInt(b);
    return difference === 0n ? 0 : difference < 0n ? -1 : 1;
  }
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** JSON holds no tab as such. */
function encode({ time, conn, place, text }: Entry): string {
  return `${time}\t${place}\t${JSON.stringify(conn)}\t${text}`;
}

function* decodeAll(lines: Iterator<string>): Generator<Entry, void, void> {
  for (let next = lines.next(); next.done !== true; next = lines.next()) {
    const line = next.value;
    const one = line.indexOf('\t');
    const two = line.indexOf('\t', one + 1);
    const three = line.indexOf('\t', two + 1);
    yield {
      time: line.slice(0, one),
      place: Number(line.slice(one + 1, two)),
      conn: JSON.parse(line.slice(two + 1, three)) as string,
      text: line.slice(three + 1),
    };
  }
}
