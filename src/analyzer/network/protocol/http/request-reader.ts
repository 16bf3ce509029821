import { ERROR, TraceBytes } from '../../exchange.ts';
import type { Exchange } from '../../exchange.ts';
import type { Segment } from '../../segment.ts';
import { DETECTION } from '../protocol.ts';
import { Body, FRAMING } from './body.ts';
import { CR, LF } from './characters.ts';
import type { Conversation } from './conversation.ts';
import { beginDetail, detailOf } from './detail.ts';
import { detectRequest } from './detect.ts';
import { PartialHead } from './partial-head.ts';
import { INCOMPLETE, MALFORMED } from './request-head.ts';
import type { RequestHead } from './request-head.ts';
import type { HttpScratch } from './http-scratch.ts';
import { readTraceId } from './trace.ts';

/** Reads what the client sends: opens exchanges, and tells when a request is done. */
export class RequestReader {
  readonly #conversation: Conversation;
  /** Shared by all connections: it is filled and read within one call. */
  readonly #head: RequestHead;
  readonly #partial: PartialHead;
  readonly #body = new Body();
  #inBody = false;
  #turned = false;

  constructor(conversation: Conversation, scratch: HttpScratch) {
    this.#conversation = conversation;
    this.#head = scratch.request;
    this.#partial = new PartialHead(scratch.heads);
  }

  /** A message of the client begins. */
  turn(): void {
    this.#turned = true;
  }

