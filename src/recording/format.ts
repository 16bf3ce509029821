/**
 * The format `.sonde` (docs/recording.md). All numbers are little-endian.
 *
 * | part | bytes |
 * | --- | --- |
 * | magic | `SONDE`, 0, version (16 bits) |
 * | sections | a head of 24 bytes, then what is stored: first the header, then blocks, last the index |
 * | trailer | place of the index (64 bits), `SONDEEND` |
 *
 * A section's head is: type (8 bits), 0 (24 bits), stored length, length before compression, records in it, CRC-32 of
 * what is stored, CRC-32 of these 20 bytes (32 bits each). A block is compressed by gzip and holds entries, each of
 * them a head of 8 bytes (length with the head, 32 bits, a multiple of 8; type, 8 bits; 0, 24 bits) and its body.
 */
import { crc32 } from 'node:zlib';

export const MAGIC = 'SONDE\0';
export const VERSION = 1;
/** Magic and version. */
export const PREAMBLE_BYTES = 8;

export const SECTION = { header: 1, block: 2, index: 3 } as const;
export const SECTION_HEAD_BYTES = 24;

export const ENTRY = {
  /** Records as the receiver handed them over, in one batch. */
  records: 1,
  /** The events' clock moved: now and the length of a kernel tick, both ns as doubles. */
  tick: 2,
  /** The receiver ended: now, as of a tick. */
  flush: 3,
  /** A JSON object with one key, see Note. */
  note: 4,
  /** Policies that were written: index (32 bits), generation and word (16 bits each). */
  policies: 5,
  /**
   * Open records of connections that were opened in files before this one, as their owners are by now: for readers
   * that do not have those files.
   */
  connections: 6,
} as const;
export const ENTRY_HEAD_BYTES = 8;
export const TICK_BYTES = 16;
export const POLICY_BYTES = 8;

export const TRAILER_BYTES = 16;
export const TRAILER_MAGIC = 'SONDEEND';

/** A longer block or header is damage: nothing that a file says makes a reader take more memory than this. */
export const MAX_BLOCK_BYTES = 1 << 20;
export const MAX_HEADER_BYTES = 4 << 20;
export const MAX_INDEX_BYTES = 16 << 20;

export interface SectionHead {
  readonly type: number;
  /** Bytes that follow the head. */
  readonly stored: number;
  /** Bytes before compression. */
  readonly raw: number;
  readonly records: number;
  /** Of the stored bytes. */
  readonly crc: number;
}

export function encodePreamble(): Buffer {
  const bytes = Buffer.alloc(PREAMBLE_BYTES);
  bytes.write(MAGIC, 'latin1');
  bytes.writeUInt16LE(VERSION, 6);
  return bytes;
}

export function encodeSectionHead(type: number, stored: Uint8Array, raw: number, records: number): Buffer {
  const bytes = Buffer.alloc(SECTION_HEAD_BYTES);
  bytes.writeUInt8(type, 0);
  bytes.writeUInt32LE(stored.length, 4);
  bytes.writeUInt32LE(raw, 8);
  bytes.writeUInt32LE(records, 12);
  bytes.writeUInt32LE(crc32(stored), 16);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 20)), 20);
  return bytes;
}

/** Null if the head's own checksum does not fit. */
export function decodeSectionHead(bytes: Buffer): SectionHead | null {
  if (bytes.readUInt32LE(20) !== crc32(bytes.subarray(0, 20))) return null;
  return {
    type: bytes.readUInt8(0),
    stored: bytes.readUInt32LE(4),
    raw: bytes.readUInt32LE(8),
    records: bytes.readUInt32LE(12),
    crc: bytes.readUInt32LE(16),
  };
}

export function encodeTrailer(indexOffset: number): Buffer {
  const bytes = Buffer.alloc(TRAILER_BYTES);
  bytes.writeBigUInt64LE(BigInt(indexOffset), 0);
  bytes.write(TRAILER_MAGIC, 8, 'latin1');
  return bytes;
}
