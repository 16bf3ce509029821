import { ERROR } from '../../exchange.ts';
import type { Exchange } from '../../exchange.ts';
import type { Segment } from '../../segment.ts';
import { DETECTION } from '../protocol.ts';
import { Body, FRAMING } from './body.ts';
import { CR, isDigit, LF } from './characters.ts';
import type { Conversation } from './conversation.ts';
import { detailOf } from './detail.ts';
import { detectResponse } from './detect.ts';
import { PartialHead } from './partial-head.ts';
import { INCOMPLETE, MALFORMED } from './request-head.ts';
import type { RequestReader } from './request-reader.ts';
import type { HttpScratch } from './http-scratch.ts';
import type { ResponseHead } from './response-head.ts';
import type { StatusTexts } from './status-texts.ts';

const SWITCHING_PROTOCOLS = 101;
/** Status line to the first digit of the status. */
const STATUS_AT = 9;
/** `Content-Length: ` */
const LENGTH_NAME = 16;

/** Reads what the server sends: answers exchanges in their order. */
export class ResponseReader {
  readonly #conversation: Conversation;
  readonly #requests: RequestReader;
  readonly #head: ResponseHead;
  readonly #statuses: StatusTexts;
  readonly #partial: PartialHead;
  readonly #body = new Body();
  #inBody = false;
  /** The shape of the last head that was read whole: where its Content-Length stood, and how long it was. */
  #lengthOffset = 0;
  #lengthDigits = 0;
  #headLength = 0;

  constructor(conversation: Conversation, requests: RequestReader, scratch: HttpScratch) {
    this.#conversation = conversation;
    this.#requests = requests;
    this.#head = scratch.response;
    this.#statuses = scratch.statuses;
    this.#partial = new PartialHead(scratch.heads);
  }

  /** Nothing frames the end of the response under way. */
  get isOpenEnded(): boolean {
    return this.#inBody && (this.#body.framing === FRAMING.lost || this.#body.framing === FRAMING.close);
  }

  /** Bytes of the body under way that have not passed; 0 if that is not known. */
  get missing(): number {
    return this.#inBody && this.#body.framing === FRAMING.length ? this.#body.remaining : 0;
  }

  get isLost(): boolean {
    return this.#inBody && this.#body.framing === FRAMING.lost;
  }

  /** What is under way is over, by a turn, by silence, or by the connection's end. */
  endOpenEnded(): void {
    this.#inBody = false;
    const exchange = this.#conversation.reading;
    if (exchange === null) this.#conversation.passedOver();
    else this.#conversation.responseDone(exchange);
  }

  /** After a gap: the next byte begins a response, or (headless) lies somewhere in one. */
  restart(headless: boolean): void {
    this.#partial.clear();
    this.#inBody = headless;
    if (headless) this.#body.lose();
  }

