import { createRecordedClock } from '../../model/clock.ts';
import type { Clock, RecordedClock } from '../../model/clock.ts';
import type { EventBatch, EventConsumer } from '../../model/event-batch.ts';
import type { ProcessNote } from '../../model/process-note.ts';
import { FLAG, RECORD } from '../../model/record.gen.ts';
import { REPLAY_FLAG } from '../../model/replay-flags.ts';
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
  /** Something was done to the analyzers here: see SteerNote. Not yet checked. */
  readonly onStep?: (step: Readonly<Record<string, unknown>>) => void;
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
  /** Of the file that was read last. */
  #part = 0;
  /** Records are missing: connections may be open of which nothing is known. */
  #isBroken = false;
  /** They are being named. */
  #isMending = false;
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
    const { part } = recording.header;
    if (part !== this.#part + 1) this.#isBroken = true;
    this.#part = part;
    let damage: string | null = null;
    const current = (batch: EventBatch): EventBatch | null => {
      if (translation.same) return batch;
      const translated = translation.translate(batch.bytes);
      if (translated === null) {
        damage = 'records do not fit into their entry';
        return null;
      }
      this.#unknown += translated.unknown;
      return asBatch(translated.bytes);
    };
    const handler = {
      records: (batch: EventBatch) => {
        this.#flushed = false;
        if (this.#isMending) this.#isBroken = false;
        this.#isMending = false;
        const records = current(batch);
        if (records !== null) next.consume(records);
      },
      connections: (batch: EventBatch) => {
        if (!this.#isBroken) return;
        this.#isMending = true;
        const records = current(batch);
        if (records !== null) next.consume(asNames(records));
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
      if (damage === null) continue;
      this.#isBroken = true;
      onDamage({ offset: block.offset, reason: damage, records: null });
    }
    if (!recording.isIntact()) this.#isBroken = true;
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
    } else if (typeof note['gap'] === 'object' && note['gap'] !== null) {
      const { records } = note['gap'] as { readonly records?: unknown };
      if (typeof records === 'number' && Number.isSafeInteger(records) && records > 0) this.#gaps += records;
    } else {
      this.#options.onStep?.(note);
    }
  }
}

/** A copy in which open records only name their connections. */
function asNames({ bytes, length }: EventBatch): EventBatch {
  const batch = asBatch(bytes.slice(0, length));
  for (let offset = 0; offset + RECORD.size.open <= length; offset += RECORD.size.open) {
    batch.halves[(offset + RECORD.head.flags) >>> 1] |= REPLAY_FLAG.namesOnly | FLAG.joined;
  }
  return batch;
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
