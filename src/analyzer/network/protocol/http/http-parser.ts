import { ERROR } from '../../exchange.ts';
import type { Exchange } from '../../exchange.ts';
import type { Segment } from '../../segment.ts';
import { lostIn } from '../lost-messages.ts';
import type { LostMessages } from '../lost-messages.ts';
import type { ConnectionEnd, Gap, Parser, ProtocolHost } from '../protocol.ts';
import { Conversation } from './conversation.ts';
import { beginDetail, detailOf } from './detail.ts';
import type { HttpScratch } from './http-scratch.ts';
import { RequestReader } from './request-reader.ts';
import { ResponseReader } from './response-reader.ts';

/**
 * How long a response without a known end must be silent to be over. Only where its framing was lost (its head
 * was cut, or lies in a gap): responses without a length keep their connection in `stream` and end exactly.
 */
const QUIET_NS = 2.5e9;

/** One HTTP/1.x connection, RFC 9112. */
export class HttpParser implements Parser {
  readonly #host: ProtocolHost;
  readonly #conversation: Conversation;
  readonly #requests: RequestReader;
  readonly #responses: ResponseReader;

  constructor(host: ProtocolHost, scratch: HttpScratch) {
    this.#host = host;
    this.#conversation = new Conversation(host);
    this.#requests = new RequestReader(this.#conversation, scratch);
    this.#responses = new ResponseReader(this.#conversation, this.#requests, scratch);
  }

