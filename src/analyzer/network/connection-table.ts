import { Connection } from './connection.ts';
import type { Environment } from './connection.ts';

/** Connections by the kernel's index. Objects are made on first use and used again with each generation. */
export class ConnectionTable {
  readonly #environment: Environment;
  readonly #capacity: number;
  readonly #connections: (Connection | null)[] = [];

  constructor(environment: Environment, capacity: number) {
    this.#environment = environment;
    this.#capacity = capacity;
  }

  at(index: number): Connection | null {
    return index < this.#connections.length ? this.#connections[index] : null;
  }

  /** The place of an index, null if it lies beyond the table. */
  reserve(index: number): Connection | null {
    if (index >= this.#capacity) return null;
    while (this.#connections.length <= index) this.#connections.push(null);
    const known = this.#connections[index];
    if (known !== null) return known;
    const connection = new Connection(this.#environment);
    this.#connections[index] = connection;
    return connection;
  }

  *live(): Iterable<Connection> {
    for (const connection of this.#connections) if (connection?.live === true) yield connection;
  }
}
