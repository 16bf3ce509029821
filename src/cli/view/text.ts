import { formatNs } from '../replay/table.ts';
import type { Quantile } from './quantile.ts';

/** Characters that take two columns of a terminal. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;

/** What came over the wire must not steer the terminal. */
export function safeText(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Mn}\u2028\u2029]/gu, '\u{FFFD}');
}

/** Columns that a text without control characters takes. */
export function width(text: string): number {
  let columns = 0;
  for (const character of text) {
    columns += WIDE.test(character) ? 2 : 1;
  }
  return columns;
}

/** Cuts or pads to exactly so many columns. */
export function fit(text: string, columns: number, align: 'left' | 'right' = 'left'): string {
  let shown = text;
  if (width(text) > columns) {
    shown = '';
    let used = 0;
    for (const character of text) {
      const next = used + width(character);
      if (next > columns - 1) {
        break;
      }
      shown += character;
      used = next;
    }
    shown += columns > 0 ? '…' : '';
  }
  const padding = ' '.repeat(Math.max(0, columns - width(shown)));
  return align === 'left' ? shown + padding : padding + shown;
}

/** `1234`, `12.3k`, `1.23M`: at most five characters. */
export function formatCount(value: number): string {
  const units = ['', 'k', 'M', 'G', 'T'];
  let rest = value;
  let unit = 0;
  while (rest >= 9999.5 && unit < units.length - 1) {
    rest /= 1000;
    unit += 1;
  }
  if (unit === 0) {
    return rest === 0 || rest >= 99.95 ? rest.toFixed(0) : rest.toFixed(rest >= 9.995 ? 1 : 2);
  }
  return `${rest.toFixed(rest >= 99.95 ? 0 : 1)}${units[unit]}`;
}

/** `0`, `812B`, `12.3kB`, `4.56MB` */
export function formatBytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let rest = value;
  let unit = 0;
  while (rest >= 999.5 && unit < units.length - 1) {
    rest /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || rest >= 99.95 ? 0 : 1;
  return `${rest.toFixed(digits)}${units[unit]}`;
}

/** `4.2%`, `<0.1%`, `0`, or `-` if there is nothing to tell. */
export function formatPercent(ratio: number | null): string {
  if (ratio === null) {
    return '-';
  }
  if (ratio === 0) {
    return '0';
  }
  const percent = ratio * 100;
  return percent < 0.1 ? '<0.1%' : `${percent.toFixed(percent >= 9.95 ? 0 : 1)}%`;
}

/** Completeness is never rounded up to 100 %. */
export function formatCompleteness(ratio: number): string {
  return ratio >= 1 ? '100%' : `${(Math.floor(ratio * 100_000) / 1000).toFixed(3)}%`;
}

/** `1.23ms`, `≤50us` in the first bucket, `>10.0s` beyond the last bound. */
export function formatQuantile(one: Quantile | null): string {
  if (one === null) {
    return '-';
  }
  const sign = one.kind === 'up-to' ? '≤' : one.kind === 'above' ? '>' : '';
  // A bound is a round number: 50us, not 50.0us.
  return sign === '' ? formatNs(one.value) : sign + formatNs(one.value).replace(/\.0+(?=[a-z])/, '');
}