  turn(fromClient: boolean): void {
    if (!fromClient) return;
    const conversation = this.#conversation;
    this.#requests.turn();
    const reading = conversation.reading;
    const asked = reading === null || reading.requestDone || this.#requests.awaitsContinue;
    if (asked && this.#responses.isOpenEnded) this.#responses.endOpenEnded();
    if (conversation.misaligned) this.#realign();
  }

  data(fromClient: boolean, segment: Segment): void {
    if (fromClient) this.#requests.data(segment);
    else this.#responses.data(segment);
    if (this.#conversation.successor !== null) this.#forget();
  }

  skip(fromClient: boolean, bytes: number, time: number): void {
    if (fromClient) this.#requests.pass(bytes, time, null);
    else this.#responses.pass(bytes, time, null);
    if (this.#conversation.successor !== null) this.#forget();
  }

  /**
   * Turns alternate, so their number tells how many requests and responses are missing: each becomes an exchange
   * that is not complete, and the sum of exchanges stays right.
   */
  gap(gap: Gap): void {
    this.#conversation.gapped = true;
    const lost = lostIn(gap);
    this.#endOpen(gap, lost);
    // Requests and responses that are lost as a whole share the bytes evenly.
    const request = Math.floor(lost.clientBytes / Math.max(1, lost.requests));
    const response = Math.floor(lost.serverBytes / Math.max(1, lost.responses));
    if (lost.pairs > 0) {
      const requestBytes = lost.requests === lost.pairs ? lost.clientBytes : request * lost.pairs;
      const responseBytes = lost.responses === lost.pairs ? lost.serverBytes : response * lost.pairs;
      this.#host.lost(lost.pairs, requestBytes, responseBytes, gap.time);
      lost.clientBytes -= requestBytes;
      lost.serverBytes -= responseBytes;
    }
    if (lost.requests > lost.pairs) this.#openUnseen(gap.time, lost.clientBytes, !gap.nextFromClient);
    this.#requests.restart(gap.headless && gap.nextFromClient);
    this.#responses.restart(gap.headless && !gap.nextFromClient);
    if (!gap.headless || gap.nextFromClient) return;
    const exchange = this.#conversation.unanswered();
    this.#conversation.reading = exchange;
    if (exchange === null) return;
    exchange.complete = false;
    exchange.responseStart = gap.time;
    exchange.responseBytes += lost.serverBytes;
  }

  tick(now: number): void {
    const conversation = this.#conversation;
    const reading = conversation.reading;
    if (reading !== null && this.#responses.isLost && now - reading.lastActivity > QUIET_NS) {
      if (!reading.requestDone) conversation.requestDone(reading);
      this.#responses.endOpenEnded();
    }
    for (let exchange = this.#host.first, next; exchange !== null; exchange = next) {
      next = exchange.next;
      const deadline = exchange.lastActivity + this.#host.timeoutNs;
      if (exchange.reported || now <= deadline) continue;
      if (exchange === conversation.reading || exchange.responseDone) continue;
      if (conversation.misaligned) {
        conversation.finish(exchange);
        continue;
      }
      exchange.error = ERROR.noResponse;
      exchange.end = deadline;
      this.#host.report(exchange);
    }
  }

  evict(exchange: Exchange): void {
    this.#conversation.evict(exchange);
  }

  end(reason: ConnectionEnd, time: number): void {
    const conversation = this.#conversation;
    while (this.#host.first !== null) {
      const exchange = this.#host.first;
      this.#settle(exchange, reason, time);
      conversation.finish(exchange);
    }
    this.#forget();
  }

  /** Nothing more comes: gives back what is held of heads. */
  #forget(): void {
    this.#requests.restart(false);
    this.#responses.restart(false);
  }

  #settle(exchange: Exchange, reason: ConnectionEnd, time: number): void {
    const begun = exchange === this.#conversation.reading;
    const answered = exchange.responseDone || (begun && this.#endsWithConnection(reason));
    if (!exchange.requestDone && !this.#requests.awaitsContinue) exchange.complete = false;
    if (answered) return;
    // Its response may have passed unseen behind another: it is incomplete, as `finish` will say, and not failed.
    if (this.#conversation.misaligned && (reason === 'closed' || reason === 'input_end')) return;
    exchange.end = time;
    if (begun || reason === 'flush' || reason === 'lost') exchange.complete = false;
    if (exchange.error === ERROR.none) exchange.error = errorOf(reason, begun);
    if (!begun) return;
    // What came of the response is not its end.
    exchange.responseEnd = Number.NaN;
  }

  #endsWithConnection(reason: ConnectionEnd): boolean {
    if (!this.#responses.isOpenEnded) return false;
    return this.#responses.isLost || reason === 'closed' || reason === 'input_end';
  }

  /** The responses to everything open lie in the gap, or their ends do. */
  #endOpen(gap: Gap, lost: LostMessages): void {
    const last = this.#host.last;
    if (last !== null) {
      const begun = last === this.#conversation.reading;
      const owesResponse = begun || gap.lastFromClient;
      const request = lost.requests === 0 ? lost.clientBytes : Math.min(lost.clientBytes, this.#requests.missing);
      let response = Math.floor(lost.serverBytes / (lost.responses + 1));
      if (lost.responses === 0) response = lost.serverBytes;
      else if (begun) response = Math.min(lost.serverBytes, this.#responses.missing);
      last.requestBytes += request;
      lost.clientBytes -= request;
      if (owesResponse) {
        last.responseBytes += response;
        lost.serverBytes -= response;
      }
    }
    while (this.#host.first !== null) {
      const exchange = this.#host.first;
      exchange.complete = false;
      if (!exchange.responseDone) exchange.responseEnd = Number.NaN;
      detailOf(exchange).exact = false;
      this.#conversation.finish(exchange);
    }
    this.#conversation.owed = 0;
  }

  #openUnseen(time: number, requestBytes: number, done: boolean): void {
    const exchange = this.#host.openUnseen(time);
    beginDetail(exchange).exact = false;
    exchange.complete = false;
    exchange.requestBytes = requestBytes;
    exchange.requestEnd = time;
    if (done) exchange.requestDone = true;
    else this.#conversation.writing = exchange;
  }

  /** Responses were lost within a turn; the client goes on, so all that waited was answered. */
  #realign(): void {
    const conversation = this.#conversation;
    if (conversation.writing !== null) return;
    while (this.#host.first !== null) conversation.finish(this.#host.first);
    conversation.owed = 0;
    conversation.misaligned = false;
    this.#responses.restart(false);
  }
}

function errorOf(reason: ConnectionEnd, begun: boolean): number {
  switch (reason) {
    case 'closed':
      return ERROR.closed;
    case 'reset':
      return ERROR.reset;
    case 'timeout':
      return begun ? ERROR.closed : ERROR.noResponse;
    case 'input_end':
      return begun ? ERROR.none : ERROR.noResponse;
    // How it went on is not known: it is incomplete, not failed.
    case 'lost':
    case 'flush':
      return ERROR.none;
  }
}
