import { SCHEMES } from './http-words.ts';

const X = 0x78;
const SPACE = 32;
const HASH = 35;
const ASTERISK = 42;
const SLASH = 47;
const QUESTION = 63;
const AT = 64;

/** Of a request's target (RFC 9112, 3.2). `scheme` and `host` are the beginning of the absolute form. */
type Form = 'path' | 'asterisk' | 'scheme' | 'host' | 'authority';

/** Masks the target of a request byte by byte; its query is left to the caller. */
export class TargetMask {
  readonly #paths: boolean;
  #form: Form = 'path';
  #isConnect = false;
  #length = 0;
  /** Of the absolute form, as far as it has come. */
  #scheme = '';
  /** Of an authority: it is seen whole, and names no user. */
  #isPlain = false;

  /** @param paths only the slashes of a path stay */
  constructor(paths: boolean) {
    this.#paths = paths;
  }

  /** Bytes of the target so far. */
  get length(): number {
    return this.#length;
  }

  /** @param isConnect its request's method is CONNECT */
  begin(isConnect: boolean): void {
    this.#isConnect = isConnect;
    this.#length = 0;
    this.#scheme = '';
  }

  /** @returns what this byte is: of the target, behind it, the beginning of its query, or none of any HTTP/1.x target */
  byte(bytes: Uint8Array, at: number): 'target' | 'end' | 'query' | 'none' {
    const byte = bytes[at];
    if (this.#length === 0) this.#form = this.#formOf(bytes, at);
    const form = this.#form;
    if (byte === SPACE && this.#length > 0 && form !== 'scheme') return 'end';
    if ((byte === QUESTION || byte === HASH) && (form === 'path' || form === 'host')) return 'query';
    if (byte <= SPACE || !this.#belongs(byte)) return 'none';
    this.#length++;
    // A host may begin with a user and a password, of which a cut can hide that they are some; Host tells it too.
    const isHidden = form === 'host' || (form === 'authority' && !this.#isPlain);
    if (form === 'scheme' && SCHEMES.includes(this.#scheme)) this.#form = 'host';
    else if (form === 'host' && byte === SLASH) this.#form = 'path';
    if ((isHidden || this.#paths) && byte !== SLASH && byte !== ASTERISK) bytes[at] = X;
    return 'target';
  }

  #formOf(bytes: Uint8Array, at: number): Form {
    if (this.#isConnect) {
      const end = bytes.indexOf(SPACE, at);
      this.#isPlain = end >= 0 && !bytes.subarray(at, end).includes(AT);
      return 'authority';
    }
    if (bytes[at] === SLASH) return 'path';
    return bytes[at] === ASTERISK ? 'asterisk' : 'scheme';
  }

  /** Whether a target of this form may go on so. */
  #belongs(byte: number): boolean {
    if (this.#form === 'asterisk') return this.#length === 0;
    if (this.#form !== 'scheme') return true;
    this.#scheme += String.fromCharCode(byte).toLowerCase();
    return SCHEMES.some((scheme) => scheme.startsWith(this.#scheme));
  }
}
