import { hashByte, HASH_START, textEquals } from '../../text-table.ts';
import type { Text } from '../../text-table.ts';
import type { Texts } from '../../texts.ts';
import { CR, isToken, LF, SPACE } from './characters.ts';
import { FieldBlocks } from './field-blocks.ts';
import type { FieldBlock } from './field-blocks.ts';
import { Fields, INCOMPLETE, readFields } from './fields.ts';
import { LineEnds } from './line-ends.ts';
import { routeOf } from './route.ts';

export { INCOMPLETE } from './fields.ts';
export const MALFORMED = -2;

const LONGEST_METHOD = 32;
const SLASH = 47;
const QUESTION = 63;
const HASH = 35;

/** The head of a request, RFC 9112 §3. One object that `read` fills again and again. */
export class RequestHead {
  readonly fields = new Fields();
  /** Null if the capture ended within it. */
  method: Text | null = null;
  path: Text | null = null;
  host: Text | null = null;
  agent: Text | null = null;
  isHead = false;
  isConnect = false;
  /** 10 or 11; 0 if not seen. */
  version = 0;
  /** It goes on behind what was captured. */
  cut = false;

  readonly #texts: Texts;
  readonly #blocks = new FieldBlocks();
  readonly #lines = new LineEnds();
  #likelyHost: Text | null = null;
  #likelyAgent: Text | null = null;
  readonly #get: Text;
  readonly #root: Text;

  constructor(texts: Texts) {
    this.#texts = texts;
    this.#get = texts.words.internString('GET');
    this.#root = this.#withRoute(texts.resources.internString('/'));
  }

  /**
   * @param cut no more bytes of this head will be seen: what is known of it is enough
   * @param likely a path that it probably is, compared before it is looked up
   * @returns the place behind the head (behind the captured bytes if cut), INCOMPLETE, or MALFORMED
   */
  read(bytes: Uint8Array, start: number, end: number, cut: boolean, likely: Text | null): number {
    this.method = null;
    this.path = null;
    if (this.host !== null) this.host = null;
    if (this.agent !== null) this.agent = null;
    this.isHead = false;
    this.isConnect = false;
    this.version = 0;
    this.cut = false;
    this.fields.reset();
    let at = this.#readLine(bytes, start, end, likely);
    if (at >= 0) at = this.#readFields(bytes, at, end);
    if (at === INCOMPLETE && cut) {
      this.cut = true;
      return end;
    }
    return at;
  }

  #readFields(bytes: Uint8Array, start: number, end: number): number {
    const endsHere = end - start > 3 && bytes[end - 1] === LF && bytes[end - 2] === CR && bytes[end - 3] === LF;
    if (endsHere) {
      this.#lines.look(bytes);
      const known = this.#blocks.find(this.#lines.view, start, end);
      if (known !== null) {
        this.#recall(known);
        return end;
      }
    }
    const fields = this.fields;
    const at = readFields(bytes, start, end, fields, this.#lines);
    if (fields.hostEnd !== 0) {
      this.host = this.#word(this.#likelyHost, bytes, fields.hostStart, fields.hostEnd);
      this.#likelyHost = this.host;
    }
    if (fields.agentEnd !== 0) {
      this.agent = this.#word(this.#likelyAgent, bytes, fields.agentStart, fields.agentEnd);
      this.#likelyAgent = this.agent;
    }
    if (endsHere && at === end && fields.traceRank === 0) {
      const { contentLength, transferEncoding, chunked, expectContinue } = fields;
      const { host, agent } = this;
      this.#blocks.add(bytes, start, end, { contentLength, transferEncoding, chunked, expectContinue, host, agent });
    }
    return at;
  }

