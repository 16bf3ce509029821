const LINE_FEEDS = 0x0a0a0a0a;
const ONES = 0x01010101;
const HIGH_BITS = 0x80808080;

/** Finds line feeds four bytes at a time. */
export class LineEnds {
  #bytes: Uint8Array | null = null;
  #view: DataView = new DataView(new ArrayBuffer(0));

  /** Receivers use one buffer again and again: so does the view on it. */
  look(bytes: Uint8Array): void {
    if (this.#bytes === bytes) return;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get view(): DataView {
    return this.#view;
  }

  /** Place of the first line feed in [start, end) of the bytes that are looked at, or `end`. */
  next(start: number, end: number): number {
    const view = this.#view;
    let at = start;
    for (; at + 4 <= end; at += 4) {
      // A byte of `other` is 0 where the line feed is, and the lowest such byte is found exactly.
      const other = view.getInt32(at, true) ^ LINE_FEEDS;
      const zeros = (other - ONES) & ~other & HIGH_BITS;
      if (zeros !== 0) return at + ((31 - Math.clz32(zeros & -zeros)) >> 3);
    }
    while (at < end && view.getUint8(at) !== 10) at++;
    return at;
  }
}
