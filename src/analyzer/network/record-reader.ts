import { RECORD } from '../../model/record.gen.ts';

/** The views of a batch, or of stored records. */
export interface RecordViews {
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  readonly halves: Uint16Array;
}

const WORD = 4294967296;

/** Turns the 64-bit times of records into doubles since an origin, exact for 104 days. */
export class RecordTimes {
  readonly #low: number;
  readonly #high: number;

  /** @param origin the record time that is 0, ns */
  constructor(origin: bigint) {
    this.#low = Number(origin & 0xffffffffn);
    this.#high = Number((origin >> 32n) & 0xffffffffn);
  }

  /** @param at byte offset of the time */
  read(words: Uint32Array, at: number): number {
    const word = at >>> 2;
    return (words[word + 1] - this.#high) * WORD + (words[word] - this.#low);
  }

  /** NaN where the record says 0, that is never. */
  readOptional(words: Uint32Array, at: number): number {
    const word = at >>> 2;
    return words[word] === 0 && words[word + 1] === 0 ? Number.NaN : this.read(words, at);
  }
}

/** A 64-bit duration or identity small enough for a double. */
export function readWide(words: Uint32Array, at: number): number {
  const word = at >>> 2;
  return words[word + 1] * WORD + words[word];
}

/** A port in network order. */
export function readPort(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 8) | bytes[at + 1];
}

/** `number` of a record that has one: a message's own, else the last one attempted on the socket. */
export function recordNumber(words: Uint32Array, offset: number, isMessage: boolean): number {
  return words[(offset + (isMessage ? RECORD.message.number : RECORD.totals.number)) >>> 2];
}
