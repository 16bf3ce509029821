import { LABEL } from './names.ts';
import type { LabelKey } from './names.ts';

/** Labels of one set; keys absent are unknown. Values are strings as people see them. */
export type Labels = Readonly<Partial<Record<LabelKey, string>>>;

/**
 * An interned label set: a small integer (31 bits: 20 of index, 11 of generation), so that the hot path
 * compares and indexes numbers only. 0 is no label set.
 */
export type LabelSetId = number;

/** `id & LABEL_SET_INDEX` is a dense index for tables of one's own; compare the whole id for its generation. */
export const LABEL_SET_INDEX = 0xfffff;
const INDEX_BITS = 20;
const GENERATIONS = 1 << (31 - INDEX_BITS);

const KEYS = Object.values(LABEL) as readonly LabelKey[];
const NO_LABELS: Labels = Object.freeze({});

/** Pairs of protocol and role that have an overflow set of their own; the rest shares one. */
const MAX_OVERFLOW_SETS = 64;

export interface LabelSetsOptions {
  /** At most so many sets are alive, overflow sets not counted. Default 16,384 (`aggregate.max_label_sets`). */
  readonly maxSets?: number;
  /** A longer value is cut, in UTF-16 units. Default 256. */
  readonly maxValueLength?: number;
}

/**
 * The label sets that are alive, each as one integer.
 *
 * Ownership: `intern` gives the caller one reference, `retain` adds one, `release` gives one back. Whoever
 * keeps an id beyond the call that it got it in holds a reference; a memo that only maps an id to something
 * holds none and listens to `onFree` instead. A set is freed when its last reference is given back.
 *
 * At the cap `intern` returns an overflow set, which keeps protocol and role only and is never freed.
 */
export class LabelSets {
  readonly #maxSets: number;
  readonly #maxValueLength: number;
  readonly #byKey = new Map<string, LabelSetId>();
  readonly #overflow = new Map<string, LabelSetId>();
  readonly #listeners = new Set<(id: LabelSetId) => void>();
  /** By index; index 0 is never given out. */
  readonly #ids: LabelSetId[] = [0];
  readonly #labels: Labels[] = [NO_LABELS];
  readonly #keys: string[] = [''];
  readonly #references: number[] = [0];
  /** First in, first out, so that a generation comes back as late as possible. */
  #free: number[] = [];
  #freeHead = 0;
  #size = 0;
  #overflowed = 0;
  /** No further sets are made: memory is short. */
  frozen = false;

  constructor(options: LabelSetsOptions = {}) {
    this.#maxSets = Math.min(options.maxSets ?? 16_384, LABEL_SET_INDEX - MAX_OVERFLOW_SETS - 1);
    this.#maxValueLength = Math.max(options.maxValueLength ?? 256, 2);
  }

  /** Sets alive, overflow sets not counted. */
  get size(): number {
    return this.#size;
  }

  /** How often `intern` answered with an overflow set. */
  get overflowed(): number {
    return this.#overflowed;
  }

  /** The id of these labels, with one reference for the caller. Empty values count as absent. */
  intern(labels: Labels): LabelSetId {
    const key = this.#keyOf(labels);
    const known = this.#byKey.get(key);
    if (known !== undefined) {
      this.#references[known & LABEL_SET_INDEX] += 1;
      return known;
    }
    if (this.#size >= this.#maxSets || this.frozen) {
      this.#overflowed += 1;
      return this.overflow(labels.protocol, labels.role);
    }
    const id = this.#allocate(key, labels);
    this.#byKey.set(key, id);
    this.#size += 1;
    return id;
  }

  /** The overflow set of a protocol and role. It lives for ever; retaining and releasing it does nothing. */
  overflow(protocol: string | undefined, role: string | undefined): LabelSetId {
    const key = `${protocol ?? ''}\0${role ?? ''}`;
    const known = this.#overflow.get(key);
    if (known !== undefined) return known;
    if (this.#overflow.size >= MAX_OVERFLOW_SETS && key !== '\0') return this.overflow(undefined, undefined);
    const labels = { protocol: protocol ?? '', role: role ?? '', overflow: 'true' };
    const id = this.#allocate(this.#keyOf(labels), labels);
    this.#overflow.set(key, id);
    this.#references[id & LABEL_SET_INDEX] = Infinity;
    return id;
  }

  /** Labels of a set that is alive; of 0, none. @throws RangeError on an id that was freed. */
  labels(id: LabelSetId): Labels {
    const index = id & LABEL_SET_INDEX;
    if (this.#ids[index] !== id) throw new RangeError(`label set ${id} is not alive`);
    return this.#labels[index];
  }

  alive(id: LabelSetId): boolean {
    return id !== 0 && this.#ids[id & LABEL_SET_INDEX] === id;
  }

  /** Takes one more reference. @throws RangeError on an id that was freed. */
  retain(id: LabelSetId): void {
    this.#references[this.#indexOf(id)] += 1;
  }

  /** Gives one reference back; the last one frees the set. @throws RangeError on an id that was freed. */
  release(id: LabelSetId): void {
    const index = this.#indexOf(id);
    this.#references[index] -= 1;
    if (this.#references[index] === 0) this.#freeSet(index, id);
  }

  /**
   * Calls back with each id that is freed, while its labels can still be read. Returns what ends it.
   * Used by memos to drop what they derived from the set.
   */
  onFree(listener: (id: LabelSetId) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #indexOf(id: LabelSetId): number {
    const index = id & LABEL_SET_INDEX;
    if (id === 0 || this.#ids[index] !== id) throw new RangeError(`label set ${id} is not alive`);
    return index;
  }

  #freeSet(index: number, id: LabelSetId): void {
    for (const listener of this.#listeners) listener(id);
    this.#byKey.delete(this.#keys[index]);
    this.#labels[index] = NO_LABELS;
    this.#keys[index] = '';
    // A negative id keeps the generation and equals no id that was ever given out.
    this.#ids[index] = -id;
    this.#free.push(index);
    this.#size -= 1;
  }

  #allocate(key: string, labels: Labels): LabelSetId {
    let index = this.#ids.length;
    let generation = 0;
    if (this.#freeHead < this.#free.length) {
      index = this.#free[this.#freeHead];
      this.#freeHead += 1;
      if (this.#freeHead > 1024 && this.#freeHead * 2 > this.#free.length) {
        this.#free = this.#free.slice(this.#freeHead);
        this.#freeHead = 0;
      }
      generation = ((-this.#ids[index] >>> INDEX_BITS) + 1) % GENERATIONS;
    }
    const id = (generation << INDEX_BITS) | index;
    this.#ids[index] = id;
    this.#labels[index] = this.#cleaned(labels);
    this.#keys[index] = key;
    this.#references[index] = 1;
    return id;
  }

  #keyOf(labels: Labels): string {
    let key = '';
    for (const name of KEYS) {
      const value = labels[name];
      key += value === undefined || value === '' ? '\0' : `${this.#cleanValue(value)}\0`;
    }
    return key;
  }

  #cleaned(labels: Labels): Labels {
    const clean: Partial<Record<LabelKey, string>> = {};
    for (const name of KEYS) {
      const value = labels[name];
      if (value !== undefined && value !== '') clean[name] = this.#cleanValue(value);
    }
    return Object.freeze(clean);
  }

  #cleanValue(value: string): string {
    let text = value.length > this.#maxValueLength ? `${value.slice(0, this.#maxValueLength - 1)}…` : value;
    if (/[\0\uD800-\uDFFF]/.test(text)) text = text.replaceAll(/\0|\p{Surrogate}/gu, '\uFFFD');
    return text;
  }
}
