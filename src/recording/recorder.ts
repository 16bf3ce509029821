import { randomUUID } from 'node:crypto';
import type { ClockAnchor } from '../model/clock.ts';
import type { EventBatch, EventConsumer, PolicySink } from '../model/event-batch.ts';
import type { Stage } from '../model/law.ts';
import type { ProcessNote } from '../model/process-note.ts';
import { BlockBuilder } from './block-builder.ts';
import { encodeHeader } from './header.ts';
import type { Redaction } from './header.ts';
import { anchorNotes } from './note.ts';
import type { SteerNote } from './note.ts';
import { OpenConnections } from './open-connections.ts';
import { zeroPadding } from './padding.ts';
import { PartWriter } from './part-writer.ts';
import type { EndReason, PartLimits } from './part-writer.ts';
import { Redactor } from './redactor.ts';

export interface RecorderOptions {
  readonly path: string;
  readonly limits: PartLimits;
  readonly redaction: Redaction;
  /** Version of the program. */
  readonly program: string;
  readonly origin: bigint;
  /** The wall clock, as it is known by now; asked before each tick. */
  readonly anchors: () => readonly ClockAnchor[];
  /** Length of a kernel tick, ns, as far as it is known by now. */
  readonly tickNs: () => number;
  /** Settings of `analyzers.network`. */
  readonly network: unknown;
  /** Whose counts are written now and then. */
  readonly stages: () => readonly Stage[];
  /** Told once if it ends before it is stopped. */
  readonly onEnd: (reason: EndReason, detail: string) => void;
}

/** Writes what a receiver hands over, and what is needed to make the same of it again. */
export interface Recorder {
  readonly name: 'record';
  /** Stage `record` of the law; unit: records. */
  readonly stage: Stage;
  /** Opens the first file. @throws Error with a `code`, as of open(2) */
  start(): Promise<void>;
  /** Writes what waits, the last counts and the index. */
  stop(): Promise<void>;
  /** Stands between the receiver and what takes its records. */
  tap(next: EventConsumer): EventConsumer;
  /** Stands before the table of policies. */
  tapPolicies(next: PolicySink): PolicySink;
  /** A process was looked up. */
  process(note: ProcessNote): void;
  /** Something was done to what takes the records; within a batch, it is written behind it. */
  steer(step: SteerNote): void;
  readonly files: readonly string[];
  /** Bytes in all files that were written, those that made room included. */
  readonly bytes: number;
}

export function createRecorder(options: RecorderOptions): Recorder {
  return new StreamRecorder(options);
}

/** What is not written after so long is written as a block of its own: it would be lost if the program were killed. */
const BLOCK_NS = 1e9;
const LOSS_NS = 10e9;
/** Once it holds so much, before compression, a block is written. */
const ENOUGH_BYTES = 256 << 10;
/** Longest run of records in one entry: half a block. */
const MAX_RUN_BYTES = 512 << 10;
const MAX_PROCESSES = 4096;

class StreamRecorder implements Recorder {
  readonly name = 'record';
  readonly stage: Stage;
  readonly #options: RecorderOptions;
  readonly #builder: BlockBuilder;
  readonly #maxRun: number;
  readonly #parts: PartWriter;
  /** Takes out of records what is not to be kept, in place. */
  readonly #clean: (records: Uint8Array) => void;
  readonly #connections: OpenConnections | undefined;
  readonly #processes = new Map<string, ProcessNote>();
  #produced = 0;
  #queueFull = 0;
  /** Lost since the last note of it. */
  #gap = 0;
  #now = 0;
  #blockAt = 0;
  #lossAt = 0;
  #anchors = '';
  #isConsuming = false;
  /** Taken within the batch that is being consumed. */
  readonly #steps: SteerNote[] = [];

