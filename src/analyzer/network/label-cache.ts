import type { LabelSetId, Labels } from '../../model/label-sets.ts';

/** What the analyzer needs of LabelSets: `intern` gives one reference that `release` takes back. */
export interface LabelInterner {
  intern(labels: Labels): LabelSetId;
  alive(id: LabelSetId): boolean;
  labels(id: LabelSetId): Labels;
  release(id: LabelSetId): void;
}

/** Where `find` looks; filled by the caller before each call. */
export class LabelKeyWords {
  endpoint = 0;
  operation = 0;
  route = 0;
  status = 0;
  /** Protocol and error. */
  outcome = 0;
}

const KEY_WORDS = 5;

/**
 * Label set ids by small integers, so that no string is made or compared for a label set that is known. Open
 * addressing over one Int32Array. The cache holds a reference to each id until a sweep finds it unused.
 */
export class LabelCache {
  readonly #labels: LabelInterner;
  readonly #slots: number;
  readonly #keys: Int32Array;
  readonly #ids: Int32Array;
  readonly #used: Uint8Array;
  #count = 0;

  /** @param capacity rounded up to a power of two; half of it is used at most */
  constructor(labels: LabelInterner, capacity: number) {
    let slots = 64;
    while (slots < capacity * 2) slots *= 2;
    this.#labels = labels;
    this.#slots = slots;
    this.#keys = new Int32Array(slots * KEY_WORDS);
    this.#ids = new Int32Array(slots);
    this.#used = new Uint8Array(slots);
  }

  get size(): number {
    return this.#count;
  }

  /** @returns 0 if there is none that is alive */
  find(key: LabelKeyWords): LabelSetId {
    const slot = this.#slot(key);
    const id = this.#ids[slot];
    if (id === 0 || !this.#labels.alive(id)) return 0;
    this.#used[slot] = 1;
    return id;
  }

  /** Takes over the caller's reference to the id. */
  add(key: LabelKeyWords, id: LabelSetId): void {
    if (this.#count * 2 >= this.#slots) this.clear();
    const slot = this.#slot(key);
    const old = this.#ids[slot];
    if (old === 0) this.#count++;
    else if (this.#labels.alive(old)) this.#labels.release(old);
    const at = slot * KEY_WORDS;
    this.#keys[at] = key.endpoint;
    this.#keys[at + 1] = key.operation;
    this.#keys[at + 2] = key.route;
    this.#keys[at + 3] = key.status;
    this.#keys[at + 4] = key.outcome;
    this.#ids[slot] = id;
    this.#used[slot] = 1;
  }

  /** Lets go of what was not used since the last sweep, and of overflow sets: there may be room by now. */
  sweep(): void {
    const kept: { key: LabelKeyWords; id: LabelSetId }[] = [];
    for (let slot = 0; slot < this.#slots; slot++) {
      const id = this.#ids[slot];
      if (id === 0) continue;
      if (!this.#labels.alive(id)) continue;
      const keep = this.#used[slot] === 1 && this.#labels.labels(id).overflow === undefined;
      if (keep) kept.push({ key: this.#keyAt(slot), id });
      else this.#labels.release(id);
    }
    this.#empty();
    for (const { key, id } of kept) this.add(key, id);
    this.#used.fill(0);
  }

  clear(): void {
    for (const id of this.#ids) if (id !== 0 && this.#labels.alive(id)) this.#labels.release(id);
    this.#empty();
  }

  #empty(): void {
    this.#ids.fill(0);
    this.#used.fill(0);
    this.#count = 0;
  }

  #slot(key: LabelKeyWords): number {
    let hash = Math.imul(key.endpoint, 0x9e3779b1) ^ Math.imul(key.operation, 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 15) ^ key.route, 0xc2b2ae35);
    hash = Math.imul(hash ^ (hash >>> 13) ^ key.status ^ (key.outcome << 20), 0x27d4eb2f);
    const mask = this.#slots - 1;
    let slot = (hash ^ (hash >>> 16)) & mask;
    while (this.#ids[slot] !== 0 && !this.#matches(slot * KEY_WORDS, key)) slot = (slot + 1) & mask;
    return slot;
  }

  #matches(at: number, key: LabelKeyWords): boolean {
    const keys = this.#keys;
    return (
      keys[at] === key.endpoint &&
      keys[at + 1] === key.operation &&
      keys[at + 2] === key.route &&
      keys[at + 3] === key.status &&
      keys[at + 4] === key.outcome
    );
  }

  #keyAt(slot: number): LabelKeyWords {
    const at = slot * KEY_WORDS;
    const key = new LabelKeyWords();
    key.endpoint = this.#keys[at];
    key.operation = this.#keys[at + 1];
    key.route = this.#keys[at + 2];
    key.status = this.#keys[at + 3];
    key.outcome = this.#keys[at + 4];
    return key;
  }
}
