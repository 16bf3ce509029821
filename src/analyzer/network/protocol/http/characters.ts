/** The characters that HTTP/1 framing looks at. */
export const TAB = 9;
export const LF = 10;
export const CR = 13;
export const SPACE = 32;
export const COLON = 58;

const TOKEN = new Uint8Array(256);
for (const character of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
  TOKEN[character.charCodeAt(0)] = 1;
}

/** RFC 9110 §5.6.2 tchar. */
export function isToken(byte: number): boolean {
  return TOKEN[byte] === 1;
}

export function isDigit(byte: number): boolean {
  return byte >= 48 && byte <= 57;
}

/** Whether bytes from `start` are the ASCII text, both in lower case (`lower` must be). */
export function startsWithLower(bytes: Uint8Array, start: number, end: number, lower: string): boolean {
  if (end - start < lower.length) return false;
  for (let i = 0; i < lower.length; i++) {
    let byte = bytes[start + i];
    if (byte >= 65 && byte <= 90) byte |= 32;
    if (byte !== lower.charCodeAt(i)) return false;
  }
  return true;
}

/** Whether the comma-separated list in bytes[start, end) has this element. */
export function listHas(bytes: Uint8Array, start: number, end: number, lower: string): boolean {
  let from = start;
  while (from < end) {
    while (from < end && (bytes[from] === SPACE || bytes[from] === TAB || bytes[from] === 44)) from++;
    if (startsWithLower(bytes, from, end, lower)) {
      const after = from + lower.length;
      if (after === end || !isToken(bytes[after])) return true;
    }
    while (from < end && bytes[from] !== 44) from++;
  }
  return false;
}