  constructor(options: RecorderOptions) {
    this.#options = options;
    const recording = randomUUID();
    const created = new Date().toISOString();
    // With one file alone nobody needs it.
    const connections = options.limits.maxFiles > 1 ? new OpenConnections() : undefined;
    this.#connections = connections;
    this.#parts = new PartWriter({
      path: options.path,
      limits: options.limits,
      onEnd: options.onEnd,
      ...(connections === undefined
        ? {}
        : { preface: (waiting: number, maxBytes: number) => connections.blocks(waiting, maxBytes) }),
      header: (part) =>
        encodeHeader({
          recording,
          part,
          created,
          program: options.program,
          redaction: options.redaction,
          origin: options.origin,
          clock: options.anchors(),
          tickNs: options.tickNs(),
          network: options.network,
          processes: [...this.#processes.values()],
        }),
    });
    // Compressed or not, a file has room for several blocks.
    const part = options.limits.maxFileBytes / 8;
    this.#maxRun = Math.min(MAX_RUN_BYTES, part);
    this.#builder = new BlockBuilder(Math.min(ENOUGH_BYTES, part), ({ bytes, records }) => {
      this.#blockAt = this.#now;
      this.#parts.add(bytes, records, this.#now);
      connections?.blockMade(this.#parts.waitingBlocks);
    });
    const redactor = options.redaction === 'none' ? undefined : new Redactor(options.redaction);
    this.#clean = (records) => {
      zeroPadding(records);
      redactor?.mask(records);
    };
    this.stage = {
      name: 'record',
      read: () => ({
        produced: this.#produced,
        delivered: this.#parts.delivered,
        inFlight: this.#builder.records + this.#parts.waiting,
        dropped: { queue_full: this.#queueFull, ...this.#parts.dropped },
        skipped: {},
      }),
    };
  }

  get files(): readonly string[] {
    return this.#parts.files;
  }

  get bytes(): number {
    return this.#parts.bytes;
  }

  start(): Promise<void> {
    return this.#parts.open();
  }

  async stop(): Promise<void> {
    this.#noteLoss();
    this.#builder.flush();
    await this.#parts.close();
  }

  /**
   * What the next one looks up while it consumes is written before what it was looked up for. Wall times are told
   * while it consumes too: so a clock that was read is noted before the tick, and whoever reads it does so before.
   */
  tap(next: EventConsumer): EventConsumer {
    return {
      consume: (batch) => {
        this.#isConsuming = true;
        next.consume(batch);
        this.#isConsuming = false;
        this.#records(batch);
        for (const step of this.#steps.splice(0)) this.#builder.addNote(step);
      },
      tick: (now) => {
        this.#now = now;
        this.#noteClock();
        const tickNs = this.#options.tickNs();
        next.tick(now);
        this.#builder.addTick(now, tickNs);
        if (now - this.#lossAt >= LOSS_NS) {
          this.#lossAt = now;
          this.#noteLoss();
        }
        if (now - this.#blockAt >= BLOCK_NS && !this.#builder.isEmpty) this.#builder.flush();
      },
      flush: (now) => {
        this.#now = now;
        next.flush(now);
        this.#builder.addFlush(now, this.#options.tickNs());
      },
    };
  }

  tapPolicies(next: PolicySink): PolicySink {
    return {
      set: (index, generation, word) => {
        this.#builder.addPolicy(index, generation, word);
        next.set(index, generation, word);
      },
    };
  }

  process(note: ProcessNote): void {
    if (this.#processes.size >= MAX_PROCESSES) {
      const [oldest] = this.#processes.keys();
      this.#processes.delete(oldest);
    }
    this.#processes.set(note.pid, note);
    this.#builder.addNote({ process: note });
  }

  steer(step: SteerNote): void {
    if (this.#isConsuming) this.#steps.push(step);
    else this.#builder.addNote(step);
  }

  #records(batch: EventBatch): void {
    const { words, length } = batch;
    let start = 0;
    let count = 0;
    let offset = 0;
    while (offset < length) {
      const size = words[offset >>> 2];
      // What is no record ends the batch for everybody.
      const end = size < 4 || size > length - offset ? length : offset + size;
      if (end - start > this.#maxRun && offset > start) {
        this.#run(batch, start, offset, count);
        start = offset;
        count = 0;
      }
      if (size === end - offset) this.#connections?.take(batch, offset);
      count++;
      offset = end;
    }
    if (count > 0) this.#run(batch, start, offset, count);
  }

  #run(batch: EventBatch, start: number, end: number, count: number): void {
    this.#produced += count;
    if (end - start > this.#maxRun || this.#parts.isFull) {
      this.#queueFull += count;
      this.#gap += count;
      return;
    }
    if (this.#gap > 0) {
      this.#builder.addNote({ gap: { records: this.#gap, reason: 'queue_full' } });
      this.#gap = 0;
    }
    if (this.#builder.isEmpty) this.#noteClock();
    this.#builder.addRecords(batch, start, end, count, this.#clean);
  }

  /** Each block begins with it: the one before may be damaged. */
  #noteClock(): void {
    const clock = anchorNotes(this.#options.anchors());
    const text = clock.join(';');
    if (text === this.#anchors && !this.#builder.isEmpty) return;
    this.#anchors = text;
    this.#builder.addNote({ clock });
  }

  #noteLoss(): void {
    this.#builder.addNote({
      loss: this.#options.stages().map((stage) => {
        const { produced, delivered, inFlight, dropped, skipped } = stage.read();
        return { stage: stage.name, produced, delivered, in_flight: inFlight, dropped, skipped };
      }),
    });
  }
}
