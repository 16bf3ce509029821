import { EXCHANGE_METRIC, EXCHANGE_METRICS } from '../../model/exchange.ts';
import type { ExchangeGroup } from '../../model/exchange.ts';
import type { LabelSetId } from '../../model/label-sets.ts';
import { GROUP } from '../../model/names.ts';
import type { ErrorKind } from '../../model/names.ts';
import { addressText, endpointText } from './address.ts';
import type { Connection } from './connection.ts';
import type { Endpoint } from './endpoint.ts';
import { errorName } from './exchange.ts';
import type { Attributes, Exchange } from './exchange.ts';
import { isLocalServer } from './labeller.ts';
import type { Labeller } from './labeller.ts';

/** Name of a connection by its cookie, where the source has one of its own (a replay). */
export type ConnectionNames = (cookieLow: number, cookieHigh: number) => string | null;

/** Attribute of the first exchange that was seen of a connection that was open before. */
const JOINED = 'sonde.joined';

const { duration, ttfb, queue, connect, requestSent, contentDownload, requestBytes, responseBytes } = EXCHANGE_METRIC;

/** The view on an exchange that consumers get: one object, set to each exchange in turn. */
export class ExchangeView implements ExchangeGroup {
  readonly name = GROUP.request;
  labels: LabelSetId = 0;
  readonly metrics = new Float64Array(EXCHANGE_METRICS);
  timestamp = Number.NaN;
  complete = true;
  estimated = false;

  readonly #labeller: Labeller;
  readonly #names: ConnectionNames | null;
  #exchange: Exchange | null = null;
  #connection: Connection | null = null;

  constructor(labeller: Labeller, names: ConnectionNames | null) {
    this.#labeller = labeller;
    this.#names = names;
  }

  set(exchange: Exchange, connection: Connection, labels: LabelSetId): void {
    this.#exchange = exchange;
    this.#connection = connection;
    this.labels = labels;
    this.timestamp = exchange.start;
    this.complete = exchange.complete;
    this.estimated = exchange.estimated;
    const metrics = this.metrics;
    const start = exchange.timed ? exchange.start : Number.NaN;
    const responseEnd = exchange.responseEnd;
    // The kernel's TCP clock may lag by a little between two calls: nothing takes less than no time.
    metrics[duration] = Math.max(0, (Number.isNaN(exchange.end) ? responseEnd : exchange.end) - start);
    metrics[ttfb] = Math.max(0, exchange.responseStart - start);
    metrics[queue] = exchange.queueNs;
    metrics[connect] = exchange.connectNs;
    metrics[requestSent] = Math.max(0, exchange.requestEnd - start);
    metrics[contentDownload] = Math.max(0, responseEnd - exchange.responseStart);
    metrics[requestBytes] = exchange.requestBytes;
    metrics[responseBytes] = exchange.responseBytes;
  }

  connectionId(): string {
    const connection = this.#shown().connection;
    const { cookieLow, cookieHigh } = connection;
    const name = this.#names?.(cookieLow, cookieHigh) ?? null;
    if (name !== null) return name;
    if (cookieLow === 0 && cookieHigh === 0) return `${connection.index}.${connection.generation}`;
    return String((BigInt(cookieHigh) << 32n) | BigInt(cookieLow));
  }

  source(): string {
    return this.#end(false);
  }

  destination(): string {
    return this.#end(true);
  }

  operation(): string | null {
    return this.#shown().exchange.operation?.text ?? null;
  }

  resource(): string | null {
    return this.#shown().exchange.resource?.text ?? null;
  }

  status(): string | null {
    return this.#shown().exchange.status?.text ?? null;
  }

  error(): ErrorKind | null {
    return errorName(this.#shown().exchange.error);
  }

  traceId(): string | null {
    return this.#shown().exchange.trace?.toString() ?? null;
  }

  pid(): number {
    return this.#shown().connection.pid;
  }

  comm(): string {
    return this.#endpoint().comm;
  }

  attributes(): Attributes {
    const { exchange, connection } = this.#shown();
    const described = exchange.describe === null ? {} : exchange.describe(exchange);
    const attributes = exchange.joined ? { ...described, [JOINED]: true } : described;
    if (connection.transport === null) return attributes;
    const end = Number.isNaN(exchange.end) ? exchange.responseEnd : exchange.end;
    return { ...attributes, ...connection.transport.attributes(exchange.start, end) };
  }

  /** `ip:port` of the server's or the client's end. */
  #end(server: boolean): string {
    const { exchange, connection } = this.#shown();
    const isLocal = isLocalServer(connection) === server;
    const { peer } = exchange;
    if (!isLocal && peer !== null) return endpointText(addressText(peer.address, connection.family), peer.port);
    const port = isLocal ? connection.localPort : connection.remotePort;
    if (!isLocal && port === 0) return '';
    const first = isLocal ? 0 : 16;
    const address = new Uint8Array(connection.addresses.buffer).subarray(first, first + 16);
    return endpointText(addressText(address, connection.family), port);
  }

  #endpoint(): Endpoint {
    const { exchange, connection } = this.#shown();
    return this.#labeller.endpoint(exchange, connection);
  }

  #shown(): { exchange: Exchange; connection: Connection } {
    if (this.#exchange === null || this.#connection === null) throw new Error('the view shows no exchange');
    return { exchange: this.#exchange, connection: this.#connection };
  }
}
