import { ERROR } from '../../exchange.ts';
import type { Exchange } from '../../exchange.ts';
import type { Segment } from '../../segment.ts';
import type { ConnectionEnd, Gap, Parser, ProtocolHost } from '../protocol.ts';
import { Conversation } from './conversation.ts';
import { beginDetail, detailOf } from './detail.ts';
import type { RequestHead } from './request-head.ts';
import { RequestReader } from './request-reader.ts';
import type { ResponseHead } from './response-head.ts';
import { ResponseReader } from './response-reader.ts';
import type { StatusTexts } from './status-texts.ts';

/**
 * How long a response without a known end must be silent to be over. Only where its framing was lost (its head
 * was cut, or lies in a gap): responses without a length keep their connection in `stream` and end exactly.
 */
const QUIET_NS = 2.5e9;

/** What all connections of one analyzer share: it is filled and read within one call. */
export interface HttpScratch {
  readonly request: RequestHead;
  readonly response: ResponseHead;
  readonly statuses: StatusTexts;
}

/** One HTTP/1.x connection, RFC 9112. */
export class HttpParser implements Parser {
  readonly #host: ProtocolHost;
  readonly #conversation: Conversation;
  readonly #requests: RequestReader;
  readonly #responses: ResponseReader;

  constructor(host: ProtocolHost, scratch: HttpScratch) {
    this.#host = host;
    this.#conversation = new Conversation(host);
    this.#requests = new RequestReader(this.#conversation, scratch.request);
    this.#responses = new ResponseReader(this.#conversation, this.#requests, scratch.response, scratch.statuses);
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
  }

  skip(fromClient: boolean, bytes: number, time: number): void {
    if (fromClient) this.#requests.pass(bytes, time, null);
    else this.#responses.pass(bytes, time, null);
  }

  /**
   * Turns alternate, so their number tells how many requests and responses are missing: each becomes an exchange
   * that is not complete, and the sum of exchanges stays right.
   */
  gap(gap: Gap): void {
    const clientTurns = gap.lastFromClient ? gap.turns >> 1 : (gap.turns + 1) >> 1;
    const answerLost = gap.turns > clientTurns && this.#host.first !== null;
    const whole = clientTurns - (gap.nextFromClient || clientTurns === 0 ? 0 : 1);
    const shareOfResponses = Math.floor(gap.serverBytes / Math.max(1, whole + (answerLost ? 1 : 0)));
    this.#abandonOpen(answerLost ? shareOfResponses : 0);
    const shareOfRequests = Math.floor(gap.clientBytes / Math.max(1, clientTurns));
    const requestBytes = whole === clientTurns ? gap.clientBytes : gap.clientBytes - shareOfRequests;
    if (whole > 0) {
      const responseBytes = gap.serverBytes - (answerLost ? shareOfResponses : 0);
      this.#host.lost(whole, requestBytes, responseBytes, gap.time);
    }
    if (clientTurns > whole) this.#openUnseen(gap.time, shareOfRequests, !gap.nextFromClient);
    this.#requests.restart(false);
    this.#responses.restart(false);
    if (gap.headless) this.#restartHeadless(gap);
  }

  tick(now: number): void {
    const conversation = this.#conversation;
    const reading = conversation.reading;
    if (reading !== null && this.#responses.isLost && now - reading.lastActivity > QUIET_NS) {
      if (!reading.requestDone) conversation.requestDone(reading);
      this.#responses.endOpenEnded();
    }
    for (let exchange = this.#host.first; exchange !== null; exchange = exchange.next) {
      const deadline = exchange.lastActivity + this.#host.timeoutNs;
      if (exchange.reported || now <= deadline) continue;
      if (exchange === conversation.reading || exchange.responseDone) continue;
      exchange.error = ERROR.noResponse;
      exchange.end = deadline;
      this.#host.report(exchange);
    }
  }

  end(reason: ConnectionEnd, time: number): void {
    const conversation = this.#conversation;
    while (this.#host.first !== null) {
      const exchange = this.#host.first;
      this.#settle(exchange, reason, time);
      conversation.finish(exchange);
    }
  }

  #settle(exchange: Exchange, reason: ConnectionEnd, time: number): void {
    const begun = exchange === this.#conversation.reading;
    const answered = exchange.responseDone || (begun && this.#endsWithConnection(reason));
    if (!exchange.requestDone && !this.#requests.awaitsContinue) exchange.complete = false;
    if (answered) return;
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
  #abandonOpen(responseBytes: number): void {
    while (this.#host.first !== null) {
      const exchange = this.#host.first;
      exchange.complete = false;
      if (exchange.next === null) exchange.responseBytes += responseBytes;
      if (!exchange.responseDone) exchange.responseEnd = Number.NaN;
      detailOf(exchange).exact = false;
      this.#conversation.finish(exchange);
    }
  }

  #openUnseen(time: number, requestBytes: number, done: boolean): Exchange {
    const exchange = this.#host.openUnseen(time);
    beginDetail(exchange).exact = false;
    exchange.complete = false;
    exchange.requestBytes = requestBytes;
    exchange.requestEnd = time;
    if (done) exchange.requestDone = true;
    else this.#conversation.writing = exchange;
    return exchange;
  }

  #restartHeadless(gap: Gap): void {
    if (gap.nextFromClient) {
      this.#openUnseen(gap.time, 0, false);
      this.#requests.restart(true);
      return;
    }
    this.#responses.restart(true);
    const exchange = this.#conversation.unanswered();
    this.#conversation.reading = exchange;
    if (exchange === null) return;
    exchange.complete = false;
    exchange.responseStart = gap.time;
  }

  /** Responses were lost within a turn; the client goes on, so all that waited was answered. */
  #realign(): void {
    const conversation = this.#conversation;
    if (conversation.writing !== null) return;
    while (this.#host.first !== null) conversation.finish(this.#host.first);
    conversation.misaligned = false;
    this.#responses.restart(false);
  }
}

function errorOf(reason: ConnectionEnd, begun: boolean): number {
  switch (reason) {
    case 'closed':
    case 'lost':
      return ERROR.closed;
    case 'reset':
      return ERROR.reset;
    case 'timeout':
      return begun ? ERROR.closed : ERROR.noResponse;
    case 'input_end':
      return begun ? ERROR.none : ERROR.noResponse;
    case 'flush':
      return ERROR.none;
  }
}
