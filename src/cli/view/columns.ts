import type { Row } from './model.ts';
import type { Quantile } from './quantile.ts';
import { formatBytes, formatCount, formatPercent, formatQuantile } from './text.ts';

/** A column of the lists of services, routes and peers. */
export interface Column {
  readonly id: ColumnId;
  readonly title: string;
  readonly width: number;
  show(row: Row): string;
  /** What it is sorted by; −1 for what is not known. */
  weigh(row: Row): number;
}

export type ColumnId =
  | 'rate'
  | 'errors'
  | 'p50'
  | 'p99'
  | 'queue'
  | 'bytes'
  | 'retr'
  | 'broken'
  | 'rtt'
  | 'conns'
  | 'total';

const weighQuantile = (one: Quantile | null): number => one?.value ?? -1;

export const COLUMNS: readonly Column[] = [
  { id: 'rate', title: 'RATE/s', width: 7, show: (row) => formatCount(row.rate), weigh: (row) => row.rate },
  {
    id: 'errors',
    title: 'ERRORS',
    width: 7,
    show: (row) => formatPercent(row.errorRatio),
    weigh: (row) => row.errorRatio ?? -1,
  },
  { id: 'p50', title: 'P50', width: 7, show: (row) => formatQuantile(row.p50), weigh: (row) => weighQuantile(row.p50) },
  { id: 'p99', title: 'P99', width: 7, show: (row) => formatQuantile(row.p99), weigh: (row) => weighQuantile(row.p99) },
  {
    id: 'queue',
    title: 'QUEUE',
    width: 7,
    show: (row) => formatQuantile(row.queue),
    weigh: (row) => weighQuantile(row.queue),
  },
  { id: 'bytes', title: 'BYTES/s', width: 8, show: (row) => formatBytes(row.bytes), weigh: (row) => row.bytes },
  {
    id: 'retr',
    title: 'RETR/s',
    width: 7,
    show: (row) => (row.tcp === null ? '' : formatCount(row.tcp.retransmits)),
    weigh: (row) => row.tcp?.retransmits ?? -1,
  },
  {
    id: 'broken',
    title: 'RST/s',
    width: 6,
    show: (row) => (row.tcp === null ? '' : formatCount(row.tcp.broken)),
    weigh: (row) => row.tcp?.broken ?? -1,
  },
  {
    id: 'rtt',
    title: 'RTT',
    width: 7,
    show: (row) => (row.tcp === null ? '' : formatQuantile(row.tcp.rtt)),
    weigh: (row) => weighQuantile(row.tcp?.rtt ?? null),
  },
  {
    id: 'conns',
    title: 'CONNS',
    width: 6,
    show: (row) => (row.tcp === null ? '' : formatCount(row.tcp.connections)),
    weigh: (row) => row.tcp?.connections ?? -1,
  },
  {
    id: 'total',
    title: 'TOTAL',
    width: 9,
    show: (row) => (row.total < 1e9 ? String(row.total) : formatCount(row.total)),
    weigh: (row) => row.total,
  },
];

/** What a narrow terminal does without, first to go first. */
const DISPENSABLE: readonly ColumnId[] = [
  'conns',
  'total',
  'rtt',
  'broken',
  'p50',
  'bytes',
  'retr',
  'queue',
  'errors',
  'p99',
];
const MIN_NAME = 29;

/** The columns that leave enough room for names, and the one that the list is sorted by. */
export function columnsFor(width: number, sort: ColumnId): readonly Column[] {
  let columns = COLUMNS;
  for (const id of DISPENSABLE) {
    if (width - widthOf(columns) < MIN_NAME && id !== sort) {
      columns = columns.filter((column) => column.id !== id);
    }
  }
  return columns;
}

/** Columns of the terminal that they take, with the gaps before them. */
export function widthOf(columns: readonly Column[]): number {
  return columns.reduce((sum, column) => sum + column.width + 1, 0);
}

/** How a list is ordered. */
export interface Order {
  readonly column: ColumnId;
  /** Smallest first. */
  readonly ascending: boolean;
}

/** Rows in that order, and equal ones by their number of exchanges. */
export function inOrder<T extends Row>(rows: readonly T[], { column, ascending }: Order): T[] {
  const by = COLUMNS.find(({ id }) => id === column) ?? COLUMNS[0];
  const sign = ascending ? -1 : 1;
  return rows.toSorted((a, b) => sign * (by.weigh(b) - by.weigh(a)) || b.total - a.total);
}

/** The column after this one, or before it. */
export function neighbour(column: ColumnId, step: 1 | -1): ColumnId {
  const index = COLUMNS.findIndex(({ id }) => id === column);
  return COLUMNS[(index + step + COLUMNS.length) % COLUMNS.length].id;
}
