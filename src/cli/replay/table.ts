import type { ExchangeLine } from '../../model/exchange-line.ts';

const HEAD = ['TIME', 'PROTOCOL', 'ROLE', 'CLIENT', 'SERVER', 'REQUEST', 'RESULT', 'DURATION', 'SENT', 'RECEIVED'];
const RIGHT = new Set(['DURATION', 'SENT', 'RECEIVED']);
const MAX_CELL = 60;

/**
 * Exchanges as a table for people, one string a line, aligned over all of them.
 *
 * @param lines gives the same exchanges each time: they are gone through twice, and not held
 */
export function* tableLines(lines: () => Iterable<ExchangeLine>): Generator<string> {
  const widths = HEAD.map((title) => title.length);
  for (const line of lines()) {
    for (const [column, cell] of cells(line).entries()) widths[column] = Math.max(widths[column], cell.length);
  }
  yield row(HEAD, widths);
  for (const line of lines()) yield row(cells(line), widths);
}

function row(texts: readonly string[], widths: readonly number[]): string {
  const padded = texts.map((cell, column) =>
    RIGHT.has(HEAD[column]) ? cell.padStart(widths[column]) : cell.padEnd(widths[column]),
  );
  return padded.join('  ').trimEnd();
}

function cells(line: ExchangeLine): string[] {
  const request = [line.operation, line.resource].filter((part) => part !== null).join(' ');
  const result = [line.status, line.error === 'status' ? null : line.error, line.complete ? null : '(incomplete)'];
  return [
    formatTime(line.time),
    line.protocol,
    line.role,
    line.src,
    line.dst,
    request === '' ? '-' : request,
    result.filter((part) => part !== null).join(' ') || '-',
    line.duration_ns === null ? '-' : formatNs(line.duration_ns),
    String(line.request_bytes),
    String(line.response_bytes),
  ].map(clean);
}

/** What came over the wire must not steer the terminal. */
function clean(cell: string): string {
  const text = cell.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\u{FFFD}');
  return text.length > MAX_CELL ? `${text.slice(0, MAX_CELL - 1)}…` : text;
}

/** `12:00:00.123456` in UTC. */
export function formatTime(ns: string): string {
  const time = BigInt(ns);
  const seconds = time / 1_000_000_000n;
  const micros = (time % 1_000_000_000n) / 1000n;
  return `${new Date(Number(seconds) * 1000).toISOString().slice(11, 19)}.${String(micros).padStart(6, '0')}`;
}

/** `812ns`, `12.3us`, `4.56ms`, `1.23s`: three digits. */
export function formatNs(ns: number): string {
  const units = ['ns', 'us', 'ms', 's'];
  let value = ns;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)}${units[unit]}`;
}
