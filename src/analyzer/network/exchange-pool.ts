import { Exchange } from './exchange.ts';

/** So many are kept for reuse; more are left to the garbage collector. */
const MAX_FREE = 4096;

/** Exchange objects of one protocol, used again and again. */
export class ExchangePool {
  #free: Exchange | null = null;
  #count = 0;

  take(): Exchange {
    const exchange = this.#free;
    if (exchange === null) return new Exchange();
    this.#free = exchange.next;
    this.#count--;
    exchange.reset();
    return exchange;
  }

  give(exchange: Exchange): void {
    if (this.#count >= MAX_FREE) return;
    exchange.next = this.#free;
    this.#free = exchange;
    this.#count++;
  }
}
