import { BEGINNINGS, KEPT_FIELDS, METHODS, VERSIONS } from './http-words.ts';
import { TargetMask } from './target-mask.ts';

const X = 0x78;
const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;
const DASH = 45;
const COLON = 58;

const LONGEST_NAME = 64;
const LONGEST_VALUE = 64;
const MOST_PENDING = 1024;

type State =
  | 'start'
  | 'word'
  | 'target'
  | 'query'
  | 'version'
  | 'reason'
  | 'status'
  | 'fieldStart'
  | 'fieldName'
  | 'fieldValue'
  | 'body'
  | 'bodyToEnd'
  | 'chunkSize'
  | 'chunkExtension'
  | 'chunkData'
  | 'chunkEnd'
  | 'opaque'
  | 'tunnel';

/** What both directions of a connection must know. */
export class MaskedConversation {
  /** Methods of requests that have no response yet. */
  readonly pending: string[] = [];
  readonly #directions: HttpMask[] = [];

  constructor(paths: boolean) {
    this.#directions.push(new HttpMask(this, paths), new HttpMask(this, paths));
  }

  /** By DIRECTION. */
  direction(direction: number): HttpMask {
    return this.#directions[direction === 0 ? 0 : 1];
  }

  /** It is HTTP no longer, on either side. */
  tunnel(): void {
    for (const direction of this.#directions) direction.state = 'tunnel';
  }
}

/**
 * Masks one direction of a connection byte by byte, so that it does not matter how the stream is cut. It keeps of
 * HTTP/1.x what frames messages, and masks everything of which it does not know that it may be kept: whatever goes
 * wrong in here masks too much, not too little.
 */
export class HttpMask {
  state: State = 'start';
  readonly #conversation: MaskedConversation;
  readonly #target: TargetMask;
  /** Position of the next byte in the stream, modulo 2^32; -1 before the first. */
  #position = -1;
  #word = '';
  #method = '';
  #status = '';
  #isResponse = false;
  #inTrailer = false;
  #name = '';
  #value = '';
  #dashes = 0;
  #length = -1;
  #chunked = false;
  /** Bytes of the body or chunk that are still to come. */
  #remaining = 0;

  constructor(conversation: MaskedConversation, paths: boolean) {
    this.#conversation = conversation;
    this.#target = new TargetMask(paths);
  }

  /**
   * Masks a call's bytes in place.
   *
   * @param position of the first byte in the stream, modulo 2^32
   * @param size bytes of the call; those beyond `bytes` were not captured
   * @param starts a message starts with it
   */
  call(bytes: Uint8Array, position: number, size: number, starts: boolean): void {
    const gap = this.#position < 0 ? 0 : (position - this.#position) >>> 0;
    if (gap >= 0x80000000) {
      // It came late: what it belongs to has been passed over.
      bytes.fill(X);
      return;
    }
    if (gap > 0) this.#skip(gap);
    if (starts && (this.state === 'opaque' || this.state === 'bodyToEnd')) this.state = 'start';
    this.#mask(bytes);
    if (size > bytes.length) this.#skip(size - bytes.length);
    this.#position = (position + size) >>> 0;
  }

  /** Bytes that nobody saw. */
  #skip(count: number): void {
    const { state } = this;
    if (state === 'tunnel' || state === 'opaque' || state === 'bodyToEnd') return;
    if ((state === 'body' || state === 'chunkData') && count <= this.#remaining) {
      this.#remaining -= count;
      if (this.#remaining === 0) this.state = state === 'body' ? 'start' : 'chunkEnd';
      return;
    }
    this.state = 'opaque';
  }

  #mask(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      switch (this.state) {
        case 'opaque':
        case 'tunnel':
        case 'bodyToEnd':
          bytes.fill(X, at);
          return;
        case 'body':
        case 'chunkData': {
          const end = Math.min(bytes.length, at + this.#remaining);
          bytes.fill(X, at, end);
          this.#remaining -= end - at;
          at = end;
          if (this.#remaining === 0) this.state = this.state === 'body' ? 'start' : 'chunkEnd';
          break;
        }
        default:
          this.#byte(bytes, at);
          at++;
      }
    }
  }

