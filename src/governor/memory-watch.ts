/** What can be let go when memory is short, in the order in which it goes. */
export interface MemoryShed {
  /** Caches are emptied and idle series expire early. */
  caches(shed: boolean): void;
  /** No new series and label sets: what is new is counted in overflow series. */
  series(shed: boolean): void;
  /** No new connections are followed: their messages are dropped, counted as `table_full`. */
  connections(shed: boolean): void;
}

export interface MemoryWatchOptions {
  /** Resident memory to stay under, bytes. */
  readonly limit: number;
  /** Resident memory now, bytes. */
  readonly resident: () => number;
  readonly shed: MemoryShed;
}

export const MEMORY_LEVELS = [
  'everything is kept',
  'caches are emptied and idle series expire after a minute',
  'no new series and label sets are made',
  'no new connections are followed',
] as const;

/** Resident memory is read so often, s: it moves slowly. */
const EVERY_S = 5;
/** So many readings above the limit are a step up. */
const READINGS = 3;
/** A step shows its effect when the heap has been collected, s. */
const SETTLE_S = 20;
/** Below this share of the limit there is room again. */
const ROOM_SHARE = 0.85;
/** There must be room for so long before a step down; twice as long each time it had to be taken back. */
const ROOM_S = 60;
const LONGEST_S = 3600;

/** Keeps resident memory under its limit: what costs least to lose goes first. */
export class MemoryWatch {
  readonly #options: MemoryWatchOptions;
  #level = 0;
  #nextAt = Number.NEGATIVE_INFINITY;
  #settledAt = Number.NEGATIVE_INFINITY;
  #returnedAt = Number.NEGATIVE_INFINITY;
  #roomSince = Number.NaN;
  #above = 0;
  #waitS = ROOM_S;
  #resident = 0;

  constructor(options: MemoryWatchOptions) {
    this.#options = options;
  }

  get level(): number {
    return this.#level;
  }

  /** Bytes, at the last reading. */
  get resident(): number {
    return this.#resident;
  }

  /** @param now seconds; best once a second */
  tick(now: number): 'up' | 'down' | undefined {
    if (now < this.#nextAt) return undefined;
    this.#nextAt = now + EVERY_S;
    const { limit, resident, shed } = this.#options;
    this.#resident = resident();
    // Caches fill again.
    if (this.#level > 0) shed.caches(true);
    this.#above = this.#resident > limit ? this.#above + 1 : 0;
    if (this.#resident > limit * ROOM_SHARE) this.#roomSince = Number.NaN;
    else if (Number.isNaN(this.#roomSince)) this.#roomSince = now;
    if (now < this.#settledAt) return undefined;
    if (this.#above >= READINGS && this.#level < MEMORY_LEVELS.length - 1) {
      const held = now - this.#returnedAt >= 3 * this.#waitS;
      this.#waitS = held ? ROOM_S : Math.min(LONGEST_S, this.#waitS * 2);
      this.#step(this.#level + 1, now);
      return 'up';
    }
    if (this.#level > 0 && now - this.#roomSince >= this.#waitS) {
      this.#step(this.#level - 1, now);
      this.#returnedAt = now;
      return 'down';
    }
    return undefined;
  }

  #step(level: number, now: number): void {
    this.#level = level;
    this.#settledAt = now + SETTLE_S;
    this.#roomSince = Number.NaN;
    this.#above = 0;
    const { shed } = this.#options;
    shed.caches(level >= 1);
    shed.series(level >= 2);
    shed.connections(level >= 3);
  }
}
