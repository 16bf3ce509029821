import type { Stage } from '../../model/law.ts';

/** What one scrape has rendered so far. */
export interface ScrapeCount {
  readonly samples: number;
  add(samples: number): void;
  delivered(): void;
  dropped(reason: DropReason): void;
}

/** `timeout`: the scraper did not read on; `aborted`: it went away; `failed`: the page could not be made. */
export type DropReason = 'timeout' | 'aborted' | 'failed';

/** The stage `export.prometheus`: samples rendered, handed to the system whole, in pages under way, lost with theirs. */
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
  readonly #dropped: Record<DropReason, number> = { timeout: 0, aborted: 0, failed: 0 };
  #produced = 0;
  #delivered = 0;

  /** Scrapes under way. */
  get scrapes(): number {
    return this.#open.size;
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
      delivered: () => end(() => (this.#delivered += samples)),
      dropped: (reason) => end(() => (this.#dropped[reason] += samples)),
    };
    this.#open.add(scrape);
    return scrape;
  }
}
