import { POLICY } from '../model/record.gen.ts';

/** What is read of a connection to see how busy it is. */
export interface TalkingConnection {
  readonly index: number;
  readonly generation: number;
  /** Message records so far, modulo 2^32. */
  readonly number: number;
  /** Changes of direction so far, modulo 2^32; they go on where records do not. */
  readonly turnNumber: number;
  /** What it speaks is known. */
  readonly recognised: boolean;
  readonly serverPort: number;
}

/** What each level of shedding does. */
export interface SheddingLevel {
  /** Connections that were left in `stream` get a record a message. */
  readonly narrow: boolean;
  /** Share of the busiest connections that are watched; the others are only counted. */
  readonly share: number;
  /** The quiet connections are only counted too. */
  readonly all: boolean;
  readonly text: string;
}

/** Least truth lost first. Measured: bytes of payload save next to nothing, so no level is about them. */
export const SHEDDING: readonly SheddingLevel[] = [
  { narrow: false, share: 1, all: false, text: 'everything is watched' },
  { narrow: true, share: 1, all: false, text: 'one record a message on every connection' },
  { narrow: true, share: 1 / 2, all: false, text: '1 in 2 of the busiest connections is watched, the others counted' },
  { narrow: true, share: 1 / 4, all: false, text: '1 in 4 of the busiest connections is watched, the others counted' },
  { narrow: true, share: 1 / 8, all: false, text: '1 in 8 of the busiest connections is watched, the others counted' },
  {
    narrow: true,
    share: 1 / 16,
    all: false,
    text: '1 in 16 of the busiest connections is watched, the others counted',
  },
  { narrow: true, share: 0, all: false, text: 'the busiest connections are only counted' },
  { narrow: true, share: 0, all: true, text: 'connections are only counted' },
];

/** The busiest connections are as few as make up this share of all messages. */
const BUSIEST_SHARE = 0.9;
/** A connection is among the busiest until its rate falls under this part of what it takes to get there. */
const STAYS_ABOVE = 0.25;
const GOLDEN = (Math.sqrt(5) - 1) / 2;
const MAX_SERVICES = 4096;
const WIDEST = POLICY.headers | (7 << POLICY.receiveClassShift) | (7 << POLICY.sendClassShift);

/**
 * Chooses which connections are watched. Of the busiest connections of each service (by the server's port) those are
 * watched whose place in a sequence of even spread lies below the level's share: the first one always, and any share
 * is kept nearly exactly, however few there are. A higher level watches fewer of the same, so that a step changes as
 * little as it must.
 */
export class Sampling {
  #level = 0;
  #capacity = 0;
  #generations = new Uint16Array(0);
  #numbers = new Uint32Array(0);
  #turns = new Uint32Array(0);
  #rates = new Float64Array(0);
  /** Records beyond one a message, a second. */
  #extra = new Float64Array(0);
  /** Place in the sequence of its service, 0..1; 2 until it was among the busiest. */
  #places = new Float64Array(0);
  #busiest = new Uint8Array(0);
  #known = new Uint8Array(0);
  readonly #services = new Map<number, number>();
  #surveyedAt = Number.NaN;
  #threshold = Infinity;
  /** By level: records a second that are not written. */
  readonly #saved = new Float64Array(SHEDDING.length);
  /** By level: messages a second on connections that are counted. */
  readonly #countedRate = new Float64Array(SHEDDING.length);
  #rate = 0;

  get level(): number {
    return this.#level;
  }

  set level(level: number) {
    this.#level = level;
  }

  /** Share of all messages that pass on connections which are watched. */
  get watchedShare(): number {
    return this.#rate > 0 ? 1 - this.#countedRate[this.#level] / this.#rate : 1;
  }

  /** Records a second that a level writes less than a lower one, for what is talked now. */
  saved(level: number, lower: number): number {
    return this.#saved[level] - this.#saved[lower];
  }

