import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { SondeError } from '../../model/errors.ts';
import { detectFormat } from './input-format.ts';

/** One input of a replay, opened and known to be readable. */
export interface ReplayInput {
  /** As people named it; `-` reads `stdin`. */
  readonly name: string;
  /** Its bytes. @throws SondeError if it turns out to be of a format that this build cannot read */
  bytes(): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/** Enough to tell every format apart. */
const HEAD_BYTES = 512;
/** A pipe may give its first bytes one by one; a magic number has at most six. */
const LEAST_HEAD_BYTES = 16;

/** Opens all inputs before anything is read, so that a wrong name or format costs nothing. @throws SondeError */
export async function openInputs(names: readonly string[], stdin: Readable): Promise<ReplayInput[]> {
  if (names.filter((name) => name === '-').length > 1) {
    throw new SondeError('SONDE_USAGE', { detail: '- can be named once', remedy: 'Give standard input once.' });
  }
  const inputs: ReplayInput[] = [];
  try {
    for (const name of names) {
      inputs.push(name === '-' ? fromStream(stdin) : await fromFile(name));
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
      refuseUnreadable(name, buffer.subarray(0, bytesRead));
    }
  } catch (error) {
    await file?.close();
    throw asInputError(name, error);
  }
  const handle = file;
  const stream = handle.createReadStream({ autoClose: false, ...((await handle.stat()).isFile() ? { start: 0 } : {}) });
  return { name, bytes: () => checked(name, stream), close: () => handle.close() };
}

function fromStream(stdin: Readable): ReplayInput {
  return { name: '-', bytes: () => checked('-', stdin), close: () => Promise.resolve() };
}

/** The bytes of a stream, after a look at the first ones. */
async function* checked(name: string, stream: Readable): AsyncGenerator<Uint8Array, void, void> {
  let head: Buffer | undefined = Buffer.alloc(0);
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      if (head === undefined) {
        yield chunk;
        continue;
      }
      head = Buffer.concat([head, chunk]);
      if (head.length >= LEAST_HEAD_BYTES) {
        refuseUnreadable(name, head.subarray(0, HEAD_BYTES));
        yield head;
        head = undefined;
      }
    }
    if (head !== undefined) {
      refuseUnreadable(name, head);
      yield head;
    }
  } catch (error) {
    throw asInputError(name, error);
  }
}

function refuseUnreadable(name: string, head: Uint8Array): void {
  const format = detectFormat(head);
  if (format === 'unknown') {
    throw new SondeError('SONDE_FORMAT', { detail: `${name} is of no known format` });
  }
  if (format === 'sonde' || format === 'pcap' || format === 'pcapng') {
    throw new SondeError('SONDE_NOT_IN_BUILD', {
      detail: `${name} is a .${format} file, and reading those is not in this build yet`,
      remedy: 'Give segment lines (.ndjson), one JSON object a line.',
    });
  }
}

function asInputError(name: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (error instanceof SondeError || code === undefined) {
    return error;
  }
  const why = code === 'ENOENT' ? 'does not exist' : code === 'EISDIR' ? 'is a directory' : `cannot be read (${code})`;
  return new SondeError('SONDE_FILE_MISSING', { detail: `${name} ${why}`, cause: error });
}
