/** What comes out of a LineSplitter. */
export interface LineHandlers {
  /** A line without its end. The bytes are valid during the call. */
  line(bytes: Buffer, number: number): void;
  /** A line that is longer than the bound; its rest is passed over. */
  tooLong(number: number): void;
}

const LF = 10;
const CR = 13;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf] as const;

/** Cuts a stream of bytes into lines. Holds one line at most, and that only up to the bound. */
export class LineSplitter {
  readonly #handlers: LineHandlers;
  readonly #maxBytes: number;
  #rest: Buffer[] = [];
  #restLength = 0;
  #skipping = false;
  #number = 0;

  constructor(handlers: LineHandlers, maxBytes: number) {
    this.#handlers = handlers;
    this.#maxBytes = maxBytes;
  }

  push(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let start = 0;
    for (;;) {
      const end = bytes.indexOf(LF, start);
      if (end < 0) break;
      this.#add(bytes.subarray(start, end));
      this.#emit();
      start = end + 1;
    }
    if (start < bytes.length) this.#add(Buffer.from(bytes.subarray(start)));
  }

  /** The stream is over: what is left is a line. */
  end(): void {
    if (this.#restLength > 0 || this.#skipping) this.#emit();
  }

  #add(part: Buffer): void {
    if (this.#skipping) return;
    if (this.#restLength + part.length > this.#maxBytes) {
      this.#skipping = true;
      this.#rest = [];
      this.#restLength = 0;
      this.#handlers.tooLong(this.#number + 1);
      return;
    }
    this.#rest.push(part);
    this.#restLength += part.length;
  }

  #emit(): void {
    this.#number++;
    if (this.#skipping) {
      this.#skipping = false;
      return;
    }
    let line = this.#rest.length === 1 ? this.#rest[0] : Buffer.concat(this.#rest);
    this.#rest = [];
    this.#restLength = 0;
    if (this.#number === 1 && BYTE_ORDER_MARK.every((byte, i) => line[i] === byte)) line = line.subarray(3);
    if (line.at(-1) === CR) line = line.subarray(0, -1);
    if (line.length > 0) this.#handlers.line(line, this.#number);
  }
}
