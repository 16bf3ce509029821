import { rm, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { partPath } from './part-names.ts';
import { packBlock, RecordingFile } from './recording-file.ts';
import type { WrittenBlock } from './recording-file.ts';

export interface PartLimits {
  /** No file grows beyond so many bytes. */
  readonly maxFileBytes: number;
  /** At most so many files: the oldest makes room. With 1 the recording ends when the file is full. */
  readonly maxFiles: number;
  /** The recording ends before the file system has less than so many bytes free. */
  readonly minFreeBytes: number;
}

/** Why a recording ended by itself. */
export type EndReason = 'size_cap' | 'disk_reserve' | 'write_failed';

export interface PartWriterOptions {
  readonly path: string;
  readonly limits: PartLimits;
  /** The header of a part, from 1. */
  readonly header: (part: number) => Buffer;
  /**
   * Blocks that stand first in a part from the second on.
   *
   * @param waiting blocks that were added and are not written yet
   * @param maxBytes about so long they are together at most, before compression
   */
  readonly preface?: (waiting: number, maxBytes: number) => readonly Uint8Array[];
  readonly onEnd: (reason: EndReason, detail: string) => void;
}

/** Bytes of blocks, before compression, that may wait for the disk. */
const MAX_WAITING_BYTES = 16 << 20;
/** Blocks that are compressed at a time, on Node's threads. */
const MAX_COMPRESSING = 4;
/** The file system is asked for its free space after so many bytes at the latest. */
const CHECK_BYTES = 4 << 20;

/** Compresses blocks and writes them in order, into one file after another. */
export class PartWriter {
  readonly #options: PartWriterOptions;
  readonly #queue: { readonly raw: Uint8Array; readonly records: number; readonly now: number }[] = [];
  readonly #compressing: { readonly block: Promise<WrittenBlock>; readonly raw: number; readonly records: number }[] =
    [];
  readonly #files: string[] = [];
  readonly #dropped: Record<EndReason, number> = { size_cap: 0, disk_reserve: 0, write_failed: 0 };
  #file: RecordingFile | undefined;
  #part = 0;
  #delivered = 0;
  #waitingBytes = 0;
  #waitingRecords = 0;
  #finishedBytes = 0;
  /** Bytes that may be written before the file system is asked again. */
  #allowance = 0;
  /** Of the last block that was written. */
  #now = 0;
  #ended: EndReason | undefined;
  #writing: Promise<void> | undefined;

  constructor(options: PartWriterOptions) {
    this.#options = options;
  }

  get files(): readonly string[] {
    return this.#files;
  }

  get bytes(): number {
    return this.#finishedBytes + (this.#file?.size ?? 0);
  }

  /** Records written. */
  get delivered(): number {
    return this.#delivered;
  }

  /** Records that wait to be written. */
  get waiting(): number {
    return this.#waitingRecords;
  }

  /** The one that is being written included. */
  get waitingBlocks(): number {
    return this.#queue.length + this.#compressing.length;
  }

  get dropped(): Readonly<Record<EndReason, number>> {
    return this.#dropped;
  }

  /** The disk does not keep up: nothing more is to be added for now. */
  get isFull(): boolean {
    return this.#waitingBytes >= MAX_WAITING_BYTES;
  }

  async open(): Promise<void> {
    await this.#openNext();
  }

  /** @param raw the block; it is the writer's from here on */
  add(raw: Uint8Array, records: number, now: number): void {
    // Ticks and notes go on while the disk stands still; they are small, but not for ever.
    if (this.#ended === undefined && this.#waitingBytes > MAX_WAITING_BYTES * 2) {
      this.#end('write_failed', `${this.#options.path}: nothing was written for too long`);
    }
    if (this.#ended !== undefined) {
      this.#dropped[this.#ended] += records;
      return;
    }
    this.#waitingBytes += raw.length;
    this.#waitingRecords += records;
    this.#queue.push({ raw, records, now });
    this.#compress();
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
  }

  /** Everything that was added is written or dropped; the file is whole. */
  async close(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
    await this.#finishFile();
  }

  #compress(): void {
    while (this.#compressing.length < MAX_COMPRESSING) {
      const next = this.#queue.shift();
      if (next === undefined) return;
      const block = packBlock(next.raw, next.records, next.now);
      // It is awaited in its turn.
      block.catch(() => {});
      this.#compressing.push({ block, raw: next.raw.length, records: next.records });
    }
  }

  async #writeAll(): Promise<void> {
    for (let next = this.#compressing[0]; next !== undefined; next = this.#compressing[0]) {
      const { raw, records } = next;
      if (this.#ended === undefined) {
        try {
          await this.#write(await next.block);
        } catch (error) {
          this.#end('write_failed', `${this.#file?.path ?? this.#options.path} cannot be written: ${messageOf(error)}`);
        }
      }
      if (this.#ended === undefined) this.#delivered += records;
      else this.#dropped[this.#ended] += records;
      this.#waitingBytes -= raw;
      this.#waitingRecords -= records;
      this.#compressing.shift();
      this.#compress();
    }
  }

  async #write(block: WrittenBlock): Promise<void> {
    const { limits, path } = this.#options;
    this.#allowance -= block.bytes.length;
    if (this.#allowance < 0) {
      await this.#checkFree(block.bytes.length);
      if (this.#ended !== undefined) return;
    }
    if (this.#file !== undefined && this.#file.sizeWith(block) > limits.maxFileBytes) {
      if (limits.maxFiles <= 1 || !this.#file.hasBlocks) {
        this.#end('size_cap', `${path} is full (--max-size)`);
        return;
      }
      await this.#openNext();
      if (this.#file.sizeWith(block) > limits.maxFileBytes) {
        this.#end('size_cap', `${path}: what is to be kept at a time is larger than a file may be (--max-size)`);
        return;
      }
    }
    await this.#file?.append(block);
    this.#now = block.now;
  }

  async #checkFree(next: number): Promise<void> {
    const { limits, path } = this.#options;
    const { bavail, bsize } = await statfs(dirname(path));
    // Room for the end of the file too.
    const spare = bavail * bsize - limits.minFreeBytes - next - (this.#file?.endBytes ?? 0);
    this.#allowance = Math.min(CHECK_BYTES, spare);
    if (spare >= 0 || limits.minFreeBytes === 0) return;
    this.#end('disk_reserve', `the file system of ${path} has no more free than it is to keep (--min-free)`);
  }

  async #openNext(): Promise<void> {
    const { limits, path, header } = this.#options;
    await this.#checkFree(0);
    if (this.#ended !== undefined) throw Object.assign(new Error('too little space is free'), { code: 'ENOSPC' });
    await this.#finishFile();
    while (this.#files.length >= limits.maxFiles) {
      const oldest = this.#files.shift();
      // It may be gone: people move away what is finished.
      if (oldest !== undefined) await rm(oldest, { force: true });
    }
    this.#part++;
    this.#file = await RecordingFile.create(partPath(path, this.#part), header(this.#part));
    this.#files.push(this.#file.path);
    if (this.#part === 1) return;
    for (const raw of this.#options.preface?.(this.waitingBlocks, limits.maxFileBytes / 4) ?? []) {
      await this.#file.append(await packBlock(raw, 0, this.#now));
    }
  }

  async #finishFile(): Promise<void> {
    const file = this.#file;
    if (file === undefined) return;
    this.#file = undefined;
    try {
      // On a full disk there is no room for an index either; the file can be read without.
      if (this.#ended !== 'write_failed') await file.finish();
    } finally {
      this.#finishedBytes += file.size;
      await file.close();
    }
  }

  #end(reason: EndReason, detail: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    this.#options.onEnd(reason, detail);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : String(error);
}
