import { ERROR } from '../../exchange.ts';
import type { Exchange } from '../../exchange.ts';
import type { Text } from '../../text-table.ts';
import type { Parser, ProtocolHost } from '../protocol.ts';
import { detailOf } from './detail.ts';

/** Size classes of the policy `headers`: 32 << class bytes. */
const REQUEST_CLASS = 4;
const RESPONSE_CLASS = 3;
/** 4 KiB, the payload limit of the policy `stream`. */
const LARGEST_CLASS = 7;
/** A connection that had to be widened so often stays wide: its responses are chunked, or it pipelines. */
const MAX_WIDENINGS = 2;
/** Heads that cannot be HTTP, one after the other, until the guess is given up. */
const MAX_FAILURES = 3;

/** What both directions of an HTTP connection share. */
export class Conversation {
  readonly host: ProtocolHost;
  /** The exchange whose request is under way. */
  writing: Exchange | null = null;
  /** The exchange whose response is under way. */
  reading: Exchange | null = null;
  /** The parser that took over, after an upgrade or when the guess was given up. */
  successor: Parser | null = null;
  /** Some response was lost within a turn: the pairing is not certain until the next turn of the client. */
  misaligned = false;
  /** Records of this connection were lost. */
  gapped = false;
  /** Responses that come, or are under way, for exchanges that had to make room. They precede all others. */
  owed = 0;
  likelyPath: Text | null = null;

  #narrowed = false;
  #widenings = 0;
  #failures = 0;
  #requestClass = REQUEST_CLASS;
  #responseClass = RESPONSE_CLASS;

  constructor(host: ProtocolHost) {
    this.host = host;
  }

  /** The oldest exchange that still waits for (the rest of) its response; null while another's comes first. */
  unanswered(): Exchange | null {
    if (this.owed > 0) return null;
    let exchange = this.host.first;
    while (exchange !== null && exchange.responseDone) exchange = exchange.next;
    return exchange;
  }

  requestDone(exchange: Exchange): void {
    exchange.requestDone = true;
    if (this.writing === exchange) this.writing = null;
    if (exchange.responseDone) this.finish(exchange);
  }

  responseDone(exchange: Exchange): void {
    exchange.responseDone = true;
    if (this.reading === exchange) this.reading = null;
    if (exchange.requestDone) this.finish(exchange);
  }

  /** Both are done, or will never be. */
  finish(exchange: Exchange): void {
    if (this.writing === exchange) this.writing = null;
    if (this.reading === exchange) this.reading = null;
    if (this.misaligned) exchange.complete = false;
    const detail = detailOf(exchange);
    const status = detail.status;
    if (exchange.error === ERROR.none && status >= (this.host.isServer ? 500 : 400)) exchange.error = ERROR.status;
    if (detail.exact && this.host.openExchanges === 1) this.#narrow();
    this.host.finish(exchange);
  }

  /** It has to make room: its response is passed over. */
  evict(exchange: Exchange): void {
    if (!exchange.responseDone) {
      this.gapped = true;
      this.owed++;
      // Only its request tells that a response has no body.
      if (detailOf(exchange).isHead) this.misaligned = true;
      exchange.responseEnd = Number.NaN;
    }
    this.finish(exchange);
  }

  /** A response that belongs to no exchange is over. */
  passedOver(): void {
    if (this.owed > 0) this.owed--;
  }

  /** A request did not start its turn, or a head goes on in a second call: each segment is needed, for good. */
  needsEverySegment(): void {
    this.#widenings = MAX_WIDENINGS;
    this.#widen();
  }

  /** The end of a response cannot be told from its first bytes. */
  needsStream(): void {
    if (this.#narrowed) this.#widenings++;
    this.#widen();
  }

  /** A head was longer than what was captured of it. */
  headCut(fromClient: boolean): void {
    if (!this.#narrowed) return;
    if (fromClient) this.#requestClass = Math.min(this.#requestClass + 1, LARGEST_CLASS);
    else this.#responseClass = Math.min(this.#responseClass + 1, LARGEST_CLASS);
    this.host.narrow(this.#requestClass, this.#responseClass);
  }

  /** A head was HTTP's. */
  understood(): void {
    this.#failures = 0;
  }

  /** A head was not. @returns true if the guess is to be given up */
  failed(): boolean {
    this.#failures++;
    return this.#failures >= MAX_FAILURES;
  }

  /** HTTP ends with this response: what follows belongs to another protocol. */
  upgrade(exchange: Exchange | null): void {
    if (exchange !== null) {
      exchange.responseDone = true;
      this.finish(exchange);
    }
    this.giveUp();
  }

  /**
   * A message of a response that nobody asked for. After lost records its request is among them; on a connection that
   * was joined in the middle, or where a server says more than it was asked, it is no part of an exchange.
   */
  refuseUnasked(): void {
    this.host.refuse(this.gapped ? 'gap' : 'unrequested');
  }

  /** Ends what is open and hands the connection over. */
  giveUp(): void {
    while (this.host.first !== null) {
      const exchange = this.host.first;
      if (!exchange.responseDone && exchange.error === ERROR.none) exchange.complete = false;
      // What it waited counts to the last byte that was still understood.
      if (Number.isNaN(exchange.responseEnd)) exchange.end = exchange.lastActivity;
      this.finish(exchange);
    }
    this.successor = this.host.handOver();
  }

  #narrow(): void {
    if (this.#narrowed || this.#widenings >= MAX_WIDENINGS) return;
    this.#narrowed = true;
    this.host.narrow(this.#requestClass, this.#responseClass);
  }

  #widen(): void {
    if (!this.#narrowed) return;
    this.#narrowed = false;
    this.host.widen();
  }
}
