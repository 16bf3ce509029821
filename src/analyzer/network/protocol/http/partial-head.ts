import { CR, LF } from './characters.ts';

/** A longer head is treated as one whose end was not captured. */
const LONGEST_HEAD = 16_384;
const FIRST_SIZE = 512;
/** Partial heads of all connections together, in bytes; beyond, none is waited for. */
const MAX_BYTES = 16 << 20;

/** What the partial heads of one analyzer share. */
export class HeadBudget {
  used = 0;

  get isSpent(): boolean {
    return this.used > MAX_BYTES;
  }
}

/** The beginning of a head that goes on in the next call. */
export class PartialHead {
  #bytes: Uint8Array | null = null;
  #length = 0;
  readonly #budget: HeadBudget;

  constructor(budget: HeadBudget) {
    this.#budget = budget;
  }

  get length(): number {
    return this.#length;
  }

  get bytes(): Uint8Array {
    return this.#bytes ?? NOTHING;
  }

  get isFull(): boolean {
    return this.#length >= LONGEST_HEAD || this.isCrowded;
  }

  /** It is full because of what the heads of all connections take. */
  get isCrowded(): boolean {
    return this.#length > 0 && this.#budget.isSpent;
  }

  /**
   * Adds bytes up to the end of the head.
   *
   * @returns how many of them were taken; `ended` tells whether the head is whole now
   */
  add(bytes: Uint8Array, start: number, end: number): number {
    const count = Math.min(end - start, LONGEST_HEAD - this.#length);
    this.#reserve(this.#length + count);
    const own = this.bytes;
    for (let i = 0; i < count; i++) {
      own[this.#length++] = bytes[start + i];
      if (bytes[start + i] === LF && this.ended) return i + 1;
    }
    return count;
  }

  /** It ends with an empty line. */
  get ended(): boolean {
    const own = this.bytes;
    let at = this.#length - 1;
    if (at < 1 || own[at] !== LF) return false;
    at--;
    if (own[at] === CR) at--;
    return at >= 0 && own[at] === LF;
  }

  clear(): void {
    this.#budget.used -= this.bytes.length;
    this.#bytes = null;
    this.#length = 0;
  }

  #reserve(length: number): void {
    const size = this.bytes.length;
    if (length <= size) return;
    const grown = new Uint8Array(Math.max(FIRST_SIZE, size * 2, length));
    grown.set(this.bytes.subarray(0, this.#length));
    this.#budget.used += grown.length - size;
    this.#bytes = grown;
  }
}

const NOTHING = new Uint8Array(0);
