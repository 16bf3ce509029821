import type { LineEnds } from './segment-line.ts';

/** A connection of the input: its place in the table, and its counters as the kernel would keep them. */
export class ReplayedConnection {
  readonly name: string;
  readonly index: number;
  readonly generation: number;
  ends: LineEnds = { role: null, source: null, destination: null, pid: null, comm: null };
  announced = false;
  isUdp = false;
  openedAt = 0n;
  lastSend = 0n;
  lastReceive = 0n;
  tx = 0;
  rx = 0;
  number = 0;
  turn = 0;
  /** -1 before the first message. */
  direction = -1;

  constructor(name: string, index: number, generation: number) {
    this.name = name;
    this.index = index;
    this.generation = generation;
  }

  /** What a line tells is kept; what it does not tell stays. @returns whether the owner changed */
  learn(ends: LineEnds): boolean {
    const known = this.ends;
    const pid = ends.pid ?? known.pid;
    const comm = ends.comm ?? known.comm;
    const changed = pid !== known.pid || comm !== known.comm;
    if (
      changed ||
      (known.role === null && ends.role !== null) ||
      (known.source === null && ends.source !== null) ||
      (known.destination === null && ends.destination !== null)
    ) {
      this.ends = {
        role: known.role ?? ends.role,
        source: known.source ?? ends.source,
        destination: known.destination ?? ends.destination,
        pid,
        comm,
      };
    }
    return changed;
  }
}

/** Who had a place, newest first: exchanges may be yielded a little after their connection's end. */
interface Place {
  readonly generation: number;
  readonly name: string;
  readonly before: { readonly generation: number; readonly name: string } | null;
  /** How often records had been delivered when it became free. */
  freedAt: number;
}

/** So many places lie free before one is used again: what comes late for an old connection still finds its name. */
const MIN_FREE = 64;

/** Connections by name, at most `capacity`: the one that was silent longest makes room. */
export class ReplayedConnections {
  readonly #capacity: number;
  readonly #open = new Map<string, ReplayedConnection>();
  readonly #places: Place[] = [];
  /** In the order in which they became free, from #firstFree on. */
  #free: number[] = [];
  #firstFree = 0;
  readonly #deliver: () => void;
  #deliveries = 0;

  /** @param deliver hands over what was written: a place is not used again while records of its old use wait */
  constructor(capacity: number, deliver: () => void) {
    this.#capacity = capacity;
    this.#deliver = deliver;
  }

  /** All records that were written are with the analyzer. */
  delivered(): void {
    this.#deliveries++;
  }

  get open(): Iterable<ReplayedConnection> {
    return this.#open.values();
  }

  get isFull(): boolean {
    return this.#open.size >= this.#capacity;
  }

  /** The one that was silent longest. */
  get oldest(): ReplayedConnection | undefined {
    const [first] = this.#open.values();
    return first;
  }

  /** The open connection of that name, which is then the one last heard of. */
  touch(name: string): ReplayedConnection | undefined {
    const connection = this.#open.get(name);
    if (connection === undefined) return undefined;
    this.#open.delete(name);
    this.#open.set(name, connection);
    return connection;
  }

  /** The caller makes room first. */
  begin(name: string): ReplayedConnection {
    const index = this.#takePlace();
    const place = this.#places.at(index);
    const generation = (place?.generation ?? 0) + 1;
    this.#places[index] = {
      generation,
      name,
      before: place === undefined ? null : { generation: place.generation, name: place.name },
      freedAt: 0,
    };
    const connection = new ReplayedConnection(name, index, generation);
    this.#open.set(name, connection);
    return connection;
  }

  end(connection: ReplayedConnection): void {
    this.#open.delete(connection.name);
    this.#free.push(connection.index);
    this.#places[connection.index].freedAt = this.#deliveries;
  }

  #takePlace(): number {
    const free = this.#free.length - this.#firstFree;
    if (free === 0 || (free < MIN_FREE && this.#places.length < this.#capacity)) return this.#places.length;
    const index = this.#free[this.#firstFree];
    this.#firstFree++;
    if (this.#firstFree > 1024) {
      this.#free = this.#free.slice(this.#firstFree);
      this.#firstFree = 0;
    }
    if (this.#places[index].freedAt === this.#deliveries) this.#deliver();
    return index;
  }

  /** The name that the input gave. */
  nameOf(index: number, generation: number): string | null {
    const place = this.#places.at(index);
    if (place === undefined) return null;
    if (place.generation === generation) return place.name;
    return place.before?.generation === generation ? place.before.name : null;
  }
}