  #word(likely: Text | null, bytes: Uint8Array, start: number, end: number): Text {
    if (likely !== null && textEquals(likely, bytes, start, end)) return likely;
    return this.#texts.words.intern(bytes, start, end);
  }

  #recall(block: FieldBlock): void {
    const fields = this.fields;
    fields.contentLength = block.contentLength;
    fields.transferEncoding = block.transferEncoding;
    fields.chunked = block.chunked;
    fields.expectContinue = block.expectContinue;
    this.host = block.host;
    this.agent = block.agent;
  }

  #readLine(bytes: Uint8Array, start: number, end: number, likely: Text | null): number {
    let at = start;
    if (
      end - start > 3 &&
      bytes[at] === 71 &&
      bytes[at + 1] === 69 &&
      bytes[at + 2] === 84 &&
      bytes[at + 3] === SPACE
    ) {
      this.method = this.#get;
      at += 3;
    } else {
      let hash = HASH_START;
      while (at < end && isToken(bytes[at])) {
        hash = hashByte(hash, bytes[at]);
        at++;
      }
      if (at - start > LONGEST_METHOD) return MALFORMED;
      if (at === end) return INCOMPLETE;
      if (at === start || bytes[at] !== SPACE) return MALFORMED;
      const method = this.#texts.words.internHashed(bytes, start, at, hash);
      this.method = method;
      this.isHead = method.text === 'HEAD';
      this.isConnect = method.text === 'CONNECT';
    }
    at++;
    const target = at;
    if (likely !== null && this.#isLikely(bytes, target, end, likely)) {
      this.path = likely;
      at = target + likely.bytes.length;
      while (at < end && bytes[at] > SPACE) at++;
    } else {
      let hash = HASH_START;
      while (at < end && bytes[at] > SPACE && bytes[at] !== QUESTION && bytes[at] !== HASH) {
        hash = hashByte(hash, bytes[at]);
        at++;
      }
      const pathEnd = at;
      while (at < end && bytes[at] > SPACE) at++;
      // Without the delimiter behind it, it may be half a path: null rather than wrong.
      if (pathEnd < end && pathEnd > target) this.path = this.#path(bytes, target, pathEnd, hash);
    }
    if (at === end) return INCOMPLETE;
    if (bytes[at] !== SPACE || at === target) return MALFORMED;
    return this.#readVersion(bytes, at + 1, end);
  }

  #isLikely(bytes: Uint8Array, start: number, end: number, likely: Text): boolean {
    const after = start + likely.bytes.length;
    if (after >= end || !textEquals(likely, bytes, start, after)) return false;
    return bytes[after] === SPACE || bytes[after] === QUESTION;
  }

  /** `HTTP/1.0` or `HTTP/1.1` and the end of the line. */
  #readVersion(bytes: Uint8Array, start: number, end: number): number {
    const lineEnd = start + 8;
    const known = Math.min(end, lineEnd);
    for (let i = start; i < known; i++) {
      const place = i - start;
      if (place < 7 ? bytes[i] !== VERSION[place] : bytes[i] !== 48 && bytes[i] !== 49) return MALFORMED;
    }
    if (lineEnd >= end) return INCOMPLETE;
    this.version = bytes[start + 7] - 38;
    if (bytes[lineEnd] === LF) return lineEnd + 1;
    if (bytes[lineEnd] !== CR) return MALFORMED;
    if (lineEnd + 1 >= end) return INCOMPLETE;
    return bytes[lineEnd + 1] === LF ? lineEnd + 2 : MALFORMED;
  }

  /** Origin-form, asterisk-form and authority-form as they are; of the absolute-form, the path. */
  #path(bytes: Uint8Array, start: number, end: number, hash: number): Text {
    const resources = this.#texts.resources;
    if (bytes[start] !== SLASH && this.method !== null && !this.isConnect) {
      let at = start;
      while (at < end && isToken(bytes[at])) at++;
      if (at + 2 < end && at > start && bytes[at] === 58 && bytes[at + 1] === SLASH && bytes[at + 2] === SLASH) {
        at += 3;
        while (at < end && bytes[at] !== SLASH) at++;
        return at === end ? this.#root : this.#withRoute(resources.intern(bytes, at, end));
      }
    }
    return this.#withRoute(resources.internHashed(bytes, start, end, hash));
  }

  #withRoute(path: Text): Text {
    path.derived ??= this.#texts.words.internString(routeOf(path.text));
    return path;
  }
}

/** `HTTP/1.` */
export const VERSION = [72, 84, 84, 80, 47, 49, 46] as const;