  #byte(bytes: Uint8Array, at: number): void {
    const byte = bytes[at];
    switch (this.state) {
      case 'start':
        if (byte === CR || byte === LF) return;
        this.#word = '';
        this.state = 'word';
        this.#firstWord(bytes, at, byte);
        return;
      case 'word':
        this.#firstWord(bytes, at, byte);
        return;
      case 'target':
        this.#targetByte(bytes, at);
        return;
      case 'query':
        if (byte === SPACE) {
          this.#word = '';
          this.state = 'version';
        } else {
          if (byte < SPACE) this.state = 'opaque';
          bytes[at] = X;
        }
        return;
      case 'version':
        this.#version(bytes, at, byte);
        return;
      case 'status':
        if (byte === SPACE || byte === CR) this.state = 'reason';
        else if (byte === LF) this.#beginFields();
        else if (this.#status.length < 3 && byte >= 48 && byte <= 57) this.#status += String.fromCharCode(byte);
        else this.#giveUp(bytes, at);
        return;
      case 'reason':
        if (byte === LF) this.#beginFields();
        else if (byte !== CR && byte !== SPACE) bytes[at] = X;
        return;
      case 'fieldStart':
        this.#fieldStart(bytes, at, byte);
        return;
      case 'fieldName':
        this.#fieldName(bytes, at, byte);
        return;
      case 'fieldValue':
        this.#fieldValue(bytes, at, byte);
        return;
      case 'chunkSize':
        this.#chunkSize(bytes, at, byte);
        return;
      case 'chunkExtension':
        if (byte === LF) this.#beginChunk();
        else if (byte !== CR) bytes[at] = X;
        return;
      default:
        // chunkEnd
        if (byte === LF) this.#beginChunkSize();
        else if (byte !== CR) this.#giveUp(bytes, at);
    }
  }

