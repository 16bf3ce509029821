import type { Labels, LabelSetId, LabelSets } from '../../model/label-sets.ts';
import type { SeriesLayout, SeriesPage } from '../../model/series.ts';

/** Rows in a page: small enough that copying one is cheap, large enough that there are few. */
export const PAGE_ROWS = 128;

interface Page extends SeriesPage {
  readonly labels: (Labels | undefined)[];
  /** Snapshots that show this page: while there are any, a write goes to a copy. */
  readers: number;
}

export interface SeriesStoreOptions {
  readonly labels: LabelSets;
  readonly layout: SeriesLayout;
  /** At most so many series, overflow series not counted. */
  readonly maxSeries: number;
}

/** Pages shared by snapshots, as they were when it was taken. */
export interface PageSnapshot {
  readonly pages: readonly SeriesPage[];
  release(): void;
}

/**
 * The cumulative numbers of every series: the only copy of them. A series is a slot; it holds a reference to
 * its label set. Snapshots share the pages and cost a copy only of those that change meanwhile.
 */
export class SeriesStore {
  readonly #labels: LabelSets;
  readonly #stride: number;
  readonly #maxSeries: number;
  readonly #pages: Page[] = [];
  readonly #slots = new Map<LabelSetId, number>();
  readonly #ids: LabelSetId[] = [];
  readonly #free: number[] = [];
  #overflowSeries = 0;
  /** No further series are made: memory is short. */
  frozen = false;

  constructor(options: SeriesStoreOptions) {
    this.#labels = options.labels;
    this.#stride = options.layout.stride;
    this.#maxSeries = options.maxSeries;
  }

  /** Number of series, overflow series included. */
  get size(): number {
    return this.#slots.size;
  }

  /** Memory of the numbers. */
  get bytes(): number {
    return this.#pages.reduce((sum, { values }) => sum + values.byteLength, 0);
  }

  /** Slots in use or free; every slot is below. */
  get capacity(): number {
    return this.#ids.length;
  }

  /** Label set of the series in a slot, 0 if the slot is free. */
  labelSet(slot: number): LabelSetId {
    return this.#ids[slot] ?? 0;
  }

  /** Slot of the series with these labels, made if there is none; −1 if there is no room for it. */
  slotOf(id: LabelSetId): number {
    const known = this.#slots.get(id);
    if (known !== undefined) return known;
    const overflow = this.#labels.labels(id).overflow !== undefined;
    const full = this.frozen || this.#slots.size - this.#overflowSeries >= this.#maxSeries;
    if (full && !overflow) return -1;
    if (overflow) this.#overflowSeries += 1;
    this.#labels.retain(id);
    const slot = this.#free.pop() ?? this.#ids.length;
    if (slot >= this.#pages.length * PAGE_ROWS) {
      this.#pages.push({
        values: new Float64Array(PAGE_ROWS * this.#stride),
        labels: Array.from<undefined>({ length: PAGE_ROWS }),
        readers: 0,
      });
    }
    this.#ids[slot] = id;
    this.#slots.set(id, slot);
    return slot;
  }

  /**
   * The numbers of a slot, to change: `base` is where its row starts. Good until the next call. A series shows up in
   * snapshots from its first call on.
   */
  row(slot: number): { values: Float64Array; base: number } {
    const page = this.#writable(slot);
    page.labels[slot % PAGE_ROWS] ??= this.#labels.labels(this.#ids[slot]);
    return { values: page.values, base: (slot % PAGE_ROWS) * this.#stride };
  }

  /** Ends a series; returns the number of exchanges that it had counted. */
  remove(slot: number): number {
    const id = this.#ids[slot];
    if (this.#labels.labels(id).overflow !== undefined) this.#overflowSeries -= 1;
    const { values, base } = this.row(slot);
    const exchanges = values[base];
    values.fill(0, base, base + this.#stride);
    this.#writable(slot).labels[slot % PAGE_ROWS] = undefined;
    this.#slots.delete(id);
    this.#ids[slot] = 0;
    this.#free.push(slot);
    this.#labels.release(id);
    return exchanges;
  }

  share(): PageSnapshot {
    const pages = [...this.#pages];
    for (const page of pages) page.readers += 1;
    let held = true;
    return {
      pages,
      release: () => {
        if (!held) return;
        held = false;
        for (const page of pages) page.readers -= 1;
      },
    };
  }

  #writable(slot: number): Page {
    const index = Math.floor(slot / PAGE_ROWS);
    let page = this.#pages[index];
    if (page.readers > 0) {
      page = { values: page.values.slice(), labels: [...page.labels], readers: 0 };
      this.#pages[index] = page;
    }
    return page;
  }
}
