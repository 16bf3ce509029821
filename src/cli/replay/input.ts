import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { SondeError } from '../../model/errors.ts';
import { detectFormat } from './input-format.ts';

/** What this build can replay. */
export type ReadableFormat = 'ndjson' | 'sonde';

/** One input of a replay, opened and known to be readable. */
export interface ReplayInput {
  /** As people named it; `-` reads `stdin`. */
  readonly name: string;
  /** By its content. @throws SondeError if it is none that this build can read */
  format(): Promise<ReadableFormat>;
  /** Its bytes, once. @throws SondeError */
  bytes(): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/** Enough to tell every format apart. */
const HEAD_BYTES = 512;
/** A pipe may give its first bytes one by one; a magic number has at most six. */
const LEAST_HEAD_BYTES = 16;
/** How much of a file is read at a time. */
const CHUNK_BYTES = 256 << 10;

/** Opens all inputs before anything is read, so that a wrong name or format costs nothing. @throws SondeError */
export async function openInputs(names: readonly string[], stdin: Readable): Promise<ReplayInput[]> {
  if (names.filter((name) => name === '-').length > 1) {
    throw new SondeError('SONDE_USAGE', { detail: '- can be named once', remedy: 'Give standard input once.' });
  }
  const inputs: ReplayInput[] = [];
  try {
    for (const name of names) {
      inputs.push(name === '-' ? fromStream('-', stdin, () => Promise.resolve()) : await fromFile(name));
    }
    return inputs;
  } catch (error) {
    await Promise.all(inputs.map((input) => input.close()));
    throw error;
  }
}

async function fromFile(name: string): Promise<ReplayInput> {
  let file: FileHandle | undefined;
  try {
    file = await open(name, 'r');
    if ((await file.stat()).isDirectory()) {
      throw Object.assign(new Error('is a directory'), { code: 'EISDIR' });
    }
    // A pipe has no place to read the head from without taking it.
    if ((await file.stat()).isFile()) {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
      readableFormat(name, buffer.subarray(0, bytesRead));
    }
  } catch (error) {
    await file?.close();
    throw asInputError(name, error);
  }
  const handle = file;
  const stream = handle.createReadStream({
    autoClose: false,
    highWaterMark: CHUNK_BYTES,
    ...((await handle.stat()).isFile() ? { start: 0 } : {}),
  });
  return fromStream(name, stream, () => handle.close());
}

function fromStream(name: string, stream: Readable, close: () => Promise<void>): ReplayInput {
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  let head: Promise<Uint8Array> | undefined;
  const peek = (): Promise<Uint8Array> => (head ??= readHead(name, chunks));
  return {
    name,
    async format() {
      return readableFormat(name, (await peek()).subarray(0, HEAD_BYTES));
    },
    async *bytes() {
      const first = await peek();
      readableFormat(name, first.subarray(0, HEAD_BYTES));
      yield first;
      try {
        for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
      } catch (error) {
        throw asInputError(name, error);
      }
    },
    close,
  };
}

async function readHead(name: string, chunks: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
  let head: Uint8Array = new Uint8Array(0);
  try {
    while (head.length < LEAST_HEAD_BYTES) {
      const next = await chunks.next();
      if (next.done === true) break;
      head = head.length === 0 ? next.value : Buffer.concat([head, next.value]);
    }
    return head;
  } catch (error) {
    throw asInputError(name, error);
  }
}

function readableFormat(name: string, head: Uint8Array): ReadableFormat {
  const format = detectFormat(head);
  if (format === 'unknown') {
    throw new SondeError('SONDE_FORMAT', { detail: `${name} is of no known format` });
  }
  if (format === 'pcap' || format === 'pcapng') {
    throw new SondeError('SONDE_NOT_IN_BUILD', {
      detail: `${name} is a .${format} file, and reading those is not in this build yet`,
      remedy: 'Give a recording (.sonde), or segment lines (.ndjson), one JSON object a line.',
    });
  }
  return format === 'sonde' ? 'sonde' : 'ndjson';
}

function asInputError(name: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (error instanceof SondeError || code === undefined) {
    return error;
  }
  const why = code === 'ENOENT' ? 'does not exist' : code === 'EISDIR' ? 'is a directory' : `cannot be read (${code})`;
  return new SondeError('SONDE_FILE_MISSING', { detail: `${name} ${why}`, cause: error });
}
