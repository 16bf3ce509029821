import { RECORD } from '../../model/record.gen.ts';
import { readWide } from '../network/record-reader.ts';

const { tcp } = RECORD;

/** Counters of a tcp record that are 64 bits wide, and those of 32 bits, which wrap. */
const WIDE = [
  'bytesSent',
  'bytesRetransmitted',
  'bytesReceived',
  'busyUs',
  'receiverLimitedUs',
  'bufferLimitedUs',
] as const;
const NARROW = [
  'segmentsOut',
  'segmentsIn',
  'retransmits',
  'lossProbes',
  'spurious',
  'outOfOrder',
  'reordered',
  'delivered',
  'zeroWindowUs',
] as const;

type CounterName = (typeof WIDE)[number] | (typeof NARROW)[number];

const NAMES: readonly CounterName[] = [...WIDE, ...NARROW];
const COLUMNS = NAMES.length;

/** Place of each counter in `CounterTable.delta`. */
export const COUNTER_PLACE = Object.fromEntries(NAMES.map((name, place) => [name, place])) as Readonly<
  Record<CounterName, number>
>;

const WIDE_AT = WIDE.map((name) => tcp[name]);
const NARROW_AT = NARROW.map((name) => tcp[name]);
const HALF = 0x80000000;

/**
 * The counters of tcp records as they were last read, by the connection's index. Since they only grow and each record
 * carries all of them, what a lost record would have told is in the next one.
 */
export class CounterTable {
  /** What came on top in the record that was taken last. */
  readonly delta = new Float64Array(COLUMNS);
  #last = new Float64Array(64 * COLUMNS);

  /** A new socket has this index: it counts from 0. */
  begin(index: number): void {
    const base = index * COLUMNS;
    if (base + COLUMNS > this.#last.length) {
      const last = new Float64Array(Math.max(base + COLUMNS, this.#last.length * 2));
      last.set(this.#last);
      this.#last = last;
    }
    this.#last.fill(0, base, base + COLUMNS);
  }

  /** Takes a tcp record. @param isBaseline what it says happened before anybody looked: nothing came on top */
  take(index: number, words: Uint32Array, offset: number, isBaseline: boolean): void {
    const { delta } = this;
    const last = this.#last;
    const base = index * COLUMNS;
    for (let i = 0; i < WIDE_AT.length; i++) {
      const value = readWide(words, offset + WIDE_AT[i]);
      // The kernel reads a running chronometer without the socket's lock: it may seem to go back a little.
      const more = Math.max(0, value - last[base + i]);
      delta[i] = isBaseline ? 0 : more;
      last[base + i] += more;
    }
    for (let i = 0; i < NARROW_AT.length; i++) {
      const place = WIDE_AT.length + i;
      const value = words[(offset + NARROW_AT[i]) >>> 2];
      const more = (value - last[base + place]) >>> 0;
      // Back, not on.
      if (more >= HALF && !isBaseline) {
        delta[place] = 0;
        continue;
      }
      delta[place] = isBaseline ? 0 : more;
      last[base + place] = value;
    }
  }
}
