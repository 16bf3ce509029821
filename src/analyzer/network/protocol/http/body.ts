import { CR, LF } from './characters.ts';

/** How the end of a body is found, RFC 9112 §6.3. */
export const FRAMING = {
  none: 0,
  length: 1,
  chunked: 2,
  /** Ends when the connection does. */
  close: 3,
  /** Its end cannot be found in the bytes: the next turn ends it. */
  lost: 4,
} as const;
export type Framing = (typeof FRAMING)[keyof typeof FRAMING];

const CHUNK = { size: 0, extension: 1, data: 2, dataEnd: 3, trailer: 4 } as const;

const MAX_CHUNK = 2 ** 48;
const LINE_BREAK = 2;
/** `0` CR LF CR LF */
const LAST_CHUNK = [48, 13, 10, 13, 10] as const;

/** Follows a body through what is seen and what is not. */
export class Body {
  framing: Framing = FRAMING.none;
  /** Of the length, or of the chunk. */
  remaining = 0;
  done = true;
  /** No byte of it has passed. */
  untouched = true;

  #chunk: number = CHUNK.size;
  #digits = 0;
  #lineLength = 0;
  #wasChunked = false;

  begin(framing: Framing, length: number): void {
    this.framing = framing;
    this.remaining = length;
    this.untouched = true;
    this.#wasChunked = false;
    this.done = framing === FRAMING.none || (framing === FRAMING.length && length === 0);
    this.#chunk = CHUNK.size;
    this.#digits = 0;
    this.#lineLength = 0;
  }

  /** The end can no longer be found. */
  lose(): void {
    this.#wasChunked = this.framing === FRAMING.chunked;
    this.framing = FRAMING.lost;
    this.done = false;
  }

  /** Takes captured bytes. @returns the place behind the body's last one, or `end` */
  take(bytes: Uint8Array, start: number, end: number): number {
    if (start < end) this.untouched = false;
    if (this.framing === FRAMING.length) {
      const taken = Math.min(this.remaining, end - start);
      this.remaining -= taken;
      this.done = this.remaining === 0;
      return start + taken;
    }
    if (this.framing === FRAMING.chunked) return this.#takeChunks(bytes, start, end);
    // A chunked body whose framing was lost: the last chunk at a call's end is found again.
    if (this.framing === FRAMING.lost && this.#wasChunked && endsWithLastChunk(bytes, start, end)) this.done = true;
    return end;
  }

  /** Takes bytes that were not captured. @returns how many of them lie behind the body's end */
  pass(count: number): number {
    if (count > 0) this.untouched = false;
    if (this.framing === FRAMING.length) {
      const taken = Math.min(this.remaining, count);
      this.remaining -= taken;
      this.done = this.remaining === 0;
      return count - taken;
    }
    if (this.framing === FRAMING.chunked) this.#passChunks(count);
    return 0;
  }

  /** A large write is one chunk with its size line captured: the rest of it is covered by the chunk's length. */
  #passChunks(count: number): void {
    const rest = this.#chunk === CHUNK.dataEnd ? 0 : this.remaining;
    if (this.#chunk !== CHUNK.data && this.#chunk !== CHUNK.dataEnd) this.lose();
    else if (count < rest) this.remaining -= count;
    else if (count === rest) this.#chunk = CHUNK.dataEnd;
    else if (count === rest + LINE_BREAK) this.#beginSize();
    else if (count === rest + LINE_BREAK + LAST_CHUNK.length) this.done = true;
    else this.lose();
  }

  #takeChunks(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    while (at < end) {
      if (this.#chunk === CHUNK.data) {
        const taken = Math.min(this.remaining, end - at);
        this.remaining -= taken;
        at += taken;
        if (this.remaining === 0) this.#chunk = CHUNK.dataEnd;
        continue;
      }
      const byte = bytes[at++];
      if (!this.#takeControl(byte)) {
        this.lose();
        return end;
      }
      if (this.done) return at;
    }
    return at;
  }

  /** One byte of a size line, the line break behind a chunk, or a trailer. @returns false if it cannot be */
  #takeControl(byte: number): boolean {
    switch (this.#chunk) {
      case CHUNK.size:
        return this.#takeSize(byte);
      case CHUNK.extension:
        if (byte === LF) this.#endSize();
        return true;
      case CHUNK.dataEnd:
        if (byte === LF) {
          this.#beginSize();
          return true;
        }
        return byte === CR;
      default:
        // Trailer: ends with an empty line.
        if (byte === LF) {
          if (this.#lineLength === 0) this.done = true;
          this.#lineLength = 0;
        } else if (byte !== CR) {
          this.#lineLength++;
        }
        return true;
    }
  }

  #takeSize(byte: number): boolean {
    const digit = hexDigit(byte);
    if (digit >= 0) {
      this.remaining = this.#digits === 0 ? digit : this.remaining * 16 + digit;
      this.#digits++;
      return this.remaining <= MAX_CHUNK;
    }
    if (this.#digits === 0) return false;
    if (byte === LF) this.#endSize();
    else if (byte === CR || byte === 59 || byte === 32 || byte === 9) this.#chunk = CHUNK.extension;
    else return false;
    return true;
  }

  #beginSize(): void {
    this.#chunk = CHUNK.size;
    this.#digits = 0;
  }

  #endSize(): void {
    this.#lineLength = 0;
    this.#chunk = this.remaining === 0 ? CHUNK.trailer : CHUNK.data;
  }
}

function endsWithLastChunk(bytes: Uint8Array, start: number, end: number): boolean {
  const from = end - LAST_CHUNK.length;
  if (from < start || (from > start && bytes[from - 1] !== LF)) return false;
  for (let i = 0; i < LAST_CHUNK.length; i++) if (bytes[from + i] !== LAST_CHUNK[i]) return false;
  return true;
}

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
