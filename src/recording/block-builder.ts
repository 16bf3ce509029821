import type { EventBatch } from '../model/event-batch.ts';
import { ENTRY, ENTRY_HEAD_BYTES, MAX_BLOCK_BYTES, POLICY_BYTES, TICK_BYTES } from './format.ts';
import type { Note } from './note.ts';

/** A block that is full, before compression. */
export interface Block {
  readonly bytes: Uint8Array;
  readonly records: number;
}

const FIRST_POLICIES = 256;

/** Collects entries (see format.ts) until there is enough of them for a block. */
export class BlockBuilder {
  readonly #enough: number;
  readonly #emit: (block: Block) => void;
  readonly #bytes = new Uint8Array(MAX_BLOCK_BYTES);
  readonly #view = new DataView(this.#bytes.buffer);
  #length = 0;
  #records = 0;
  /** Policies that were not written yet, in words of 32 bits. */
  #policies = new Uint32Array(FIRST_POLICIES);
  #policyWords = 0;

  /**
   * @param enough once it holds so many bytes, a block is emitted
   * @param emit takes each block; its bytes are its own
   */
  constructor(enough: number, emit: (block: Block) => void) {
    this.#enough = enough;
    this.#emit = emit;
  }

  /** Records that are in no emitted block yet. */
  get records(): number {
    return this.#records;
  }

  get isEmpty(): boolean {
    return this.#length === 0 && this.#policyWords === 0;
  }

  /**
   * Adds records from `start` to `end` of a batch, at most half a block.
   *
   * @param clean is called with the copy, before anything else sees it
   */
  addRecords(batch: EventBatch, start: number, end: number, count: number, clean: (copy: Uint8Array) => void): void {
    this.#addPolicies();
    const at = this.#begin(ENTRY.records, end - start);
    this.#bytes.set(batch.bytes.subarray(start, end), at);
    clean(this.#bytes.subarray(at, at + end - start));
    this.#records += count;
    this.#emitIfEnough();
  }

  addTick(now: number, tickNs: number): void {
    this.#addClock(ENTRY.tick, now, tickNs);
  }

  addFlush(now: number, tickNs: number): void {
    this.#addClock(ENTRY.flush, now, tickNs);
  }

  addNote(note: Note): void {
    this.#addPolicies();
    const text = Buffer.from(JSON.stringify(note));
    // Padded with spaces, which JSON ignores.
    const length = (text.length + 7) & ~7;
    if (length > MAX_BLOCK_BYTES / 4) return;
    const at = this.#begin(ENTRY.note, length);
    this.#bytes.fill(0x20, at, at + length);
    this.#bytes.set(text, at);
    this.#emitIfEnough();
  }

  addPolicy(index: number, generation: number, word: number): void {
    if (this.#policyWords === this.#policies.length) this.#addPolicies();
    this.#policies[this.#policyWords] = index;
    this.#policies[this.#policyWords + 1] = (generation & 0xffff) | (word << 16);
    this.#policyWords += 2;
  }

  /** Emits what there is. */
  flush(): void {
    this.#addPolicies();
    if (this.#length === 0) return;
    const block = { bytes: this.#bytes.slice(0, this.#length), records: this.#records };
    this.#length = 0;
    this.#records = 0;
    this.#emit(block);
  }

  #addClock(type: number, now: number, tickNs: number): void {
    this.#addPolicies();
    const at = this.#begin(type, TICK_BYTES);
    this.#view.setFloat64(at, now, true);
    this.#view.setFloat64(at + 8, tickNs, true);
    this.#emitIfEnough();
  }

  #addPolicies(): void {
    const words = this.#policyWords;
    if (words === 0) return;
    this.#policyWords = 0;
    const at = this.#begin(ENTRY.policies, (words / 2) * POLICY_BYTES);
    for (let i = 0; i < words; i++) this.#view.setUint32(at + i * 4, this.#policies[i], true);
  }

  /** @returns where the body begins */
  #begin(type: number, bodyLength: number): number {
    const length = (ENTRY_HEAD_BYTES + bodyLength + 7) & ~7;
    if (this.#length + length > this.#bytes.length) this.flush();
    const at = this.#length;
    this.#view.setUint32(at, length, true);
    this.#view.setUint32(at + 4, type, true);
    this.#length += length;
    return at + ENTRY_HEAD_BYTES;
  }

  #emitIfEnough(): void {
    if (this.#length >= this.#enough) this.flush();
  }
}
