import type { Writable } from 'node:stream';
import type { Consumer, DataGroup } from '../../model/data-group.ts';
import type { ExchangeGroup } from '../../model/exchange.ts';
import type { LabelSets } from '../../model/label-sets.ts';
import type { Stage } from '../../model/law.ts';
import { GROUP } from '../../model/names.ts';
import { toExchangeLine } from '../../model/exchange-line.ts';
import type { WallTime } from '../../model/exchange-line.ts';

export interface StdoutExporterOptions {
  readonly labels: LabelSets;
  readonly wallTime: WallTime;
  /** Where lines go; see openStandardOutput. */
  readonly output: Writable;
  /** At most so many characters wait for the reader; exchanges that find no room are dropped. Default 4 Mi. */
  readonly maxQueued?: number;
  /** How long `stop` waits for the reader, ms. Default 2,000. */
  readonly stopTimeoutMs?: number;
  /** Told once when the output fails. */
  readonly onError?: (error: Error) => void;
  /** Told once, in place of onError, when its reader has gone: `sonde run | head` is a fine thing to do. */
  readonly onReaderGone?: () => void;
}

export interface StdoutExporter extends Consumer {
  /** Resolves when nothing waits any more, or nothing can be written. */
  flush(): Promise<void>;
  /** Writes what waits, for a bounded time; drops the rest. */
  stop(): Promise<void>;
  /** Stage `export.stdout` of the law; unit: exchanges. */
  readonly stage: Stage;
}

/** Writes each exchange as a line of JSON. A slow reader costs lines, which are counted, and holds up nothing. */
export function createStdoutExporter(options: StdoutExporterOptions): StdoutExporter {
  return new LineWriter(options);
}

/** Lines are handed to the stream in pieces of about this many characters. */
const PIECE_LENGTH = 64 * 1024;

type DropReason = 'queue_full' | 'closed' | 'timeout';

class LineWriter implements StdoutExporter {
  readonly stage: Stage = {
    name: 'export.stdout',
    read: () => ({
      produced: this.#produced,
      delivered: this.#delivered,
      inFlight: this.#waiting.length + this.#writing,
      dropped: { ...this.#dropped },
      skipped: {},
    }),
  };
  readonly #options: StdoutExporterOptions;
  readonly #output: Writable;
  readonly #maxQueued: number;
  readonly #onOutputError = (error: Error): void => this.#close('closed', error);

  #waiting: string[] = [];
  /** Characters in #waiting and in the piece being written. */
  #queued = 0;
  /** Lines of the piece that the stream has not taken yet. */
  #writing = 0;
  #scheduled = false;
  #closed = false;
  readonly #idle: (() => void)[] = [];

  #produced = 0;
  #delivered = 0;
  readonly #dropped: Record<DropReason, number> = { queue_full: 0, closed: 0, timeout: 0 };

  constructor(options: StdoutExporterOptions) {
    this.#options = options;
    this.#output = options.output;
    this.#maxQueued = options.maxQueued ?? 4 * 1024 * 1024;
    this.#output.on('error', this.#onOutputError);
  }

  consume(group: DataGroup): void {
    if (group.name !== GROUP.request) return;
    this.#produced += 1;
    if (this.#closed) {
      this.#dropped.closed += 1;
      return;
    }
    if (this.#queued >= this.#maxQueued) {
      this.#dropped.queue_full += 1;
      return;
    }
    const { labels, wallTime } = this.#options;
    const line = `${JSON.stringify(toExchangeLine(group as ExchangeGroup, labels.labels(group.labels), wallTime))}\n`;
    this.#waiting.push(line);
    this.#queued += line.length;
    if (!this.#scheduled && this.#writing === 0) {
      this.#scheduled = true;
      setImmediate(() => this.#write());
    }
  }

  flush(): Promise<void> {
    if (this.#waiting.length + this.#writing === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle.push(resolve);
    });
  }

  async stop(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.#options.stopTimeoutMs ?? 2000);
    });
    await Promise.race([this.flush(), timeout]);
    clearTimeout(timer);
    this.#close('timeout');
  }

  #write(): void {
    this.#scheduled = false;
    if (this.#closed || this.#writing > 0 || this.#waiting.length === 0) return;
    let lines = 0;
    let length = 0;
    while (lines < this.#waiting.length && length < PIECE_LENGTH) {
      length += this.#waiting[lines].length;
      lines += 1;
    }
    const piece = this.#waiting.splice(0, lines).join('');
    this.#writing = lines;
    this.#output.write(piece, (error) => this.#written(lines, length, error));
  }

  #written(lines: number, length: number, error: Error | null | undefined): void {
    if (this.#closed) return;
    if (error != null) {
      this.#close('closed', error);
      return;
    }
    this.#writing = 0;
    this.#queued -= length;
    this.#delivered += lines;
    if (this.#waiting.length > 0) this.#write();
    else this.#settle();
  }

  #close(reason: DropReason, error?: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#dropped[reason] += this.#waiting.length + this.#writing;
    this.#waiting = [];
    this.#writing = 0;
    this.#queued = 0;
    this.#settle();
    if (error === undefined) return;
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') this.#options.onReaderGone?.();
    else this.#options.onError?.(error);
  }

  #settle(): void {
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}
