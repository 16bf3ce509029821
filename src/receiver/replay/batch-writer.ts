import type { EventBatch } from '../../model/event-batch.ts';
import { RECORD } from '../../model/record.gen.ts';

const { head, align } = RECORD;

/** Collects records into one reused batch and hands it over when it is full. */
export class BatchWriter {
  readonly view: DataView;
  readonly #batch: { bytes: Uint8Array; words: Uint32Array; halves: Uint16Array; length: number };
  readonly #deliver: (batch: EventBatch) => void;

  constructor(capacity: number, deliver: (batch: EventBatch) => void) {
    const buffer = new ArrayBuffer(capacity);
    this.view = new DataView(buffer);
    this.#batch = {
      bytes: new Uint8Array(buffer),
      words: new Uint32Array(buffer),
      halves: new Uint16Array(buffer),
      length: 0,
    };
    this.#deliver = deliver;
  }

  get bytes(): Uint8Array {
    return this.#batch.bytes;
  }

  /** Begins a record: its head but for the flags is written, the rest is 0. @returns where it begins */
  begin(record: { kind: number; index: number; generation: number; time: bigint; size: number }): number {
    const length = (record.size + align - 1) & ~(align - 1);
    if (this.#batch.length + length > this.#batch.bytes.length) this.flush();
    const offset = this.#batch.length;
    this.#batch.bytes.fill(0, offset, offset + length);
    this.#batch.length += length;
    this.view.setUint32(offset + head.length, length, true);
    this.view.setUint8(offset + head.kind, record.kind);
    this.view.setUint32(offset + head.index, record.index, true);
    this.view.setUint16(offset + head.generation, record.generation & 0xffff, true);
    this.view.setBigUint64(offset + head.time, record.time, true);
    return offset;
  }

  flush(): void {
    if (this.#batch.length === 0) return;
    this.#deliver(this.#batch);
    this.#batch.length = 0;
  }
}