  data(segment: Segment): void {
    if (this.#inBody && this.#body.framing === FRAMING.lost) this.#resynchronise(segment);
    const bytes = segment.bytes;
    const end = segment.end;
    let at = segment.start;
    while (at < end) {
      if (this.#inBody) at = this.#takeBody(bytes, at, end, segment);
      else at = this.#takeHead(bytes, at, end, segment);
      if (this.#conversation.successor !== null) {
        this.#forward(at, segment);
        return;
      }
    }
    if (segment.unseen > 0) this.pass(segment.unseen, segment.time, segment);
  }

  pass(count: number, time: number, segment: Segment | null): void {
    let left = count;
    if (this.#inBody) {
      const over = this.#body.pass(left);
      if (this.#body.framing === FRAMING.lost) this.#lose(this.#conversation.reading);
      this.#countBody(left - over, time, segment);
      left = over;
    }
    if (left > 0 && !this.#inBody) this.#passHead(left, time, segment);
  }

  #forward(at: number, segment: Segment): void {
    const successor = this.#conversation.successor;
    if (successor === null || (at >= segment.end && segment.unseen === 0)) return;
    segment.start = at;
    successor.data(false, segment);
  }

  #resynchronise(segment: Segment): void {
    const exchange = this.#conversation.reading;
    const { owed } = this.#conversation;
    const waiting = exchange === null ? this.#conversation.unanswered() : exchange.next;
    if (waiting === null && owed === 0) return;
    if (detectResponse(segment.bytes, segment.start, segment.end, false) !== DETECTION.yes) return;
    this.endOpenEnded();
  }

  #takeHead(bytes: Uint8Array, start: number, end: number, segment: Segment): number {
    const exchange = this.#conversation.reading ?? this.#begin(segment);
    if (exchange !== null) {
      const known = this.#takeKnown(bytes, start, end, segment, exchange);
      if (known > 0) return known;
      this.#conversation.host.credit(exchange, segment);
    }
    if (this.#partial.length === 0) {
      const after = this.#head.read(bytes, start, end, segment.unseen > 0);
      const last = after < 0 ? end : after;
      if (exchange !== null) count(exchange, last - start, segment.time);
      if (after === INCOMPLETE) {
        if (exchange !== null) detailOf(exchange).exact = false;
        this.#partial.add(bytes, start, end);
        if (this.#partial.isFull) this.#endPartial(exchange, true);
      } else this.#ended(exchange, after, after - start);
      return last;
    }
    const taken = this.#partial.add(bytes, start, end);
    if (exchange !== null) count(exchange, taken, segment.time);
    const cut = this.#partial.isFull || (segment.unseen > 0 && !this.#partial.ended);
    if (!cut && !this.#partial.ended && !this.#isHopeless()) return start + taken;
    this.#endPartial(exchange, cut);
    return start + taken;
  }

  #endPartial(exchange: Exchange | null, cut: boolean): void {
    if (this.#partial.isCrowded) this.#conversation.host.cutShort();
    const after = this.#head.read(this.#partial.bytes, 0, this.#partial.length, cut);
    this.#partial.clear();
    this.#ended(exchange, after === INCOMPLETE ? MALFORMED : after, 0);
  }

  #isHopeless(): boolean {
    return detectResponse(this.#partial.bytes, 0, this.#partial.length, false) === DETECTION.no;
  }

  /** The first byte of a response. @returns null if nobody asked */
  #begin(segment: Segment): Exchange | null {
    const exchange = this.#conversation.unanswered();
    if (exchange === null) {
      this.#conversation.refuseUnasked();
      return null;
    }
    this.#conversation.reading = exchange;
    exchange.responseStart = segment.time;
    return exchange;
  }

  /**
   * The common case, at once: a response whose head is laid out like the last one's on this connection. Its
   * Content-Length stands where the last one's stood, and its head ends as far behind.
   *
   * @returns the place behind what was taken, or 0 if it has to be read
   */
  #takeKnown(bytes: Uint8Array, start: number, end: number, segment: Segment, exchange: Exchange): number {
    if (this.#headLength === 0 || this.#partial.length > 0 || detailOf(exchange).isHead) return 0;
    let at = start + this.#lengthOffset;
    const name = at - LENGTH_NAME;
    // C, L, h, colon; letters in either case.
    if ((bytes[name] | 32) !== 99 || (bytes[name + 8] | 32) !== 108 || bytes[name + 14] !== 58) return 0;
    const first = at;
    let length = 0;
    while (at < end && isDigit(bytes[at])) {
      length = length * 10 + (bytes[at] - 48);
      at++;
    }
    const headLength = this.#headLength + (at - first - this.#lengthDigits);
    const headEnd = start + headLength;
    if (at === first || headEnd > end || length > Number.MAX_SAFE_INTEGER) return 0;
    if (bytes[headEnd - 1] !== LF || bytes[headEnd - 2] !== CR || bytes[headEnd - 3] !== LF) return 0;
    if (bytes[start] !== 72 || bytes[start + 5] !== 49 || bytes[start + STATUS_AT - 1] !== 32) return 0;
    const status = statusAt(bytes, start + STATUS_AT);
    if (status < 200 || status > 999 || status === 204 || status === 304) return 0;
    if (detailOf(exchange).isConnect && status < 300) return 0;
    this.#conversation.host.credit(exchange, segment);
    this.#conversation.understood();
    const size = end - start + segment.unseen;
    if (headLength + length === size) {
      count(exchange, size, segment.time);
      segment.unseen = 0;
      this.#answer(exchange, status);
      this.#conversation.responseDone(exchange);
      return end;
    }
    // Head and body in calls of their own, as sendfile makes them, or several responses in one call.
    count(exchange, headLength, segment.time);
    this.#answer(exchange, status);
    this.#inBody = true;
    this.#body.begin(FRAMING.length, length);
    this.#endIfDone(exchange);
    return headEnd;
  }

  #answer(exchange: Exchange, status: number): void {
    detailOf(exchange).status = status;
    exchange.status = this.#statuses.text(status);
    this.#requests.answered(exchange);
  }

  /** A head was read, as far as it goes. */
  #ended(exchange: Exchange | null, after: number, length: number): void {
    const conversation = this.#conversation;
    const head = this.#head;
    this.#inBody = true;
    if (after === MALFORMED) {
      if (exchange === null) {
        conversation.host.refuse('parse');
      } else {
        exchange.error = ERROR.malformed;
        detailOf(exchange).exact = false;
        this.#requests.answered(exchange);
      }
      this.#lose(exchange);
      if (conversation.failed()) conversation.giveUp();
      return;
    }
    conversation.understood();
    if (head.status !== 0 && head.status < 200 && head.status !== SWITCHING_PROTOCOLS && !head.cut) {
      // RFC 9110 §15.2: an interim response; the final one follows.
      if (exchange !== null) exchange.responseStart = Number.NaN;
      conversation.reading = null;
      this.#inBody = false;
      return;
    }
    if (exchange !== null) {
      if (head.status === 0) exchange.complete = false;
      else this.#answer(exchange, head.status);
    }
    this.#remember(length);
    this.#frame(exchange);
  }

