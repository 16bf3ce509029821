import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { SondeError } from '../model/errors.ts';

/** Writes data to a stream as fast as it takes it, and stops quietly when the reader has gone (`| head`). */
export interface Output {
  /** Resolves when more may be written. */
  write(text: string): Promise<void>;
  /** Resolves when everything has been handed over. */
  end(): Promise<void>;
  /** True once the reader has gone. */
  readonly closed: boolean;
}

/** Its methods throw SONDE_FILE_TAKEN when the stream fails, but not when its reader has just gone. */
export function createOutput(stream: Writable): Output {
  let closed = false;
  let failure: Error | undefined;
  stream.on('error', (error: NodeJS.ErrnoException) => {
    closed = true;
    if (error.code !== 'EPIPE') {
      failure = new SondeError('SONDE_FILE_TAKEN', {
        detail: `standard output cannot be written (${error.code ?? error.message})`,
        remedy: 'Make room there, or write elsewhere.',
        cause: error,
      });
    }
  });
  const drained = async (): Promise<void> => {
    const gone = new AbortController();
    const end = () => gone.abort();
    stream.once('error', end).once('close', end);
    try {
      await once(stream, 'drain', { signal: gone.signal });
    } catch {
      closed = true;
    } finally {
      stream.off('error', end).off('close', end);
    }
  };
  return {
    get closed() {
      return closed;
    },
    async write(text) {
      if (!closed && !stream.write(text)) {
        await drained();
      }
      if (failure !== undefined) {
        throw failure;
      }
    },
    async end() {
      if (!closed) {
        await new Promise<void>((resolve) => {
          stream.write('', () => resolve());
        });
      }
      if (failure !== undefined) {
        throw failure;
      }
    },
  };
}
