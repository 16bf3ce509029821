import type { EventBatch, PolicySink } from '../../model/event-batch.ts';
import { KIND, POLICY, RECORD } from '../../model/record.gen.ts';

const { head, open, owner } = RECORD;

/** What is known of a connection when its policy is decided; one object, filled anew for each. */
export interface PolicyFacts {
  index: number;
  generation: number;
  localPort: number;
  remotePort: number;
  /** Who uses it, as the kernel counts; 0 if nobody has yet. */
  pid: number;
  comm: string;
  /** Id of the cgroup (v2). */
  cgroup: number;
}

/** What a rule may want; `auto` leaves it to the analyzer, and with that ends the search. */
export type PolicyChoice = 'stream' | 'headers' | 'count' | 'ignore' | 'auto';

/** Holds for connections for which all that it names is so. The first rule that holds decides. */
export interface PolicyRule {
  /** Local or remote. */
  readonly port?: number | undefined;
  readonly pid?: number | undefined;
  readonly comm?: string | undefined;
  readonly cgroup?: number | undefined;
  readonly policy: PolicyChoice;
}

/** Lowers what was decided, or leaves it: gives the word that is written. */
export type PolicyCap = (facts: PolicyFacts, word: number) => number;

export interface PolicyControlOptions {
  /** Where words go: the kernel's table. */
  readonly table: PolicySink;
  /** Connections followed at a time; those beyond keep what the analyzer wishes. */
  readonly maxConnections: number;
  /** What holds for a connection that no rule names: undefined for what the analyzer wishes (capture.policy auto). */
  readonly fixed?: number | undefined;
  /** A word of policy `headers` for connections of which the analyzer has not said how much of a message it needs. */
  readonly headers: number;
  /** Policy `ignore` begins or ends for this connection. */
  readonly onIgnored?: (index: number, generation: number, ignored: boolean) => void;
}

/**
 * Stands between analyzer and kernel: remembers what the analyzer wishes of each connection, applies the rules and the
 * cap, and can do so anew for all connections at once.
 */
export interface PolicyControl extends PolicySink {
  rules(): readonly PolicyRule[];
  /** Takes effect on the connections that are open, too. */
  setRules(rules: readonly PolicyRule[]): void;
  /** For the overhead governor. Call `reapply` when what it answers has changed. */
  setCap(cap: PolicyCap | undefined): void;
  reapply(): void;
  /** Connections that a rule decides about, by the rule's place. */
  matches(): number[];
}

const LIVE = 1;
const NO_WISH = 0xffffffff;
/** Words of each connection in `#words`. */
const WISH = 0;
const WRITTEN = 1;
const PID = 2;
const PORTS = 3;
const CGROUP = 4;
const COMM = 6;
const STRIDE = 10;
const FIRST_PLACES = 256;

export function createPolicyControl(options: PolicyControlOptions): PolicyControl {
  return new Control(options);
}