  #remember(length: number): void {
    const fields = this.#head.fields;
    const usable = length > 0 && !this.#head.cut && fields.contentLength >= 0 && !fields.transferEncoding;
    this.#headLength = usable ? length : 0;
    this.#lengthDigits = fields.lengthDigits;
    this.#lengthOffset = this.#head.lengthOffset;
  }

  /** RFC 9112 §6.3. */
  #frame(exchange: Exchange | null): void {
    const conversation = this.#conversation;
    const head = this.#head;
    const fields = head.fields;
    const detail = exchange === null ? null : detailOf(exchange);
    const status = head.status;
    if (head.cut) {
      if (detail !== null) detail.exact = false;
      conversation.headCut(false);
      this.#lose(exchange);
    } else if (status === SWITCHING_PROTOCOLS || (detail?.isConnect === true && status >= 200 && status < 300)) {
      conversation.upgrade(exchange);
    } else if (detail?.isHead === true || status === 204 || status === 304) {
      this.#body.begin(FRAMING.none, 0);
    } else if (fields.transferEncoding) {
      if (detail !== null) detail.exact = false;
      this.#body.begin(fields.chunked ? FRAMING.chunked : FRAMING.close, 0);
      conversation.needsStream();
    } else if (fields.contentLength >= 0) {
      this.#body.begin(FRAMING.length, fields.contentLength);
    } else if (fields.contentLength === -1) {
      if (detail !== null) detail.exact = false;
      this.#body.begin(FRAMING.close, 0);
      conversation.needsStream();
    } else {
      if (exchange !== null) exchange.error = ERROR.malformed;
      if (detail !== null) detail.exact = false;
      this.#lose(exchange);
    }
    if (conversation.successor === null) this.#endIfDone(exchange);
  }

  /** The end of this response is not found. If others wait, nor is it certain which of them comes next. */
  #lose(exchange: Exchange | null): void {
    this.#body.lose();
    const others = exchange === null ? this.#conversation.owed > 0 : exchange.next !== null;
    if (others) this.#conversation.misaligned = true;
  }

  #takeBody(bytes: Uint8Array, start: number, end: number, segment: Segment): number {
    const after = this.#body.take(bytes, start, end);
    this.#countBody(after - start, segment.time, segment);
    return after;
  }

  #countBody(size: number, time: number, segment: Segment | null): void {
    const exchange = this.#conversation.reading;
    if (exchange === null) {
      if (segment !== null) this.#conversation.refuseUnasked();
    } else {
      if (segment !== null) this.#conversation.host.credit(exchange, segment);
      count(exchange, size, time);
    }
    this.#endIfDone(exchange);
  }

  #endIfDone(exchange: Exchange | null): void {
    if (!this.#body.done) return;
    this.#inBody = false;
    if (exchange === null) this.#conversation.passedOver();
    else this.#conversation.responseDone(exchange);
  }

  /** A head passed without being captured, or the rest of one. */
  #passHead(size: number, time: number, segment: Segment | null): void {
    const conversation = this.#conversation;
    const exchange = conversation.reading ?? conversation.unanswered();
    this.#inBody = true;
    if (this.#partial.length > 0) {
      if (segment === null) conversation.needsEverySegment();
      const after = this.#head.read(this.#partial.bytes, 0, this.#partial.length, true);
      this.#partial.clear();
      this.#ended(exchange, after, 0);
    } else {
      this.#lose(exchange);
      if (exchange !== null) exchange.complete = false;
    }
    if (exchange === null) {
      if (segment !== null) conversation.refuseUnasked();
      return;
    }
    conversation.reading = exchange;
    if (segment !== null) conversation.host.credit(exchange, segment);
    if (Number.isNaN(exchange.responseStart)) exchange.responseStart = time;
    detailOf(exchange).exact = false;
    count(exchange, size, time);
    this.#requests.answered(exchange);
  }
}

function count(exchange: Exchange, size: number, time: number): void {
  exchange.responseBytes += size;
  exchange.responseEnd = time;
  exchange.lastActivity = time;
}

/** Three digits; less than 100 or more than 999 if they are none. */
function statusAt(bytes: Uint8Array, at: number): number {
  const a = bytes[at] - 48;
  const b = bytes[at + 1] - 48;
  const c = bytes[at + 2] - 48;
  return a < 1 || a > 9 || b < 0 || b > 9 || c < 0 || c > 9 ? 0 : a * 100 + b * 10 + c;
}
