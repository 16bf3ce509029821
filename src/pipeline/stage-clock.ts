import type { Consumer } from '../model/data-group.ts';
import type { EventConsumer } from '../model/event-batch.ts';

/** One batch in so many is timed; */
const BATCHES = 8;
/** and in it, one exchange in so many. */
const EXCHANGES = 16;

/** Time by stage since the start, s. */
export interface StageSeconds {
  readonly analyzer: number;
  readonly processors: number;
  readonly windows: number;
}

/** Times a share of what passes through the pipeline, and tells what all of it must have taken. */
export class StageClock {
  readonly #now: () => number;
  /** What reading the clock takes, which is as long as a short exchange. */
  readonly #readingMs: number;
  #batches = 0;
  #bytes = 0;
  #timedBytes = 0;
  #timedMs = 0;
  #windowsMs = 0;
  #timing = false;
  #exchanges = 0;
  #timedExchanges = 0;
  #exchangesMs = 0;
  #batchExchanges = 0;

  /** @param now ms */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#readingMs = readingTime(now);
  }

  get seconds(): StageSeconds {
    const scale = this.#timedBytes === 0 ? 0 : this.#bytes / this.#timedBytes / 1000;
    const inProcessors = this.#timedExchanges === 0 ? 0 : (this.#exchangesMs / this.#timedExchanges) * this.#exchanges;
    const processors = Math.min(inProcessors, this.#timedMs);
    return {
      analyzer: (this.#timedMs - processors) * scale,
      processors: processors * scale,
      windows: this.#windowsMs / 1000,
    };
  }

  /** The records' way into the analyzer. */
  events(next: EventConsumer): EventConsumer {
    return {
      consume: (batch) => {
        this.#bytes += batch.length;
        this.#batches += 1;
        if (this.#batches % BATCHES !== 0) {
          next.consume(batch);
          return;
        }
        this.#timing = true;
        const started = this.#now();
        next.consume(batch);
        this.#timedMs +=
          this.#now() - started - this.#readingMs * (1 + 2 * Math.floor(this.#batchExchanges / EXCHANGES));
        this.#timing = false;
        this.#batchExchanges = 0;
        this.#timedBytes += batch.length;
      },
      tick: (now) => {
        const started = this.#now();
        next.tick(now);
        this.#windowsMs += this.#now() - started;
      },
      flush: (now) => next.flush(now),
    };
  }

  /** The exchanges' way out of the analyzer. */
  exchanges(next: Consumer): Consumer {
    return {
      consume: (group) => {
        if (!this.#timing) {
          next.consume(group);
          return;
        }
        this.#exchanges += 1;
        this.#batchExchanges += 1;
        if (this.#batchExchanges % EXCHANGES !== 0) {
          next.consume(group);
          return;
        }
        const started = this.#now();
        next.consume(group);
        this.#exchangesMs += Math.max(0, this.#now() - started - this.#readingMs);
        this.#timedExchanges += 1;
      },
    };
  }
}

function readingTime(now: () => number): number {
  const rounds = 200;
  const started = now();
  for (let i = 0; i < rounds; i++) now();
  return (now() - started) / (rounds + 1);
}
