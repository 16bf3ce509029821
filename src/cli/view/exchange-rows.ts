import type { ExchangeLine } from '../../model/exchange-line.ts';
import { formatNs, formatTime } from '../replay/table.ts';
import type { Place, Selectable } from './state.ts';
import { fit, formatBytes, safeText, width } from './text.ts';

/** One exchange of the list of the last ones. */
export interface ExchangeRow extends Selectable {
  readonly exchange: ExchangeLine;
}

/** The last exchanges, newest first, that the filter of the place lets through. */
export function exchangeRows(exchanges: readonly ExchangeLine[], place: Place): ExchangeRow[] {
  const wanted = place.filter.toLowerCase();
  return exchanges
    .filter((exchange) =>
      `${request(exchange)} ${result(exchange)} ${exchange.src} ${exchange.dst}`.toLowerCase().includes(wanted),
    )
    .map((exchange) => ({
      key: `${exchange.time}\0${exchange.conn}\0${exchange.role}`,
      exchange,
      opens: { kind: 'exchange', exchange },
    }));
}

const COLUMNS = [
  { title: 'TIME (UTC)', width: 15, show: (one: ExchangeLine) => formatTime(one.time), left: true },
  { title: 'RESULT', width: 11, show: result, left: true },
  { title: 'DURATION', width: 8, show: (one: ExchangeLine) => ns(one.duration_ns) },
  { title: 'QUEUE', width: 7, show: (one: ExchangeLine) => ns(one.queue_ns) },
  { title: 'SENT', width: 7, show: (one: ExchangeLine) => formatBytes(one.request_bytes) },
  { title: 'RECEIVED', width: 8, show: (one: ExchangeLine) => formatBytes(one.response_bytes) },
] as const;
/** What a narrow page does without, first to go first. */
const DISPENSABLE = ['RECEIVED', 'SENT', 'QUEUE'];
const MIN_REQUEST = 36;

/** The head of the list and a function that writes a line of it, both so many columns wide. */
export function exchangeTable(columns: number): { head: string; line: (exchange: ExchangeLine) => string } {
  let shown: readonly (typeof COLUMNS)[number][] = COLUMNS;
  const used = (): number => shown.reduce((sum, column) => sum + column.width + 1, 0);
  for (const title of DISPENSABLE) {
    if (columns - used() < MIN_REQUEST) {
      shown = shown.filter((column) => column.title !== title);
    }
  }
  const rest = Math.max(0, columns - used());
  const cell = (text: string, column: (typeof COLUMNS)[number]): string =>
    fit(text, column.width, 'left' in column ? 'left' : 'right');
  return {
    head: [...shown.map((column) => cell(column.title, column)), fit('REQUEST', rest)].join(' '),
    line: (exchange) =>
      [
        ...shown.map((column) => cell(safeText(column.show(exchange)), column)),
        fit(safeText(`${request(exchange)}  ${otherEnd(exchange)}`), rest),
      ].join(' '),
  };
}

/** Everything that is known of one exchange, a line for each. */
export function exchangeDetail(exchange: ExchangeLine, columns: number): string[] {
  const { attributes, ...fields } = exchange;
  const entries = [
    ...Object.entries(fields).map(([key, value]): [string, string] => [key, show(key, value)]),
    ...Object.entries(attributes).map(([key, value]): [string, string] => [key, String(value)]),
  ].filter(([, text]) => text !== '');
  const wide = Math.max(...entries.map(([key]) => width(safeText(key)))) + 2;
  return entries.flatMap(([key, text]) =>
    wrap(safeText(text), Math.max(8, columns - wide)).map(
      (part, index) => fit(index === 0 ? safeText(key) : '', wide) + part,
    ),
  );
}

function show(key: string, value: string | number | boolean | null): string {
  if (value === null) {
    return '';
  }
  if (key === 'time' && typeof value === 'string') {
    return `${new Date(Number(BigInt(value) / 1_000_000n)).toISOString().slice(0, 10)} ${formatTime(value)} UTC`;
  }
  return key.endsWith('_ns') && typeof value === 'number' ? formatNs(value) : String(value);
}

/** Cuts a text into pieces of at most so many columns. */
function wrap(text: string, columns: number): string[] {
  const pieces: string[] = [];
  let piece = '';
  for (const character of text) {
    if (width(piece + character) > columns) {
      pieces.push(piece);
      piece = '';
    }
    piece += character;
  }
  return [...pieces, piece];
}

function request(exchange: ExchangeLine): string {
  return [exchange.operation, exchange.resource].filter((part) => part !== null).join(' ') || exchange.protocol;
}

function result(exchange: ExchangeLine): string {
  const { status, error, complete } = exchange;
  return (
    [status, error === 'status' ? null : error, complete ? null : '(cut)'].filter((part) => part !== null).join(' ') ||
    '-'
  );
}

/** A server wants to know who asked, a client whom it asked. */
function otherEnd(exchange: ExchangeLine): string {
  return exchange.role === 'server' ? `from ${exchange.src}` : `to ${exchange.dst}`;
}

function ns(value: number | null): string {
  return value === null ? '-' : formatNs(value);
}
