import type { Clock } from '../../model/clock.ts';
import type { EventConsumer } from '../../model/event-batch.ts';
import { CLOSE } from '../../model/record.gen.ts';
import { BatchWriter } from './batch-writer.ts';
import { LineSplitter } from './line-splitter.ts';
import { CLOSE_REASONS, RecordScribe } from './record-scribe.ts';
import { ReplayedConnections } from './replayed-connections.ts';
import type { ReplayedConnection } from './replayed-connections.ts';
import { LineError, parseLine } from './segment-line.ts';
import type { EventLine, SegmentLine } from './segment-line.ts';

/** A line that could not be used; the rest goes on. */
export interface BadLine {
  /** As given to `read`. */
  readonly source: string;
  /** From 1. */
  readonly line: number;
  readonly reason: string;
}

export interface ReplayReceiverOptions {
  /** Takes the records; its clock runs on the events' time. */
  readonly next: EventConsumer;
  readonly onBadLine: (bad: BadLine) => void;
  /** Connections that may be open at once; the one that was silent longest is closed for a new one. Default 65,536. */
  readonly maxConnections?: number;
  /** A longer line is a bad one. Default 1 MiB. */
  readonly maxLineBytes?: number;
  /**
   * Awaited before the events' clock moves on to `now` (ns in pipeline time), in steps of at least 100 ms: for a
   * replay at the speed of the recording. Default: as fast as it goes.
   */
  readonly pace?: (now: number) => Promise<void> | void;
}

export interface ReplayStatistics {
  readonly lines: number;
  readonly badLines: number;
  readonly segments: number;
  readonly connections: number;
  /** Connections that were closed to make room. */
  readonly evicted: number;
}

/** Feeds the pipeline from segment lines (docs/exchanges.md). */
export interface ReplayReceiver {
  /** Its origin is known from the first good line on; 0 before. */
  readonly clock: Clock;
  readonly statistics: ReplayStatistics;
  /**
   * Reads one input to its end; several are read one after the other as one stream of events.
   *
   * @param source its name in `onBadLine`
   */
  read(input: AsyncIterable<Uint8Array>, source: string): Promise<void>;
  /** The input is over: ends every connection that is still open, and flushes. */
  finish(): void;
  /** The `conn` of the input, for the analyzer's `connectionNames`. */
  connectionName(cookieLow: number, cookieHigh: number): string | null;
}

const BATCH_BYTES = 1 << 18;
const TICK_NS = 100e6;
const DAY_NS = 86_400n * 1_000_000_000n;
/** Doubles are exact up to here: 104 days of ns. */
const SPAN_NS = 2n ** 53n;

export function createReplayReceiver(options: ReplayReceiverOptions): ReplayReceiver {
  return new LineReplay(options);
}

class LineReplay implements ReplayReceiver {
  readonly clock: Clock;
  readonly #options: ReplayReceiverOptions;
  readonly #connections: ReplayedConnections;
  readonly #writer: BatchWriter;
  readonly #scribe: RecordScribe;
  /** Wall time of the pipeline's 0; a day before the first line, so that later lines may be earlier. */
  #origin: bigint | null = null;
  #now = 0;
  #nextTick = -Infinity;
  #lines = 0;
  #badLines = 0;
  #segments = 0;
  #begun = 0;
  #evicted = 0;

