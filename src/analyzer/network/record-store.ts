import { RECORD } from '../../model/record.gen.ts';

const FIRST_SIZE = 1024;

/** Copies of whole records, in the order they came, with the views of an EventBatch. */
export class RecordStore {
  bytes: Uint8Array;
  words: Uint32Array;
  halves: Uint16Array;
  /** Bytes in use. */
  length = 0;
  count = 0;

  constructor() {
    const buffer = new ArrayBuffer(FIRST_SIZE);
    this.bytes = new Uint8Array(buffer);
    this.words = new Uint32Array(buffer);
    this.halves = new Uint16Array(buffer);
  }

  add(bytes: Uint8Array, offset: number, length: number): void {
    if (this.length + length > this.bytes.length) this.#grow(this.length + length);
    this.bytes.set(bytes.subarray(offset, offset + length), this.length);
    this.length += length;
    this.count++;
  }

  /** Length of the record at an offset. */
  lengthAt(offset: number): number {
    return this.words[(offset + RECORD.head.length) >>> 2];
  }

  remove(offset: number): void {
    const length = this.lengthAt(offset);
    this.bytes.copyWithin(offset, offset + length, this.length);
    this.length -= length;
    this.count--;
  }

  #grow(length: number): void {
    const buffer = new ArrayBuffer(Math.max(this.bytes.length * 2, (length + 63) & ~63));
    const bytes = new Uint8Array(buffer);
    bytes.set(this.bytes.subarray(0, this.length));
    this.bytes = bytes;
    this.words = new Uint32Array(buffer);
    this.halves = new Uint16Array(buffer);
  }
}
