import { DETECTION } from '../protocol.ts';
import type { Detection } from '../protocol.ts';
import { CR, isDigit, isToken, LF, SPACE } from './characters.ts';
import { VERSION } from './request-head.ts';

const LONGEST_METHOD = 32;

/** Methods whose request line is believed before its version was seen, if it can never be. */
const KNOWN = new Set(['GET', 'POST', 'PUT', 'HEAD', 'DELETE', 'PATCH', 'OPTIONS', 'CONNECT', 'TRACE']);

/** Whether bytes begin an HTTP/1.x request: token SP target SP `HTTP/1.0` or `HTTP/1.1`. */
export function detectRequest(bytes: Uint8Array, start: number, end: number, whole: boolean): Detection {
  let at = start;
  while (at < end && (bytes[at] === CR || bytes[at] === LF)) at++;
  const methodStart = at;
  while (at < end && isToken(bytes[at])) at++;
  if (at - methodStart > LONGEST_METHOD) return DETECTION.no;
  if (at === end) return whole ? DETECTION.no : DETECTION.maybe;
  if (at === methodStart || bytes[at] !== SPACE) return DETECTION.no;
  const methodEnd = at;
  at++;
  const target = at;
  while (at < end && bytes[at] > SPACE) at++;
  if (at === end) {
    if (!whole) return DETECTION.maybe;
    return at > target && isKnown(bytes, methodStart, methodEnd, target) ? DETECTION.yes : DETECTION.no;
  }
  if (at === target || bytes[at] !== SPACE) return DETECTION.no;
  at++;
  for (let i = 0; i < 8; i++, at++) {
    if (at === end) {
      if (!whole) return DETECTION.maybe;
      return isKnown(bytes, methodStart, methodEnd, target) ? DETECTION.yes : DETECTION.no;
    }
    if (i < 7 ? bytes[at] !== VERSION[i] : bytes[at] !== 48 && bytes[at] !== 49) return DETECTION.no;
  }
  return DETECTION.yes;
}

/** Whether bytes begin an HTTP/1.x response: `HTTP/1.x` SP three digits. */
export function detectResponse(bytes: Uint8Array, start: number, end: number, whole: boolean): Detection {
  for (let i = 0; i < 12; i++) {
    if (start + i === end) return whole ? DETECTION.no : DETECTION.maybe;
    const byte = bytes[start + i];
    let valid = true;
    if (i < 7) valid = byte === VERSION[i];
    else if (i === 7) valid = byte === 48 || byte === 49;
    else if (i === 8) valid = byte === SPACE;
    else valid = isDigit(byte);
    if (!valid) return DETECTION.no;
  }
  return DETECTION.yes;
}

function isKnown(bytes: Uint8Array, start: number, end: number, target: number): boolean {
  let method = '';
  for (let i = start; i < end; i++) method += String.fromCharCode(bytes[i]);
  if (!KNOWN.has(method)) return false;
  return bytes[target] === 47 || method === 'CONNECT' || (bytes[target] | 32) === 104;
}