  #firstWord(bytes: Uint8Array, at: number, byte: number): void {
    if (byte === SPACE && METHODS.includes(this.#word)) {
      this.#method = this.#word;
      this.#isResponse = false;
      this.#target.begin(this.#method === 'CONNECT');
      this.state = 'target';
      return;
    }
    if (byte === SPACE && VERSIONS.includes(this.#word)) {
      this.#isResponse = true;
      this.#status = '';
      this.state = 'status';
      return;
    }
    this.#word += String.fromCharCode(byte);
    if (BEGINNINGS.has(this.#word)) return;
    bytes.fill(X, Math.max(0, at + 1 - this.#word.length), at + 1);
    this.state = 'opaque';
  }

  #targetByte(bytes: Uint8Array, at: number): void {
    switch (this.#target.byte(bytes, at)) {
      case 'end':
        this.#word = '';
        this.state = 'version';
        return;
      case 'query':
        this.state = 'query';
        return;
      case 'none':
        // What came before is not known to be HTTP either.
        bytes.fill(X, Math.max(0, at - this.#target.length - this.#method.length - 1), at);
        this.#giveUp(bytes, at);
        return;
      default:
    }
  }

  #version(bytes: Uint8Array, at: number, byte: number): void {
    if (byte === LF && VERSIONS.includes(this.#word)) {
      this.#beginFields();
    } else if (byte !== CR || !VERSIONS.includes(this.#word)) {
      this.#word += String.fromCharCode(byte);
      if (!VERSIONS.some((version) => version.startsWith(this.#word))) this.#giveUp(bytes, at);
    }
  }

  #beginFields(): void {
    this.#length = -1;
    this.#chunked = false;
    this.#inTrailer = false;
    this.state = 'fieldStart';
  }

  #fieldStart(bytes: Uint8Array, at: number, byte: number): void {
    if (byte === CR) return;
    if (byte === LF) {
      this.#endFields();
    } else if (byte === SPACE || byte === TAB) {
      // A folded line: more of the last value, which it makes none that is known.
      this.#name = '';
      this.#value = '';
      this.state = 'fieldValue';
    } else {
      this.#name = '';
      this.state = 'fieldName';
      this.#fieldName(bytes, at, byte);
    }
  }

  #fieldName(bytes: Uint8Array, at: number, byte: number): void {
    if (byte === LF) {
      this.state = 'fieldStart';
    } else if (byte === COLON) {
      this.#value = '';
      this.#dashes = 0;
      this.state = 'fieldValue';
    } else if (this.#name.length < LONGEST_NAME && byte > SPACE && byte < 0x7f) {
      this.#name += String.fromCharCode(byte).toLowerCase();
    } else if (byte !== CR) {
      this.#name = 'x'.repeat(LONGEST_NAME);
      bytes[at] = X;
    }
  }

  #fieldValue(bytes: Uint8Array, at: number, byte: number): void {
    if (byte === LF) {
      this.#takeField();
      this.state = 'fieldStart';
      return;
    }
    if (byte === CR) return;
    if (this.#value.length < LONGEST_VALUE) this.#value += String.fromCharCode(byte);
    if (byte === SPACE) return;
    if (this.#name === 'sw8') {
      // sample-traceid-… : the rest names services and endpoints.
      if (byte === DASH) this.#dashes++;
      else if (this.#dashes > 1) bytes[at] = X;
    } else if (!KEPT_FIELDS.has(this.#name)) {
      bytes[at] = X;
    }
  }

  #takeField(): void {
    if (this.#inTrailer) return;
    const value = this.#value.trim().toLowerCase();
    if (this.#name === 'content-length') this.#length = /^\d{1,15}$/.test(value) ? Number(value) : -1;
    else if (this.#name === 'transfer-encoding' && /(^|[\s,])chunked$/.test(value)) this.#chunked = true;
  }

  #endFields(): void {
    if (this.#inTrailer) {
      this.state = 'start';
      return;
    }
    const { pending } = this.#conversation;
    if (!this.#isResponse) {
      if (pending.length < MOST_PENDING) pending.push(this.#method);
      this.#beginBody('start');
      return;
    }
    if (this.#status === '101') {
      this.#conversation.tunnel();
      return;
    }
    if (this.#status.startsWith('1')) {
      this.state = 'start';
      return;
    }
    const method = pending.shift();
    if (method === 'CONNECT' && this.#status.startsWith('2')) this.#conversation.tunnel();
    else if (method === 'HEAD' || this.#status === '204' || this.#status === '304') this.state = 'start';
    else this.#beginBody('bodyToEnd');
  }

  #beginBody(otherwise: State): void {
    if (this.#chunked) {
      this.#beginChunkSize();
    } else if (this.#length >= 0) {
      this.#remaining = this.#length;
      this.state = this.#length === 0 ? 'start' : 'body';
    } else {
      this.state = otherwise;
    }
  }

  #beginChunkSize(): void {
    this.#word = '';
    this.state = 'chunkSize';
  }

  #chunkSize(bytes: Uint8Array, at: number, byte: number): void {
    if (byte === LF) {
      this.#beginChunk();
    } else if (byte === 0x3b || byte === SPACE || byte === TAB) {
      this.state = 'chunkExtension';
    } else if (byte !== CR) {
      this.#word += String.fromCharCode(byte);
      if (!/^[\da-f]{1,12}$/i.test(this.#word)) this.#giveUp(bytes, at);
    }
  }

  #beginChunk(): void {
    const size = Number.parseInt(this.#word, 16);
    if (Number.isNaN(size)) {
      this.state = 'opaque';
    } else if (size === 0) {
      this.#inTrailer = true;
      this.state = 'fieldStart';
    } else {
      this.#remaining = size;
      this.state = 'chunkData';
    }
  }

  #giveUp(bytes: Uint8Array, at: number): void {
    bytes[at] = X;
    this.state = 'opaque';
  }
}