  /** The policy of a connection, of what the analyzer wishes. */
  cap(index: number, generation: number, wished: number): number {
    const { narrow } = SHEDDING[this.#level];
    const policy = wished & POLICY.mask;
    if (!narrow || policy === POLICY.count || policy === POLICY.ignore) return wished;
    if (index >= this.#capacity || this.#known[index] === 0 || this.#generations[index] !== generation) return wished;
    if (this.#isCounted(index, this.#level)) return POLICY.count;
    return policy === POLICY.stream ? WIDEST : wished;
  }

  /**
   * Looks at what every connection did since the last survey. Returns true if a cap may have changed.
   *
   * @param now ns
   */
  survey(now: number, connections: Iterable<TalkingConnection>): boolean {
    const seconds = (now - this.#surveyedAt) / 1e9;
    this.#surveyedAt = now;
    const seen: number[] = [];
    const narrowed = SHEDDING[this.#level].narrow;
    // Walked twice, and the table gives an iterator that can be walked once.
    const all = [...connections];
    let fresh = false;
    for (const connection of all) {
      if (!connection.recognised) continue;
      const { index, generation } = connection;
      if (index >= this.#capacity) this.#grow(index);
      if (this.#known[index] === 0 || this.#generations[index] !== generation) {
        this.#meet(index, generation);
        fresh = true;
      } else if (seconds > 0) {
        const turns = advance(connection.turnNumber, this.#turns[index]);
        const records = advance(connection.number, this.#numbers[index]);
        this.#rates[index] = smooth(this.#rates[index], turns / seconds);
        // While it is narrowed there are none to see: what was seen before holds.
        const extra = Math.max(0, records - turns) / seconds;
        if (!narrowed) this.#extra[index] = smooth(this.#extra[index], extra);
        seen.push(index);
      }
      this.#turns[index] = connection.turnNumber;
      this.#numbers[index] = connection.number;
    }
    const changed = this.#rank(seen, all);
    this.#add(seen);
    return fresh || changed;
  }

  #isCounted(index: number, level: number): boolean {
    const { share, all } = SHEDDING[level];
    return all || (this.#busiest[index] === 1 && this.#places[index] >= share);
  }

  /** Finds the busiest. */
  #rank(seen: readonly number[], connections: readonly TalkingConnection[]): boolean {
    const rates = Float64Array.from(seen, (index) => this.#rates[index]).toSorted();
    this.#rate = rates.reduce((sum, rate) => sum + rate, 0);
    let left = this.#rate * BUSIEST_SHARE;
    this.#threshold = Infinity;
    for (let i = rates.length - 1; i >= 0 && left > 0; i--) {
      this.#threshold = rates[i];
      left -= rates[i];
    }
    let changed = false;
    for (const { index, serverPort } of connections) {
      if (index >= this.#capacity || this.#known[index] === 0) continue;
      const wasBusy = this.#busiest[index] === 1;
      const isBusy = this.#rates[index] >= this.#threshold * (wasBusy ? STAYS_ABOVE : 1);
      if (wasBusy === isBusy) continue;
      this.#busiest[index] = isBusy ? 1 : 0;
      if (isBusy && this.#places[index] > 1) this.#places[index] = this.#nextPlace(serverPort);
      changed = true;
    }
    return changed;
  }

  /** Adds up what each level saves. */
  #add(seen: readonly number[]): void {
    this.#saved.fill(0);
    this.#countedRate.fill(0);
    for (const index of seen) {
      const rate = this.#rates[index];
      // Met while narrowed, it has none that is known.
      const extra = this.#extra[index] || 0;
      for (let level = 1; level < SHEDDING.length; level++) {
        const counted = this.#isCounted(index, level);
        this.#saved[level] += counted ? rate + extra : extra;
        if (counted) this.#countedRate[level] += rate;
      }
    }
  }

  #nextPlace(service: number): number {
    // Services beyond the bound share a sequence.
    const key = this.#services.has(service) || this.#services.size < MAX_SERVICES ? service : -1;
    const nth = this.#services.get(key) ?? 0;
    this.#services.set(key, nth + 1);
    return (nth * GOLDEN) % 1;
  }

  #meet(index: number, generation: number): void {
    this.#known[index] = 1;
    this.#generations[index] = generation;
    this.#rates[index] = Number.NaN;
    this.#extra[index] = Number.NaN;
    this.#places[index] = 2;
    this.#busiest[index] = 0;
  }

  #grow(index: number): void {
    const capacity = Math.max(1024, 2 ** Math.ceil(Math.log2(index + 1)));
    this.#generations = grown(this.#generations, new Uint16Array(capacity));
    this.#numbers = grown(this.#numbers, new Uint32Array(capacity));
    this.#turns = grown(this.#turns, new Uint32Array(capacity));
    this.#rates = grown(this.#rates, new Float64Array(capacity));
    this.#extra = grown(this.#extra, new Float64Array(capacity));
    this.#places = grown(this.#places, new Float64Array(capacity));
    this.#busiest = grown(this.#busiest, new Uint8Array(capacity));
    this.#known = grown(this.#known, new Uint8Array(capacity));
    this.#capacity = capacity;
  }
}

/** How far a counter modulo 2^32 went; one that went back was read by two threads at once. */
function advance(now: number, before: number): number {
  const step = (now - before) >>> 0;
  return step >= 2 ** 31 ? 0 : step;
}

/** The mean with what was known before, if anything was. */
function smooth(known: number, measured: number): number {
  return Number.isNaN(known) ? measured : (known + measured) / 2;
}

function grown<T extends Float64Array | Uint32Array | Uint16Array | Uint8Array>(old: T, made: T): T {
  made.set(old);
  return made;
}
