import { CR, isDigit, LF, SPACE } from './characters.ts';
import { Fields, INCOMPLETE, readFields } from './fields.ts';
import { LineEnds } from './line-ends.ts';
import { MALFORMED, VERSION } from './request-head.ts';

/** The head of a response, RFC 9112 §4. One object that `read` fills again and again. */
export class ResponseHead {
  readonly fields = new Fields();
  readonly #lines = new LineEnds();
  /** 0 if not seen. */
  status = 0;
  version = 0;
  cut = false;
  /** From the head's first byte to the first digit of its Content-Length. */
  lengthOffset = 0;

  /** As RequestHead.read. */
  read(bytes: Uint8Array, start: number, end: number, cut: boolean): number {
    this.status = 0;
    this.version = 0;
    this.cut = false;
    this.fields.reset();
    let at = this.#readLine(bytes, start, end);
    if (at >= 0) at = readFields(bytes, at, end, this.fields, this.#lines);
    this.lengthOffset = this.fields.lengthAt - start;
    if (at === INCOMPLETE && cut) {
      this.cut = true;
      return end;
    }
    return at;
  }

  #readLine(bytes: Uint8Array, start: number, end: number): number {
    const known = Math.min(end, start + 13);
    for (let i = start; i < known; i++) {
      const byte = bytes[i];
      const place = i - start;
      let valid = true;
      if (place < 7) valid = byte === VERSION[place];
      else if (place === 7) valid = byte === 48 || byte === 49;
      else if (place === 8) valid = byte === SPACE;
      else if (place < 12) valid = isDigit(byte) && !(place === 9 && byte === 48);
      else valid = byte === SPACE || byte === CR || byte === LF;
      if (!valid) return MALFORMED;
    }
    if (end - start < 12) return INCOMPLETE;
    this.version = bytes[start + 7] - 38;
    this.status = (bytes[start + 9] - 48) * 100 + (bytes[start + 10] - 48) * 10 + (bytes[start + 11] - 48);
    let at = start + 12;
    while (at < end && bytes[at] !== LF) at++;
    return at < end ? at + 1 : INCOMPLETE;
  }
}
