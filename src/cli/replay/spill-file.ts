import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SondeError } from '../../model/errors.ts';

/** Lines of one run, from one byte of the file to another. */
interface Run {
  readonly start: number;
  readonly end: number;
}

const PIECE_BYTES = 64 << 10;
const LF = 10;

/** What does not fit into memory: runs of lines in one temporary file that nobody else can see. */
export class SpillFile {
  readonly #path = join(tmpdir(), `sonde-replay-${randomUUID()}`);
  readonly #file: number;
  readonly #runs: Run[] = [];
  #size = 0;
  readonly #isLinked: boolean;

  /** @throws SondeError SONDE_FILE_TAKEN */
  constructor() {
    this.#file = attempt(() => openSync(this.#path, 'wx+', 0o600));
    this.#isLinked = !isUnlinked(this.#path);
  }

  /** Adds a run. @throws SondeError SONDE_FILE_TAKEN */
  write(lines: Iterable<string>): void {
    const start = this.#size;
    let piece = '';
    for (const line of lines) {
      piece += `${line}\n`;
      if (piece.length >= PIECE_BYTES) {
        this.#append(piece);
        piece = '';
      }
    }
    this.#append(piece);
    this.#runs.push({ start, end: this.#size });
  }

  /** The lines of each run; a run can be read more than once. */
  runs(): Iterator<string>[] {
    return this.#runs.map((run) => this.#lines(run));
  }

  close(): void {
    closeSync(this.#file);
    if (this.#isLinked) unlinkSync(this.#path);
  }

  #append(text: string): void {
    const bytes = Buffer.from(text);
    attempt(() => {
      for (let at = 0; at < bytes.length; ) {
        at += writeSync(this.#file, bytes, at, bytes.length - at, this.#size + at);
      }
    });
    this.#size += bytes.length;
  }

  *#lines({ start, end }: Run): Generator<string, void, void> {
    let rest = Buffer.alloc(0);
    for (let at = start; at < end; ) {
      const piece = Buffer.alloc(Math.min(PIECE_BYTES, end - at));
      const count = attempt(() => readSync(this.#file, piece, 0, piece.length, at));
      if (count === 0) return;
      at += count;
      const bytes = Buffer.concat([rest, piece.subarray(0, count)]);
      let from = 0;
      for (let to = bytes.indexOf(LF); to >= 0; to = bytes.indexOf(LF, from)) {
        yield bytes.toString('utf8', from, to);
        from = to + 1;
      }
      rest = bytes.subarray(from);
    }
  }
}

/** Gone with the process, however that ends. Where the system keeps the name of an open file, it goes at close. */
function isUnlinked(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch {
    return false;
  }
}

function attempt<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw new SondeError('SONDE_FILE_TAKEN', {
      detail: `exchanges cannot be put aside in ${tmpdir()} (${(error as NodeJS.ErrnoException).code ?? String(error)})`,
      remedy: 'Make room there, set TMPDIR to another directory, or select fewer with --from, --to or --filter.',
      cause: error,
    });
  }
}