  data(segment: Segment): void {
    if (this.#inBody) this.#resynchronise(segment);
    this.#turned = false;
    const bytes = segment.bytes;
    const end = segment.end;
    let at = segment.start;
    while (at < end) {
      if (this.#inBody) at = this.#takeBody(bytes, at, end, segment);
      else at = this.#takeHead(bytes, at, end, segment);
      if (this.#conversation.successor !== null) return;
    }
    if (segment.unseen > 0) this.pass(segment.unseen, segment.time, segment);
  }

  /** Bytes that were not captured, of `segment` or of calls that left none. */
  pass(count: number, time: number, segment: Segment | null): void {
    let left = count;
    if (this.#inBody) {
      const over = this.#body.pass(left);
      this.#countBody(left - over, time, segment);
      left = over;
    }
    // An empty line behind a body is no request.
    if (left > 2 || (left > 0 && (this.#conversation.writing !== null || segment?.starts === true))) {
      this.#passHead(left, time, segment);
    }
  }

  /** The response has begun (final, not interim): a request whose end is unknown has ended. */
  answered(exchange: Exchange): void {
    if (this.#conversation.writing === exchange && this.#inBody && this.#body.framing === FRAMING.lost) {
      this.#conversation.requestDone(exchange);
    }
  }

  /** Bytes of the body under way that have not passed; 0 if that is not known. */
  get missing(): number {
    return this.#inBody && this.#body.framing === FRAMING.length ? this.#body.remaining : 0;
  }

  /** The client will not send the body it announced. */
  get awaitsContinue(): boolean {
    const exchange = this.#conversation.writing;
    return exchange !== null && this.#inBody && this.#body.untouched && detailOf(exchange).expectContinue;
  }

  /** After a gap: the next byte begins a request, or (headless) lies somewhere in one. */
  restart(headless: boolean): void {
    this.#partial.clear();
    this.#inBody = headless;
    if (headless) this.#body.lose();
  }

  /** Whether the next message may begin a request although the one before has no end. */
  #resynchronise(segment: Segment): void {
    const exchange = this.#conversation.writing;
    const lost = this.#body.framing === FRAMING.lost;
    const settled = exchange === null || exchange.responseDone;
    if (!lost && !(this.#turned && settled)) return;
    const looks = detectRequest(segment.bytes, segment.start, segment.end, segment.unseen > 0);
    const unreadable = segment.start === segment.end;
    let begins = looks === DETECTION.yes;
    // A few bytes that may become a request line are one where nothing else is expected.
    if (this.#turned && settled && (lost || this.awaitsContinue))
      begins ||= unreadable ? lost : looks === DETECTION.maybe;
    if (!begins) return;
    this.#inBody = false;
    if (exchange !== null) this.#conversation.requestDone(exchange);
  }

  #takeHead(bytes: Uint8Array, start: number, end: number, segment: Segment): number {
    const conversation = this.#conversation;
    let from = start;
    let exchange = conversation.writing;
    if (exchange === null) {
      // RFC 9112 §2.2: empty lines before a request line are to be ignored.
      while (from < end && (bytes[from] === CR || bytes[from] === LF)) from++;
      if (from === end) {
        conversation.host.refuse('unrequested');
        return end;
      }
      exchange = this.#open(segment);
    } else {
      conversation.host.credit(exchange, segment);
    }
    let after: number;
    if (this.#partial.length === 0) {
      after = this.#head.read(bytes, from, end, segment.unseen > 0, conversation.likelyPath);
      if (after === INCOMPLETE) {
        // Policy `headers` would have shown the first call only.
        detailOf(exchange).exact = false;
        this.#partial.add(bytes, from, end);
        this.#count(exchange, end - from, segment.time);
        if (!this.#partial.isFull) return end;
        after = this.#readPartial(true);
        from = end;
      } else {
        this.#count(exchange, (after === MALFORMED ? end : after) - from, segment.time);
        this.#ended(exchange, after, bytes, segment.unseen > 0);
        return after === MALFORMED ? end : after;
      }
    } else {
      const taken = this.#partial.add(bytes, from, end);
      this.#count(exchange, taken, segment.time);
      const cut = this.#partial.isFull || (segment.unseen > 0 && !this.#partial.ended);
      if (!cut && !this.#partial.ended && !this.#isHopeless()) return from + taken;
      after = this.#readPartial(cut);
      from += taken;
    }
    this.#ended(exchange, after === INCOMPLETE ? MALFORMED : after, this.#partial.bytes, true);
    this.#partial.clear();
    return from;
  }

  #readPartial(cut: boolean): number {
    if (this.#partial.isCrowded) this.#conversation.host.cutShort();
    return this.#head.read(this.#partial.bytes, 0, this.#partial.length, cut, this.#conversation.likelyPath);
  }

  #isHopeless(): boolean {
    return detectRequest(this.#partial.bytes, 0, this.#partial.length, false) === DETECTION.no;
  }

  /** A head was read, as far as it goes: name the exchange, and find how its body is framed. */
  #ended(exchange: Exchange, after: number, bytes: Uint8Array, mayBeCut: boolean): void {
    const conversation = this.#conversation;
    const detail = detailOf(exchange);
    this.#inBody = true;
    if (after === MALFORMED) {
      detail.exact = false;
      this.#body.lose();
      if (exchange.joined) {
        // The rest of a request whose head came before.
        exchange.complete = false;
        exchange.timed = false;
        return;
      }
      exchange.error = ERROR.malformed;
      if (conversation.failed()) conversation.giveUp();
      return;
    }
    conversation.understood();
    this.#name(exchange, bytes);
    const head = this.#head;
    const fields = head.fields;
    if (mayBeCut && head.cut) {
      detail.exact = false;
      if (head.method === null || head.path === null) exchange.complete = false;
      conversation.headCut(true);
      this.#body.lose();
      return;
    }
    if (fields.transferEncoding && fields.chunked) {
      this.#body.begin(FRAMING.chunked, 0);
    } else if (fields.transferEncoding || fields.contentLength === -2) {
      exchange.error = ERROR.malformed;
      detail.exact = false;
      this.#body.lose();
    } else if (fields.contentLength > 0) {
      this.#body.begin(FRAMING.length, fields.contentLength);
    } else {
      this.#inBody = false;
      conversation.requestDone(exchange);
    }
  }

  #name(exchange: Exchange, bytes: Uint8Array): void {
    const conversation = this.#conversation;
    const head = this.#head;
    const fields = head.fields;
    const detail = detailOf(exchange);
    exchange.operation = head.method;
    const path = head.path;
    exchange.resource = path;
    if (path !== null) {
      exchange.route = path.derived;
      // Stores of pointers cost more than comparing them.
      if (conversation.likelyPath !== path) conversation.likelyPath = path;
    }
    detail.version = head.version;
    detail.isHead = head.isHead;
    detail.isConnect = head.isConnect;
    detail.expectContinue = fields.expectContinue;
    detail.host = head.host;
    detail.agent = head.agent;
    if (fields.traceRank !== 0) {
      exchange.trace ??= new TraceBytes();
      readTraceId(bytes, fields, exchange.trace);
    }
  }

  #takeBody(bytes: Uint8Array, start: number, end: number, segment: Segment): number {
    const after = this.#body.take(bytes, start, end);
    this.#countBody(after - start, segment.time, segment);
    return after;
  }

  #countBody(count: number, time: number, segment: Segment | null): void {
    const exchange = this.#conversation.writing;
    if (exchange !== null) {
      if (segment !== null) this.#conversation.host.credit(exchange, segment);
      this.#count(exchange, count, time);
    }
    if (!this.#body.done) return;
    this.#inBody = false;
    if (exchange !== null) this.#conversation.requestDone(exchange);
  }

  #count(exchange: Exchange, count: number, time: number): void {
    exchange.requestBytes += count;
    exchange.requestEnd = time;
    exchange.lastActivity = time;
  }

  /** A head passed without being captured, or the rest of one: the exchange is counted, its name is not known. */
  #passHead(count: number, time: number, segment: Segment | null): void {
    const conversation = this.#conversation;
    let exchange = conversation.writing;
    if (exchange !== null && this.#partial.length > 0) {
      if (segment === null) conversation.needsEverySegment();
      const after = this.#readPartial(true);
      this.#ended(exchange, after, this.#partial.bytes, true);
      this.#partial.clear();
    } else {
      exchange = segment === null ? conversation.host.openUnseen(time) : this.#open(segment);
      if (segment === null) beginDetail(exchange);
      conversation.writing = exchange;
      exchange.complete = false;
      detailOf(exchange).exact = false;
      this.#inBody = true;
      this.#body.lose();
      if (segment !== null && !segment.starts) conversation.needsEverySegment();
    }
    this.#count(exchange, count, time);
  }

  #open(segment: Segment): Exchange {
    const conversation = this.#conversation;
    const exchange = conversation.host.open(segment);
    beginDetail(exchange);
    conversation.writing = exchange;
    if (conversation.host.openExchanges > 1) conversation.needsEverySegment();
    return exchange;
  }
}
