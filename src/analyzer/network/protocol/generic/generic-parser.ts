import { ERROR } from '../../exchange.ts';
import type { Exchange } from '../../exchange.ts';
import type { Segment } from '../../segment.ts';
import { lostIn } from '../lost-messages.ts';
import type { ConnectionEnd, Gap, Parser, ProtocolHost } from '../protocol.ts';

/** How long a response must be silent to be over; without a following request there is no other sign. */
const QUIET_NS = 2.5e9;

/** Half duplex: what the client sends is a request, what comes back until it sends again is the response. */
export class GenericParser implements Parser {
  readonly #host: ProtocolHost;
  #narrowed = false;

  constructor(host: ProtocolHost) {
    this.#host = host;
  }

  turn(fromClient: boolean): void {
    if (fromClient) this.#endAnswered();
  }

  data(fromClient: boolean, segment: Segment): void {
    const size = segment.end - segment.start + segment.unseen;
    let exchange = this.#host.first;
    if (fromClient) {
      if (exchange === null) exchange = begin(this.#host, segment);
      else this.#host.credit(exchange, segment);
    } else if (exchange === null) {
      this.#host.refuse('unrequested');
      return;
    } else {
      this.#host.credit(exchange, segment);
    }
    count(exchange, fromClient, size, segment.time);
  }

  skip(fromClient: boolean, bytes: number, time: number): void {
    const exchange = this.#host.first;
    if (exchange !== null) count(exchange, fromClient, bytes, time);
  }

  gap(gap: Gap): void {
    const lost = lostIn(gap);
    const open = this.#host.first;
    if (open !== null) {
      const request = lost.requests === 0 ? lost.clientBytes : 0;
      const response = lost.responses === 0 ? lost.serverBytes : Math.floor(lost.serverBytes / (lost.responses + 1));
      open.requestBytes += request;
      open.responseBytes += response;
      lost.clientBytes -= request;
      lost.serverBytes -= response;
      open.complete = false;
      open.responseEnd = Number.NaN;
      this.#host.finish(open);
    }
    if (lost.pairs > 0) {
      const requestBytes = Math.floor(lost.clientBytes / lost.requests) * lost.pairs;
      const responseBytes = Math.floor(lost.serverBytes / lost.responses) * lost.pairs;
      this.#host.lost(lost.pairs, requestBytes, responseBytes, gap.time);
      lost.clientBytes -= requestBytes;
      lost.serverBytes -= responseBytes;
    }
    if (lost.requests === lost.pairs) return;
    const exchange = this.#host.openUnseen(gap.time);
    exchange.complete = false;
    exchange.requestEnd = gap.time;
    exchange.requestBytes = lost.clientBytes;
    if (gap.nextFromClient || !gap.headless) return;
    exchange.responseStart = gap.time;
    exchange.responseBytes = lost.serverBytes;
  }

  tick(now: number): void {
    const exchange = this.#host.first;
    if (exchange === null) return;
    if (exchange.responseBytes > 0) {
      if (now - exchange.lastActivity > QUIET_NS) this.#endAnswered();
      return;
    }
    const deadline = exchange.lastActivity + this.#host.timeoutNs;
    if (exchange.reported || now <= deadline) return;
    exchange.error = ERROR.noResponse;
    exchange.end = deadline;
    this.#host.report(exchange);
  }

  end(reason: ConnectionEnd, time: number): void {
    const exchange = this.#host.first;
    if (exchange === null) return;
    if (exchange.responseBytes === 0) {
      exchange.end = time;
      exchange.error = errorOf(reason);
      if (reason === 'flush' || reason === 'lost') exchange.complete = false;
    }
    this.#host.finish(exchange);
  }

  #endAnswered(): void {
    const exchange = this.#host.first;
    if (exchange === null || exchange.responseBytes === 0) return;
    exchange.responseDone = true;
    this.#host.finish(exchange);
    if (this.#narrowed) return;
    this.#narrowed = true;
    this.#host.narrow(0, 0);
  }
}

/** Nothing tells where a request begins but the turn: in the middle of a connection it may have begun before. */
function begin(host: ProtocolHost, segment: Segment): Exchange {
  const exchange = host.open(segment);
  if (exchange.joined) {
    exchange.complete = false;
    exchange.timed = false;
  }
  return exchange;
}

function count(exchange: Exchange, fromClient: boolean, size: number, time: number): void {
  exchange.lastActivity = time;
  if (fromClient) {
    exchange.requestBytes += size;
    exchange.requestEnd = time;
    return;
  }
  exchange.requestDone = true;
  if (exchange.responseBytes === 0) exchange.responseStart = time;
  exchange.responseBytes += size;
  exchange.responseEnd = time;
}

function errorOf(reason: ConnectionEnd): number {
  switch (reason) {
    case 'closed':
      return ERROR.closed;
    case 'reset':
      return ERROR.reset;
    case 'timeout':
    case 'input_end':
      return ERROR.noResponse;
    // How it went on is not known: it is incomplete, not failed.
    case 'lost':
    case 'flush':
      return ERROR.none;
  }
}
