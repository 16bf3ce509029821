import { ERROR } from '../../exchange.ts';
import type { Exchange } from '../../exchange.ts';
import type { Segment } from '../../segment.ts';
import type { ConnectionEnd, Parser, ProtocolHost } from '../protocol.ts';

/** Requests of one UDP socket that wait; the oldest of more ends unanswered. */
const MAX_WAITING = 64;

/**
 * UDP of no known protocol: a datagram of the client is a request, the next one back from the same peer its
 * response. Where the kernel cannot tell the peer (an unconnected socket that receives), the oldest request fits.
 */
export class DatagramParser implements Parser {
  readonly #host: ProtocolHost;

  constructor(host: ProtocolHost) {
    this.#host = host;
  }

  turn(): void {}

  data(fromClient: boolean, segment: Segment): void {
    const size = segment.end - segment.start + segment.unseen;
    if (fromClient) this.#request(segment, size);
    else this.#response(segment, size);
  }

  skip(): void {}

  gap(): void {}

  tick(now: number): void {
    let exchange = this.#host.first;
    while (exchange !== null) {
      const deadline = exchange.lastActivity + this.#host.timeoutNs;
      if (now <= deadline) return;
      this.#unanswered(exchange, ERROR.noResponse, deadline);
      exchange = this.#host.first;
    }
  }

  end(reason: ConnectionEnd, time: number): void {
    while (this.#host.first !== null) {
      const exchange = this.#host.first;
      if (reason === 'flush') exchange.complete = false;
      this.#unanswered(exchange, reason === 'flush' ? ERROR.none : ERROR.noResponse, time);
    }
  }

  #request(segment: Segment, size: number): void {
    if (this.#host.openExchanges >= MAX_WAITING && this.#host.first !== null) {
      this.#unanswered(this.#host.first, ERROR.noResponse, segment.time);
    }
    const exchange = this.#host.open(segment);
    exchange.requestBytes = size;
    exchange.requestEnd = segment.time;
    exchange.lastActivity = segment.time;
    exchange.requestDone = true;
    if (segment.peerPort === 0) return;
    exchange.peer = { address: peerOf(segment), port: segment.peerPort };
  }

  #response(segment: Segment, size: number): void {
    const exchange = this.#waitingFor(segment);
    if (exchange === null) {
      this.#host.refuse('unrequested');
      return;
    }
    this.#host.credit(exchange, segment);
    if (exchange.peer === null && segment.peerPort !== 0) {
      exchange.peer = { address: peerOf(segment), port: segment.peerPort };
    }
    exchange.responseStart = segment.time;
    exchange.responseEnd = segment.time;
    exchange.responseBytes = size;
    exchange.responseDone = true;
    this.#host.finish(exchange);
  }

  /** The oldest request of this peer, else the oldest of a peer that is not known. */
  #waitingFor(segment: Segment): Exchange | null {
    let unknown: Exchange | null = null;
    for (let exchange = this.#host.first; exchange !== null; exchange = exchange.next) {
      if (exchange.peer === null || segment.peerPort === 0) unknown ??= exchange;
      else if (isPeer(exchange, segment)) return exchange;
    }
    return unknown;
  }

  #unanswered(exchange: Exchange, error: number, end: number): void {
    exchange.error = error;
    exchange.end = end;
    this.#host.finish(exchange);
  }
}

function peerOf(segment: Segment): Uint8Array {
  return segment.bytes.slice(segment.peerStart, segment.peerStart + segment.peerLength);
}

function isPeer(exchange: Exchange, segment: Segment): boolean {
  const peer = exchange.peer;
  if (peer === null || peer.port !== segment.peerPort || peer.address.length !== segment.peerLength) return false;
  for (let i = 0; i < peer.address.length; i++) {
    if (peer.address[i] !== segment.bytes[segment.peerStart + i]) return false;
  }
  return true;
}
