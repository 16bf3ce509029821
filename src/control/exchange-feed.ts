import type { Writable } from 'node:stream';
import type { Consumer, DataGroup } from '../model/data-group.ts';
import type { ExchangeLine } from '../model/exchange-line.ts';
import type { ExchangeGroup } from '../model/exchange.ts';
import type { Labels } from '../model/label-sets.ts';
import { GROUP } from '../model/names.ts';
import type { ExchangeFilter } from './exchange-filter.ts';
import { isAbout } from './exchange-subject.ts';
import type { ExchangeSubject } from './exchange-subject.ts';

export interface ExchangeFeedOptions {
  /** The line of an exchange; called during `consume`, and only if somebody follows. */
  readonly toLine: (exchange: ExchangeGroup) => ExchangeLine;
  /** The labels of an exchange, as they are aggregated; called as `toLine` is. */
  readonly labelsOf: (exchange: ExchangeGroup) => Labels;
  /** Default 8. */
  readonly maxFollowers?: number;
  /** At most so many characters wait for one follower. Default 1 Mi. */
  readonly maxQueued?: number;
  /** At most so many exchanges a second are shown to followers, so that following costs a bounded share. Default 10,000. */
  readonly maxPerSecond?: number;
  /** A follower that has read nothing for so long while something waited, its end too, is let go, ms. Default 30,000. */
  readonly stallMs?: number;
  /** ms, for tests. */
  readonly now?: () => number;
}

export interface FollowOptions {
  readonly filter?: ExchangeFilter;
  readonly subject?: ExchangeSubject;
  /** Ends after so many lines. */
  readonly limit?: number;
}

/** Shows exchanges to those who follow. Without followers an exchange costs a comparison. */
export interface ExchangeFeed extends Consumer {
  isFull(): boolean;
  /** The output must say when it is over: a response that waits for its turn on a connection does not. */
  follow(output: Writable, options: FollowOptions): void;
  /** Ends all streams. */
  stop(): void;
}

export function createExchangeFeed(options: ExchangeFeedOptions): ExchangeFeed {
  return new Feed(options);
}

/** The pace is counted over so many ms. */
const PACE_MS = 100;

class Feed implements ExchangeFeed {
  readonly #options: ExchangeFeedOptions;
  readonly #followers = new Set<Follower>();
  readonly #now: () => number;
  readonly #perSpan: number;
  #spanEnd = 0;
  #shown = 0;

  constructor(options: ExchangeFeedOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#perSpan = Math.max(1, Math.round(((options.maxPerSecond ?? 10_000) * PACE_MS) / 1000));
  }

  isFull(): boolean {
    return this.#followers.size >= (this.#options.maxFollowers ?? 8);
  }

  consume(group: DataGroup): void {
    if (this.#followers.size === 0 || group.name !== GROUP.request) {
      return;
    }
    const now = this.#now();
    if (now >= this.#spanEnd) {
      this.#spanEnd = now + PACE_MS;
      this.#shown = 0;
    }
    this.#shown += 1;
    if (this.#shown > this.#perSpan) {
      // Whether a filter would have let it pass is not known without the cost that is to be avoided.
      for (const follower of this.#followers) {
        follower.lose();
      }
      return;
    }
    const line = this.#options.toLine(group as ExchangeGroup);
    const labels = this.#options.labelsOf(group as ExchangeGroup);
    let text: string | undefined;
    for (const follower of this.#followers) {
      if (follower.wants(line, labels)) {
        text ??= `${JSON.stringify(line)}\n`;
        follower.show(text);
      }
    }
  }

  follow(output: Writable, options: FollowOptions): void {
    const { maxQueued = 1 << 20, stallMs = 30_000 } = this.#options;
    const leave = (): void => {
      follower.close();
      this.#followers.delete(follower);
    };
    const onStall = (): void => {
      output.destroy();
      leave();
    };
    const follower = new Follower({ ...options, output, maxQueued, stallMs, onStall });
    this.#followers.add(follower);
    output.on('error', () => output.destroy());
    output.on('close', leave);
  }

  stop(): void {
    for (const follower of this.#followers) {
      follower.end();
    }
    this.#followers.clear();
  }
}

interface FollowerOptions extends FollowOptions {
  readonly output: Writable;
  readonly maxQueued: number;
  readonly stallMs: number;
  readonly onStall: () => void;
}

/** One stream: what waits for it is bounded, what finds no room is counted, and the count is told in the stream. */
class Follower {
  readonly #options: FollowerOptions;
  #waiting: string[] = [];
  #waitingLength = 0;
  #scheduled = false;
  #lost = 0;
  #lines = 0;
  #over = false;
  #stall: NodeJS.Timeout | undefined;

  constructor(options: FollowerOptions) {
    this.#options = options;
    options.output.on('drain', () => {
      if (!this.#over) {
        clearTimeout(this.#stall);
        this.#stall = undefined;
        this.#schedule();
      }
    });
  }

  wants(line: ExchangeLine, labels: Labels): boolean {
    const { filter, subject } = this.#options;
    return !this.#over && (subject === undefined || isAbout(subject, labels, line)) && (filter?.(line) ?? true);
  }

  lose(): void {
    this.#lost += 1;
    this.#schedule();
  }

  show(text: string): void {
    const { output, maxQueued, limit } = this.#options;
    if (output.writableLength + this.#waitingLength + text.length > maxQueued) {
      this.#lost += 1;
      return;
    }
    this.#tellLost();
    this.#push(text);
    this.#lines += 1;
    if (limit !== undefined && this.#lines >= limit) {
      this.end();
    }
  }

  end(): void {
    if (this.#over) {
      return;
    }
    this.#tellLost();
    this.#over = true;
    this.#write();
    this.#options.output.end();
    this.#await();
  }

  close(): void {
    this.#over = true;
    this.#waiting = [];
    clearTimeout(this.#stall);
  }

  #tellLost(): void {
    if (this.#lost > 0) {
      this.#push(`${JSON.stringify({ lost: this.#lost })}\n`);
      this.#lost = 0;
    }
  }

  #push(text: string): void {
    this.#waiting.push(text);
    this.#waitingLength += text.length;
    this.#schedule();
  }

  #schedule(): void {
    if (!this.#scheduled && !this.#over) {
      this.#scheduled = true;
      setImmediate(() => {
        this.#scheduled = false;
        if (!this.#over) {
          const { output, maxQueued } = this.#options;
          if (output.writableLength < maxQueued / 2) {
            this.#tellLost();
          }
          this.#write();
        }
      });
    }
  }

  #write(): void {
    const { output } = this.#options;
    const text = this.#waiting.join('');
    this.#waiting = [];
    this.#waitingLength = 0;
    if (text !== '' && !output.write(text)) {
      this.#await();
    }
  }

  #await(): void {
    const { stallMs, onStall } = this.#options;
    this.#stall ??= setTimeout(onStall, stallMs);
    this.#stall.unref();
  }
}
