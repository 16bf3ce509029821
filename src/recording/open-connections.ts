import type { EventBatch } from '../model/event-batch.ts';
import { KIND, RECORD } from '../model/record.gen.ts';
import { ENTRY, ENTRY_HEAD_BYTES, MAX_BLOCK_BYTES } from './format.ts';
import { zeroPadding } from './padding.ts';

const { head, open, owner, size: sizes } = RECORD;

/** Connections beyond these are not remembered: 192 bytes each. */
const MAX_CONNECTIONS = 65_536;
/** Of a block, before compression. */
const MOST_BYTES = MAX_BLOCK_BYTES / 2;

/** What an owner record says anew of what an open record said: from, to, length. */
const OWNED = [
  [owner.cgroupId, open.cgroupId, 8],
  [owner.tgid, open.tgid, 4],
  [owner.tid, open.tid, 4],
  [owner.comm, open.comm, 16],
] as const;

interface Opened {
  readonly record: Uint8Array;
  readonly generation: number;
  /** Numbers of the blocks that hold the open and the close record. */
  readonly openedIn: number;
  closedIn: number;
}

/**
 * Remembers who talks to whom on the connections that are open, so that a file of a recording can say it of those
 * that were opened in files before it. Blocks are numbered as they are made, from 0; they are written later.
 */
export class OpenConnections {
  /** By index. */
  readonly #open = new Map<number, Opened>();
  /** Closed in blocks that are not written yet, in order. */
  #closed: Opened[] = [];
  #block = 0;

  /** A record that goes into the block that is being made. */
  take({ bytes, words, halves }: EventBatch, offset: number): void {
    const kind = bytes[offset + head.kind];
    if (kind !== KIND.open && kind !== KIND.owner && kind !== KIND.close) return;
    const index = words[(offset + head.index) >>> 2];
    const generation = halves[(offset + head.generation) >>> 1];
    const known = this.#open.get(index);
    if (kind === KIND.open) {
      if (known === undefined && this.#open.size + this.#closed.length >= MAX_CONNECTIONS) return;
      if (words[offset >>> 2] !== sizes.open) return;
      const record = bytes.slice(offset, offset + sizes.open);
      zeroPadding(record);
      this.#open.set(index, { record, generation, openedIn: this.#block, closedIn: Infinity });
    } else if (known?.generation !== generation) {
      // Its open record was lost.
    } else if (kind === KIND.close) {
      this.#open.delete(index);
      known.closedIn = this.#block;
      this.#closed.push(known);
    } else {
      for (const [from, to, length] of OWNED) {
        known.record.set(bytes.subarray(offset + from, offset + from + length), to);
      }
    }
  }

  /** A block was made. @param waiting blocks that are not written yet, this one included */
  blockMade(waiting: number): void {
    this.#block++;
    const oldest = this.#block - waiting;
    if (this.#closed.length > 0 && this.#closed[0].closedIn < oldest) {
      this.#closed = this.#closed.filter(({ closedIn }) => closedIn >= oldest);
    }
  }

  /**
   * Blocks of entries that name the connections that were open when the oldest block that waits began.
   *
   * @param waiting blocks that were made and are not written yet
   * @param maxBytes about so long they are together at most, before compression
   */
  blocks(waiting: number, maxBytes: number): Uint8Array[] {
    const oldest = this.#block - waiting;
    const records = [...this.#closed, ...this.#open.values()]
      .filter(({ openedIn, closedIn }) => openedIn < oldest && closedIn >= oldest)
      .slice(0, Math.floor(maxBytes / sizes.open))
      .map(({ record }) => record);
    const perBlock = Math.floor(MOST_BYTES / sizes.open);
    const blocks: Uint8Array[] = [];
    for (let first = 0; first < records.length; first += perBlock) {
      blocks.push(blockOf(records.slice(first, first + perBlock)));
    }
    return blocks;
  }
}

function blockOf(records: readonly Uint8Array[]): Uint8Array {
  const block = new Uint8Array(ENTRY_HEAD_BYTES + records.length * sizes.open);
  const view = new DataView(block.buffer);
  view.setUint32(0, block.length, true);
  view.setUint32(4, ENTRY.connections, true);
  for (const [i, record] of records.entries()) block.set(record, ENTRY_HEAD_BYTES + i * sizes.open);
  return block;
}
