import type { Text } from '../../text-table.ts';

/** What a block of field lines says, without a trace id: the same bytes always say the same. */
export interface FieldBlock {
  readonly contentLength: number;
  readonly transferEncoding: boolean;
  readonly chunked: boolean;
  readonly expectContinue: boolean;
  readonly host: Text | null;
  readonly agent: Text | null;
}

const SLOTS = 256;
const LONGEST = 1024;
const SHORTEST = 16;
/** After so many lookups the use of it is judged, and if it has none it rests for so many heads. */
const TRIAL = 1024;
const REST = 16_384;

/**
 * Blocks of field lines that were read before. Clients send the same lines with every request: comparing four bytes
 * at a time is several times cheaper than reading them again. A block here is whole: it ends with the empty line,
 * and the capture ends with it.
 */
export class FieldBlocks {
  readonly #bytes = new Uint8Array(SLOTS * LONGEST);
  readonly #view = new DataView(this.#bytes.buffer);
  readonly #lengths = new Uint16Array(SLOTS);
  readonly #blocks: (FieldBlock | null)[] = Array.from({ length: SLOTS }, () => null);
  #slot = 0;
  #lookups = 0;
  #hits = 0;
  #resting = 0;

  /** What the bytes [start, end) of the view say, if it is known. */
  find(source: DataView, start: number, end: number): FieldBlock | null {
    const length = end - start;
    this.#slot = -1;
    if (length < SHORTEST || length > LONGEST || !this.#isWorthIt()) return null;
    const middle = source.getUint32(start + (length >> 1), true);
    const last = source.getUint32(end - 12, true);
    const mixed = Math.imul(middle ^ (length << 20) ^ (last << 7), 0x9e3779b1);
    const slot = (mixed >>> 16) & (SLOTS - 1);
    this.#slot = slot;
    if (this.#lengths[slot] !== length || !this.#isSame(source, start, slot * LONGEST, length)) return null;
    this.#hits++;
    return this.#blocks[slot];
  }

  /** Keeps what the bytes that were just looked for say. */
  add(bytes: Uint8Array, start: number, end: number, block: FieldBlock): void {
    if (this.#slot < 0) return;
    this.#bytes.set(bytes.subarray(start, end), this.#slot * LONGEST);
    this.#lengths[this.#slot] = end - start;
    this.#blocks[this.#slot] = block;
  }

  #isSame(source: DataView, from: number, at: number, length: number): boolean {
    const own = this.#view;
    const words = length & ~3;
    for (let i = 0; i < words; i += 4) {
      if (source.getUint32(from + i, true) !== own.getUint32(at + i, true)) return false;
    }
    // The last word, which may overlap: a block is never shorter than one.
    return source.getUint32(from + length - 4, true) === own.getUint32(at + length - 4, true);
  }

  #isWorthIt(): boolean {
    if (this.#resting > 0) {
      this.#resting--;
      return false;
    }
    this.#lookups++;
    if (this.#lookups === TRIAL) {
      if (this.#hits < TRIAL / 4) this.#resting = REST;
      this.#lookups = 0;
      this.#hits = 0;
    }
    return true;
  }
}
