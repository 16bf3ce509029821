import type { ExchangeGroup } from '../../model/exchange.ts';
import type { LabelSetId } from '../../model/label-sets.ts';
import type { ErrorKind } from '../../model/names.ts';

/** An exchange as it came, under another label set. One object is used for all of them. */
export class NamedExchange implements ExchangeGroup {
  name = '';
  labels: LabelSetId = 0;
  metrics: Float64Array = new Float64Array(0);
  timestamp = 0;
  complete = true;
  estimated = false;
  #exchange: ExchangeGroup | undefined;

  wrap(exchange: ExchangeGroup, labels: LabelSetId): this {
    this.#exchange = exchange;
    this.name = exchange.name;
    this.labels = labels;
    this.metrics = exchange.metrics;
    this.timestamp = exchange.timestamp;
    this.complete = exchange.complete;
    this.estimated = exchange.estimated;
    return this;
  }

  connectionId(): string {
    return this.#inner.connectionId();
  }

  source(): string {
    return this.#inner.source();
  }

  destination(): string {
    return this.#inner.destination();
  }

  operation(): string | null {
    return this.#inner.operation();
  }

  resource(): string | null {
    return this.#inner.resource();
  }

  status(): string | null {
    return this.#inner.status();
  }

  error(): ErrorKind | null {
    return this.#inner.error();
  }

  traceId(): string | null {
    return this.#inner.traceId();
  }

  pid(): number {
    return this.#inner.pid();
  }

  comm(): string {
    return this.#inner.comm();
  }

  attributes(): Readonly<Record<string, string | number | boolean>> {
    return this.#inner.attributes();
  }

  get #inner(): ExchangeGroup {
    if (this.#exchange === undefined) throw new Error('an exchange can be read while it is consumed only');
    return this.#exchange;
  }
}
