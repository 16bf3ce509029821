import type { EventBatch } from '../model/event-batch.ts';
import { ENTRY, ENTRY_HEAD_BYTES, TICK_BYTES } from './format.ts';

/** Takes the entries of a block, in order. */
export interface EntryHandler {
  /** The batch is valid during the call. */
  records(batch: EventBatch): void;
  /** Open records of connections that were opened in files before this one; the batch is valid during the call. */
  connections(batch: EventBatch): void;
  tick(now: number, tickNs: number): Promise<void> | void;
  flush(now: number, tickNs: number): void;
  /** What JSON says; not yet checked. */
  note(note: Readonly<Record<string, unknown>>): void;
}

/** Times beyond this are no times: 292 years of ns. From 2^53 on, 104 days, they are rounded, by 2 ns at first. */
const LATEST_NS = 2 ** 63;

/**
 * Walks the entries of a block.
 *
 * @returns what is wrong with it, or null; entries before the damage have been handed over
 */
export async function readEntries(bytes: Uint8Array, handler: EntryHandler): Promise<string | null> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let offset = 0; offset < bytes.length; ) {
    if (bytes.length - offset < ENTRY_HEAD_BYTES) return 'an entry is cut off';
    const length = view.getUint32(offset, true);
    const type = view.getUint8(offset + 4);
    if (length < ENTRY_HEAD_BYTES || length % 8 !== 0 || length > bytes.length - offset) {
      return `an entry of ${length} bytes does not fit into its block`;
    }
    const start = offset + ENTRY_HEAD_BYTES;
    const bodyLength = length - ENTRY_HEAD_BYTES;
    if (type === ENTRY.records) {
      handler.records(batchOf(bytes, start, bodyLength));
    } else if (type === ENTRY.connections) {
      handler.connections(batchOf(bytes, start, bodyLength));
    } else if (type === ENTRY.tick || type === ENTRY.flush) {
      if (bodyLength < TICK_BYTES) return 'a tick is cut off';
      const now = view.getFloat64(start, true);
      const tickNs = view.getFloat64(start + 8, true);
      if (!(now >= 0 && now <= LATEST_NS) || !(tickNs > 0 && tickNs <= 1e9)) return 'a tick tells no time';
      if (type === ENTRY.flush) handler.flush(now, tickNs);
      else await handler.tick(now, tickNs);
    } else if (type === ENTRY.note) {
      const note = parseNote(bytes.subarray(start, start + bodyLength));
      if (note === null) return 'a note is no JSON object';
      handler.note(note);
    }
    // Policies tell what was asked of the kernel; the records show what came of it.
    offset += length;
  }
  return null;
}

function batchOf(bytes: Uint8Array, start: number, length: number): EventBatch {
  const { buffer } = bytes;
  const at = bytes.byteOffset + start;
  return {
    bytes: new Uint8Array(buffer, at, length),
    words: new Uint32Array(buffer, at, length >>> 2),
    halves: new Uint16Array(buffer, at, length >>> 1),
    length,
  };
}

function parseNote(bytes: Uint8Array): Record<string, unknown> | null {
  try {
    const value = JSON.parse(Buffer.from(bytes).toString('utf8')) as unknown;
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
