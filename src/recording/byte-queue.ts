/** Takes as many bytes as are asked for from a stream of chunks. */
export class ByteQueue {
  readonly #input: AsyncIterator<Uint8Array>;
  #chunks: Buffer[] = [];
  #length = 0;
  #offset = 0;

  constructor(input: AsyncIterable<Uint8Array>) {
    this.#input = input[Symbol.asyncIterator]();
  }

  /** Bytes taken so far. */
  get offset(): number {
    return this.#offset;
  }

  /** So many bytes, or null if there are no more so many; then what is left is gone. */
  async take(count: number): Promise<Buffer | null> {
    while (this.#length < count) {
      const next = await this.#input.next();
      if (next.done === true) {
        this.#offset += this.#length;
        this.#chunks = [];
        this.#length = 0;
        return null;
      }
      const { value } = next;
      this.#chunks.push(Buffer.from(value.buffer, value.byteOffset, value.byteLength));
      this.#length += value.length;
    }
    const joined = this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks, this.#length);
    this.#chunks = count < joined.length ? [joined.subarray(count)] : [];
    this.#length -= count;
    this.#offset += count;
    return joined.subarray(0, count);
  }
}
