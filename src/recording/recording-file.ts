import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { encodePreamble, encodeSectionHead, encodeTrailer, SECTION, TRAILER_BYTES } from './format.ts';

const compress = promisify(gzip);

/** One line of the index: place in the file, records before it, time of the last tick before it in ns. */
type IndexLine = readonly [offset: number, recordsBefore: number, now: number];

/** More lines are thinned out: every second one goes. */
const MAX_INDEX_LINES = 16_384;
/** What an index line takes at most when it is compressed, and the index as such. */
const INDEX_LINE_BYTES = 24;
const INDEX_BYTES = 512;

export interface WrittenBlock {
  /** Head and compressed bytes. */
  readonly bytes: Buffer;
  readonly records: number;
  readonly now: number;
}

/** A block as it is written. Level 1: five times as fast as the usual one, and a tenth larger. */
export async function packBlock(raw: Uint8Array, records: number, now: number): Promise<WrittenBlock> {
  const stored = await compress(raw, { level: 1 });
  return {
    bytes: Buffer.concat([encodeSectionHead(SECTION.block, stored, raw.length, records), stored]),
    records,
    now,
  };
}

/** One file of a recording, while it is written. */
export class RecordingFile {
  readonly path: string;
  readonly #file: FileHandle;
  #size: number;
  #records = 0;
  #blocks = 0;
  #lines: IndexLine[] = [];
  #every = 1;

  private constructor(path: string, file: FileHandle, size: number) {
    this.path = path;
    this.#file = file;
    this.#size = size;
  }

  /** Makes the file, for its owner alone (0600), and writes the header. @throws what open and write throw */
  static async create(path: string, header: Buffer): Promise<RecordingFile> {
    // Never an existing file, nor what a link points to.
    const file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    try {
      const bytes = Buffer.concat([
        encodePreamble(),
        encodeSectionHead(SECTION.header, header, header.length, 0),
        header,
      ]);
      await writeAll(file, bytes);
      return new RecordingFile(path, file, bytes.length);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Bytes written so far. */
  get size(): number {
    return this.#size;
  }

  get hasBlocks(): boolean {
    return this.#blocks > 0;
  }

  /** Bytes that index and trailer take after one more block, at most. */
  get endBytes(): number {
    return INDEX_BYTES + INDEX_LINE_BYTES * (this.#lines.length + 1) + TRAILER_BYTES;
  }

  /** Bytes that it will have when this block is written and it is closed, at most. */
  sizeWith(block: WrittenBlock): number {
    return this.#size + block.bytes.length + this.endBytes;
  }

  async append(block: WrittenBlock): Promise<void> {
    await writeAll(this.#file, block.bytes);
    if (this.#blocks % this.#every === 0) this.#lines.push([this.#size, this.#records, Math.round(block.now)]);
    if (this.#lines.length >= MAX_INDEX_LINES) {
      this.#lines = this.#lines.filter((_, i) => i % 2 === 0);
      this.#every *= 2;
    }
    this.#blocks++;
    this.#records += block.records;
    this.#size += block.bytes.length;
  }

  /** Writes the index, which says that the file is whole. */
  async finish(): Promise<void> {
    const text = Buffer.from(JSON.stringify({ blocks: this.#blocks, records: this.#records, places: this.#lines }));
    const stored = await compress(text);
    const bytes = Buffer.concat([
      encodeSectionHead(SECTION.index, stored, text.length, 0),
      stored,
      encodeTrailer(this.#size),
    ]);
    await writeAll(this.#file, bytes);
    this.#size += bytes.length;
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

async function writeAll(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, at, bytes.length - at);
    at += bytesWritten;
  }
}