  constructor(options: ReplayReceiverOptions) {
    this.#options = options;
    this.#writer = new BatchWriter(BATCH_BYTES, (batch) => {
      options.next.consume(batch);
      this.#connections.delivered();
    });
    this.#connections = new ReplayedConnections(options.maxConnections ?? 65_536, () => this.#writer.flush());
    this.#scribe = new RecordScribe(this.#writer);
    const origin = (): bigint => this.#origin ?? 0n;
    this.clock = {
      get origin() {
        return origin();
      },
      wallTime: (ns) => origin() + BigInt(Math.round(ns)),
    };
  }

  get statistics(): ReplayStatistics {
    return {
      lines: this.#lines,
      badLines: this.#badLines,
      segments: this.#segments,
      connections: this.#begun,
      evicted: this.#evicted,
    };
  }

  connectionName(cookieLow: number, cookieHigh: number): string | null {
    return this.#connections.nameOf(cookieLow, cookieHigh);
  }

  async read(input: AsyncIterable<Uint8Array>, source: string): Promise<void> {
    const parsed: (SegmentLine | EventLine)[] = [];
    const splitter = new LineSplitter(
      {
        line: (bytes, number) => {
          const line = this.#parse(bytes, number, source);
          if (line !== null) parsed.push(line);
        },
        tooLong: (number) => this.#bad(source, number, `longer than ${this.#maxLineBytes} bytes`),
      },
      this.#maxLineBytes,
    );
    for await (const chunk of input) {
      splitter.push(chunk);
      await this.#takeAll(parsed);
      // What came is handed over at once: the input may be a pipe that pauses here.
      this.#writer.flush();
    }
    splitter.end();
    await this.#takeAll(parsed);
    this.#writer.flush();
  }

  finish(): void {
    for (const connection of this.#connections.open) this.#end(connection, CLOSE.unknown);
    this.#writer.flush();
    this.#options.next.tick(this.#now);
    this.#options.next.flush(this.#now);
  }

  get #maxLineBytes(): number {
    return this.#options.maxLineBytes ?? 1 << 20;
  }

  #parse(bytes: Buffer, number: number, source: string): SegmentLine | EventLine | null {
    const text = bytes.toString('utf8');
    if (text.trim() === '') return null;
    this.#lines++;
    try {
      const line = parseLine(text);
      this.#origin ??= line.time - DAY_NS;
      const offset = line.time - this.#origin;
      if (offset <= 0n) throw new LineError('time lies over a day before the first line');
      if (offset >= SPAN_NS) throw new LineError('time lies over 103 days after the first line');
      return line;
    } catch (error) {
      if (!(error instanceof LineError)) throw error;
      this.#bad(source, number, error.message);
      return null;
    }
  }

  #bad(source: string, line: number, reason: string): void {
    this.#badLines++;
    this.#options.onBadLine({ source, line, reason });
  }

  async #takeAll(lines: (SegmentLine | EventLine)[]): Promise<void> {
    for (const line of lines) {
      const time = line.time - this.clock.origin;
      const now = Number(time);
      if (now > this.#now) this.#now = now;
      if (now >= this.#nextTick) {
        this.#nextTick = now + TICK_NS;
        this.#writer.flush();
        if (this.#options.pace !== undefined) await this.#options.pace(now);
        this.#options.next.tick(now);
      }
      this.#take(line, time);
    }
    lines.length = 0;
  }

  #take(line: SegmentLine | EventLine, time: bigint): void {
    let connection = this.#connections.touch(line.conn);
    if (line.kind === 'event' && line.event === 'open') {
      // The id is used again for another connection.
      if (connection !== undefined) this.#end(connection, CLOSE.unknown);
      connection = undefined;
    }
    connection ??= this.#begin(line.conn, time);
    const ownerChanged = connection.learn(line);
    if (line.kind === 'segment') {
      this.#segment(connection, line, time, ownerChanged);
    } else if (line.event !== 'open') {
      if (!connection.isUdp) this.#announce(connection);
      this.#scribe.close(connection, time, CLOSE_REASONS[line.event]);
      this.#connections.end(connection);
    }
  }

  #segment(connection: ReplayedConnection, line: SegmentLine, time: bigint, ownerChanged: boolean): void {
    this.#segments++;
    if (line.udp) {
      connection.isUdp = true;
      this.#scribe.datagram(connection, time, line);
      return;
    }
    if (connection.announced && ownerChanged) this.#scribe.owner(connection, time);
    this.#announce(connection);
    if (line.size > 0) this.#scribe.segment(connection, time, line);
  }

  #begin(name: string, time: bigint): ReplayedConnection {
    const { oldest } = this.#connections;
    if (this.#connections.isFull && oldest !== undefined) {
      this.#evicted++;
      this.#giveUp(oldest);
    }
    this.#begun++;
    const connection = this.#connections.begin(name);
    connection.openedAt = time;
    return connection;
  }

  #announce(connection: ReplayedConnection): void {
    if (connection.announced) return;
    connection.announced = true;
    this.#scribe.open(connection, connection.openedAt);
  }

  /**
   * For want of room. Without a close record: the next connection of the same index tells that this one is over, and
   * what was open on it is incomplete, not unanswered.
   */
  #giveUp(connection: ReplayedConnection): void {
    if (connection.isUdp) this.#end(connection, CLOSE.unknown);
    else this.#connections.end(connection);
  }

  /** Without an event that says so: by the end of the input. */
  #end(connection: ReplayedConnection, reason: number): void {
    if (connection.announced || connection.isUdp) this.#scribe.close(connection, BigInt(this.#now), reason);
    this.#connections.end(connection);
  }
}