class Control implements PolicyControl {
  readonly #options: PolicyControlOptions;
  #rules: readonly PolicyRule[] = [];
  #cap: PolicyCap | undefined;
  #words = new Uint32Array(0);
  #generations = new Uint16Array(0);
  #live = new Uint8Array(0);
  readonly #facts: PolicyFacts = {
    index: 0,
    generation: 0,
    localPort: 0,
    remotePort: 0,
    pid: 0,
    comm: '',
    cgroup: 0,
  };

  constructor(options: PolicyControlOptions) {
    this.#options = options;
  }

  rules(): readonly PolicyRule[] {
    return this.#rules;
  }

  setRules(rules: readonly PolicyRule[]): void {
    this.#rules = rules;
    this.reapply();
  }

  setCap(cap: PolicyCap | undefined): void {
    this.#cap = cap;
    this.reapply();
  }

  reapply(): void {
    for (let index = 0; index < this.#live.length; index++) if (this.#live[index] === LIVE) this.#decide(index);
  }

  matches(): number[] {
    const counts = this.#rules.map(() => 0);
    if (counts.length === 0) return counts;
    for (let index = 0; index < this.#live.length; index++) {
      if (this.#live[index] !== LIVE) continue;
      const facts = this.#read(index);
      const at = this.#rules.findIndex((rule) => holds(rule, facts));
      if (at >= 0) counts[at]++;
    }
    return counts;
  }

  set(index: number, generation: number, word: number): void {
    if (index >= this.#live.length || this.#live[index] !== LIVE || this.#generations[index] !== generation) {
      // Its open record was lost, or it is over: nothing is known that a rule could be held against.
      if (this.#options.fixed === undefined) this.#options.table.set(index, generation, word);
      return;
    }
    this.#words[index * STRIDE + WISH] = word & ~POLICY.set;
    this.#decide(index);
  }

  life(batch: EventBatch, offset: number): void {
    const { bytes, words, halves } = batch;
    const at = offset >>> 2;
    const kind = bytes[offset + head.kind];
    const index = words[at + head.index / 4];
    const generation = halves[(offset + head.generation) >>> 1];
    if (kind === KIND.open) {
      if (index >= this.#options.maxConnections) return;
      this.#reserve(index);
      this.#generations[index] = generation;
      this.#live[index] = LIVE;
      const place = index * STRIDE;
      const own = this.#words;
      own[place + WISH] = NO_WISH;
      own[place + WRITTEN] = NO_WISH;
      own[place + PID] = words[at + open.tgid / 4];
      own[place + PORTS] = words[at + open.localPort / 4];
      for (let i = 0; i < 2; i++) own[place + CGROUP + i] = words[at + open.cgroupId / 4 + i];
      for (let i = 0; i < 4; i++) own[place + COMM + i] = words[at + open.comm / 4 + i];
      this.#decide(index);
      return;
    }
    if (index >= this.#live.length || this.#live[index] !== LIVE || this.#generations[index] !== generation) return;
    if (kind === KIND.close) {
      this.#live[index] = 0;
    } else if (kind === KIND.owner) {
      const place = index * STRIDE;
      const own = this.#words;
      own[place + PID] = words[at + owner.tgid / 4];
      for (let i = 0; i < 2; i++) own[place + CGROUP + i] = words[at + owner.cgroupId / 4 + i];
      for (let i = 0; i < 4; i++) own[place + COMM + i] = words[at + owner.comm / 4 + i];
      this.#decide(index);
    }
  }

  #decide(index: number): void {
    const { table, fixed, headers, onIgnored } = this.#options;
    const place = index * STRIDE;
    const written = this.#words[place + WRITTEN];
    const wish = this.#words[place + WISH];
    const usual = fixed ?? (wish === NO_WISH ? POLICY.stream : wish);
    let word = usual;
    if (this.#rules.length > 0 || this.#cap !== undefined) {
      const facts = this.#read(index);
      const choice = this.#rules.find((rule) => holds(rule, facts))?.policy ?? 'auto';
      if (choice === 'headers') word = isHeaders(wish) ? wish : headers;
      else if (choice !== 'auto') word = POLICY[choice];
      if (this.#cap !== undefined) word = this.#cap(facts, word);
    }
    // A socket without a word is treated by the kernel as one that nobody has decided about yet: it stays one.
    if (word === written || (written === NO_WISH && word === usual && (fixed !== undefined || wish === NO_WISH)))
      return;
    this.#words[place + WRITTEN] = word;
    const generation = this.#generations[index];
    table.set(index, generation, word);
    if (isIgnored(word) !== isIgnored(written)) onIgnored?.(index, generation, isIgnored(word));
  }

  #read(index: number): PolicyFacts {
    const facts = this.#facts;
    const place = index * STRIDE;
    const words = this.#words;
    facts.index = index;
    facts.generation = this.#generations[index];
    facts.localPort = swap(words[place + PORTS] & 0xffff);
    facts.remotePort = swap(words[place + PORTS] >>> 16);
    facts.pid = words[place + PID];
    facts.cgroup = words[place + CGROUP] + words[place + CGROUP + 1] * 2 ** 32;
    facts.comm = text(words, place + COMM);
    return facts;
  }

  #reserve(index: number): void {
    if (index < this.#live.length) return;
    const places = Math.min(this.#options.maxConnections, Math.max(FIRST_PLACES, 2 ** Math.ceil(Math.log2(index + 1))));
    const grown = { words: this.#words, generations: this.#generations, live: this.#live };
    this.#words = new Uint32Array(places * STRIDE);
    this.#words.set(grown.words);
    this.#generations = new Uint16Array(places);
    this.#generations.set(grown.generations);
    this.#live = new Uint8Array(places);
    this.#live.set(grown.live);
  }
}

function holds(rule: PolicyRule, facts: PolicyFacts): boolean {
  return (
    (rule.port === undefined || rule.port === facts.localPort || rule.port === facts.remotePort) &&
    (rule.pid === undefined || rule.pid === facts.pid) &&
    (rule.comm === undefined || rule.comm === facts.comm) &&
    (rule.cgroup === undefined || rule.cgroup === facts.cgroup)
  );
}

function isHeaders(word: number): boolean {
  return word !== NO_WISH && (word & POLICY.mask) === POLICY.headers;
}

function isIgnored(word: number): boolean {
  return word !== NO_WISH && (word & POLICY.mask) === POLICY.ignore;
}

/** Ports in records are in network order. */
function swap(port: number): number {
  return ((port & 0xff) << 8) | (port >>> 8);
}

/** Four words of characters, up to the first 0. */
function text(words: Uint32Array, at: number): string {
  let result = '';
  for (let i = 0; i < 16; i++) {
    const code = (words[at + (i >> 2)] >>> ((i & 3) * 8)) & 0xff;
    if (code === 0) break;
    result += String.fromCharCode(code);
  }
  return result;
}
