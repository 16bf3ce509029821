import type { Stage } from '../../model/law.ts';

/** What one scrape has rendered so far. */
export interface ScrapeCount {
  readonly samples: number;
  add(samples: number): void;
  delivered(): void;
  dropped(reason: DropReason): void;
}

/**
 * `timeout`: the scraper did not read on; `aborted`: it went away; `failed`: the page could not be made; `refused`: too
 * many scrapes at a time; `queue_full`: too many connections.
 */
export type DropReason = 'timeout' | 'aborted' | 'failed' | 'refused' | 'queue_full';

/**
 * The stage `export.prometheus`: samples rendered, handed to the system whole, in pages under way, lost with theirs. A
 * page that was not even begun counts as many as the last one had.
 */
export class DeliveryCount {
  readonly stage: Stage = {
    name: 'export.prometheus',
    read: () => ({
      produced: this.#produced,
      delivered: this.#delivered,
      inFlight: [...this.#open].reduce((sum, scrape) => sum + scrape.samples, 0),
      dropped: { ...this.#dropped },
      skipped: {},
    }),
  };
  readonly #open = new Set<ScrapeCount>();
  readonly #dropped: Record<DropReason, number> = {
    timeout: 0,
    aborted: 0,
    failed: 0,
    refused: 0,
    queue_full: 0,
  };
  /** Samples of the last page that was delivered; one before the first. */
  #usual = 1;
  #produced = 0;
  #delivered = 0;

  /** Scrapes under way. */
  get scrapes(): number {
    return this.#open.size;
  }

  /** A scrape gets no page at all. */
  turnedAway(reason: DropReason): void {
    this.#produced += this.#usual;
    this.#dropped[reason] += this.#usual;
  }

  begin(): ScrapeCount {
    let samples = 0;
    const end = (count: () => void): void => {
      if (this.#open.delete(scrape)) count();
    };
    const scrape: ScrapeCount = {
      get samples() {
        return samples;
      },
      add: (more) => {
        this.#produced += more;
        samples += more;
      },
      delivered: () =>
        end(() => {
          this.#delivered += samples;
          this.#usual = samples;
        }),
      dropped: (reason) => end(() => (this.#dropped[reason] += samples)),
    };
    this.#open.add(scrape);
    return scrape;
  }
}
