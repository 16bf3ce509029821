import { createRecordedClock } from '../../model/clock.ts';
import type { Clock, RecordedClock } from '../../model/clock.ts';
import type { EventBatch, EventConsumer } from '../../model/event-batch.ts';
import type { ProcessNote } from '../../model/process-note.ts';
import { readEntries } from '../../recording/entries.ts';
import type { RecordingHeader } from '../../recording/header.ts';
import { readAnchors, readProcess } from '../../recording/note.ts';
import type { Damage, OpenRecording } from '../../recording/reader.ts';

export interface RecordingReceiverOptions {
  /** Of the first file. */
  readonly header: RecordingHeader;
  /** Takes the records, as they were handed over when they were recorded. */
  readonly next: EventConsumer;
  /** Awaited before the events' clock moves on to `now`; see ReplayReceiverOptions. */
  readonly pace?: (now: number) => Promise<void> | void;
  /** A process that was looked up when the recording was made, before the records that it is needed for. */
  readonly onProcess?: (process: ProcessNote) => void;
  /** New connections are taken up from here on, or are not. */
  readonly onAdmit?: (all: boolean) => void;
}

/** Feeds the pipeline from a recording, which may be in several files. */
export interface RecordingReceiver {
  readonly clock: Clock;
  /** Length of a kernel tick, ns, at this point of the recording. */
  tickNs(): number;
  /** Records that the recorder lost, or that this build knows no kind of. */
  readonly lost: { readonly gaps: number; readonly unknown: number };
  /** Hands over what one file holds. */
  read(recording: OpenRecording, onDamage: (damage: Damage) => void): Promise<void>;
  /** Nothing follows: ends what is open, unless the recording has said that it is over. */
  finish(): void;
}

export function createRecordingReceiver(options: RecordingReceiverOptions): RecordingReceiver {
  return new RecordingReplay(options);
}

class RecordingReplay implements RecordingReceiver {
  readonly clock: RecordedClock;
  readonly #options: RecordingReceiverOptions;
  #tickNs: number;
  #now = 0;
  #flushed = false;
  #gaps = 0;
  #unknown = 0;

  constructor(options: RecordingReceiverOptions) {
    const { header } = options;
    this.#options = options;
    this.#tickNs = header.tickNs;
    this.clock = createRecordedClock(header.origin, header.clock);
    for (const process of header.processes) options.onProcess?.(process);
  }

  get lost(): { readonly gaps: number; readonly unknown: number } {
    return { gaps: this.#gaps, unknown: this.#unknown };
  }

  tickNs(): number {
    return this.#tickNs;
  }

  async read(recording: OpenRecording, onDamage: (damage: Damage) => void): Promise<void> {
    const { translation } = recording;
    const { next, pace } = this.#options;
    let damage: string | null = null;
    const handler = {
      records: (batch: EventBatch) => {
        this.#flushed = false;
        if (translation.same) {
          next.consume(batch);
          return;
        }
        const translated = translation.translate(batch.bytes);
        if (translated === null) {
          damage = 'records do not fit into their entry';
          return;
        }
        this.#unknown += translated.unknown;
        next.consume(asBatch(translated.bytes));
      },
      tick: (now: number, tickNs: number) => {
        this.#now = now;
        this.#tickNs = tickNs;
        if (pace === undefined) {
          next.tick(now);
          return undefined;
        }
        return Promise.resolve(pace(now)).then(() => next.tick(now));
      },
      flush: (now: number, tickNs: number) => {
        this.#now = now;
        this.#tickNs = tickNs;
        this.#flush();
      },
      note: (note: Readonly<Record<string, unknown>>) => this.#note(note),
    };
    for await (const block of recording.blocks()) {
      damage = null;
      damage = (await readEntries(block.bytes, handler)) ?? damage;
      if (damage !== null) onDamage({ offset: block.offset, reason: damage, records: null });
    }
  }

  finish(): void {
    if (!this.#flushed) this.#flush();
  }

  #flush(): void {
    this.#flushed = true;
    this.#options.next.flush(this.#now);
  }

  #note(note: Readonly<Record<string, unknown>>): void {
    if (note['clock'] !== undefined) {
      const anchors = readAnchors(note['clock']);
      if (anchors !== null) this.clock.setAnchors(anchors);
    } else if (note['process'] !== undefined) {
      const process = readProcess(note['process']);
      if (process !== null) this.#options.onProcess?.(process);
    } else if (typeof note['admit'] === 'boolean') {
      this.#options.onAdmit?.(note['admit']);
    } else if (typeof note['gap'] === 'object' && note['gap'] !== null) {
      const { records } = note['gap'] as { readonly records?: unknown };
      if (typeof records === 'number' && Number.isSafeInteger(records) && records > 0) this.#gaps += records;
    }
  }
}

function asBatch(bytes: Uint8Array): EventBatch {
  const { buffer, byteOffset, length } = bytes;
  return {
    bytes,
    words: new Uint32Array(buffer, byteOffset, length >>> 2),
    halves: new Uint16Array(buffer, byteOffset, length >>> 1),
    length,
  };
}
