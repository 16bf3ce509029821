import type { StageCount } from '../../model/law.ts';
import type { Row, ServiceRow } from './model.ts';
import {
  fit,
  formatBytes,
  formatCompleteness,
  formatCount,
  formatPercent,
  formatQuantile,
  safeText,
  width,
} from './text.ts';

/** Everything that one refresh shows. */
export interface Screen {
  readonly title: string;
  readonly services: readonly ServiceRow[];
  readonly stages: readonly { readonly name: string; readonly count: StageCount }[];
  readonly completeness: number;
  readonly cost: { readonly cpuRatio: number; readonly rssBytes: number; readonly kernelRatio: number | null };
  /** Seconds that rates, errors and quantiles are about. */
  readonly spanSeconds: number;
  /** Last lines of the log. */
  readonly notes: readonly string[];
  /** What to do when there is nothing to see. */
  readonly idle: readonly string[];
}

export interface Page {
  readonly columns: number;
  /** Infinity where lines scroll. */
  readonly rows: number;
  readonly colour: boolean;
}

interface Column {
  readonly title: string;
  readonly width: number;
  show(row: Row): string;
}

const COLUMNS: readonly Column[] = [
  { title: 'RATE/s', width: 7, show: (row) => formatCount(row.rate) },
  { title: 'ERRORS', width: 6, show: (row) => formatPercent(row.errorRatio) },
  { title: 'P50', width: 7, show: (row) => formatQuantile(row.p50) },
  { title: 'P99', width: 7, show: (row) => formatQuantile(row.p99) },
  { title: 'BYTES/s', width: 8, show: (row) => formatBytes(row.bytes) },
  { title: 'TOTAL', width: 9, show: (row) => (row.total < 1e9 ? String(row.total) : formatCount(row.total)) },
];

/** What a narrow terminal does without, first to go first. */
const DISPENSABLE = ['BYTES/s', 'P50', 'TOTAL', 'ERRORS'];
const MIN_NAME = 24;
const MAX_NAME = 80;

type Style = 'bold' | 'dim' | 'red' | 'plain';
const CODES: Readonly<Record<Style, string>> = { bold: '1', dim: '2', red: '31', plain: '' };

/** The view as lines that fit the page. */
export function renderScreen(screen: Screen, page: Page): string[] {
  const paint = (text: string, style: Style): string =>
    page.colour && style !== 'plain' ? `\u001b[${CODES[style]}m${text}\u001b[0m` : text;
  const cut = (text: string): string => (width(text) > page.columns ? fit(text, page.columns) : text);
  const columns = columnsFor(page.columns);
  const nameWidth = Math.min(MAX_NAME, Math.max(1, page.columns - widthOf(columns)));

  const line = (name: string, row: Row, style: Style): string => {
    const cells = columns.map((column) => {
      const text = fit(column.show(row), column.width, 'right');
      return column.title === 'ERRORS' && (row.errorRatio ?? 0) > 0 ? paint(text, 'red') : paint(text, style);
    });
    return `${paint(fit(name, nameWidth), style)} ${cells.join(' ')}`;
  };

  const losses = lossLines(screen);
  const foot = [
    '',
    ...losses.map(({ text, lost }) => paint(cut(text), lost ? 'red' : 'plain')),
    paint(cut(costLine(screen)), 'dim'),
    ...screen.notes.map((note) => paint(cut(safeText(note)), 'dim')),
  ];
  const head = [paint(cut(screen.title), 'bold')];
  if (screen.services.length === 0) {
    return [...head, '', ...screen.idle.map(cut), ...foot].slice(0, page.rows);
  }
  const titles = columns.map((column) => fit(column.title, column.width, 'right')).join(' ');
  head.push(paint(`${fit(`SERVICE / ROUTE, last ${screen.spanSeconds} s`, nameWidth)} ${titles}`, 'dim'));
  const room = Math.max(1, page.rows - head.length - foot.length);
  return [...head, ...body(screen.services, room, { line, cut }), ...foot].slice(0, page.rows);
}

/** The columns that leave enough room for names. */
function columnsFor(width: number): readonly Column[] {
  let columns = COLUMNS;
  for (const title of DISPENSABLE) {
    if (width - widthOf(columns) < MIN_NAME) {
      columns = columns.filter((column) => column.title !== title);
    }
  }
  return columns;
}

/** Columns of the terminal that they take, with the gaps before them. */
function widthOf(columns: readonly Column[]): number {
  return columns.reduce((sum, column) => sum + column.width + 1, 0);
}

/** As many lines as there is room: every service gets its line first, then the busiest routes. */
function body(
  services: readonly ServiceRow[],
  room: number,
  { line, cut }: { line: (name: string, row: Row, style: Style) => string; cut: (text: string) => string },
): string[] {
  const routes = services.reduce((sum, service) => sum + service.routes.length, 0);
  const all = services.length + routes;
  const shownServices = services.slice(0, all > room ? Math.max(1, room - 1) : room);
  let left = Math.max(0, (all > room ? room - 1 : room) - shownServices.length);
  const lines: string[] = [];
  let hidden = services.slice(shownServices.length).reduce((sum, one) => sum + one.routes.length + 1, 0);
  // Shares of the room by turns, so that one service with many routes does not hide the routes of the others.
  const shares = shownServices.map(() => 0);
  for (let grown = true; grown && left > 0; ) {
    grown = false;
    for (const [index, service] of shownServices.entries()) {
      if (left > 0 && shares[index] < service.routes.length) {
        shares[index] = shares[index] + 1;
        left -= 1;
        grown = true;
      }
    }
  }
  for (const [index, service] of shownServices.entries()) {
    lines.push(line(`${safeText(service.service)} ${service.role} ${service.protocol}`.trim(), service, 'bold'));
    const share = shares[index];
    for (const route of service.routes.slice(0, share)) {
      lines.push(line(`  ${safeText(route.route) || '(any)'}`, route, route.rate > 0 ? 'plain' : 'dim'));
    }
    hidden += service.routes.length - share;
  }
  return hidden > 0 ? [...lines, cut(`… ${hidden} more lines; the metrics page has them all`)] : lines;
}

/** `nothing lost · complete 100%`, or what was lost where and why. */
function lossLines(screen: Screen): { text: string; lost: boolean }[] {
  const lost = screen.stages.flatMap(({ name, count }) => {
    const reasons = Object.entries(count.dropped).filter(([, number]) => number > 0);
    return reasons.length === 0
      ? []
      : [`${name} ${reasons.map(([reason, number]) => `${number} ${reason}`).join(', ')}`];
  });
  const complete = `last window complete to ${formatCompleteness(screen.completeness)}`;
  return lost.length === 0
    ? [{ text: `nothing lost; ${complete}`, lost: false }]
    : [
        { text: `lost since the start: ${lost.join('; ')}`, lost: true },
        { text: complete, lost: false },
      ];
}

function costLine({ cost }: Screen): string {
  const kernel = cost.kernelRatio === null ? '' : `, ${formatPercent(cost.kernelRatio)} in the kernel`;
  return `sonde takes ${formatPercent(cost.cpuRatio)} of a core${kernel}, ${formatBytes(cost.rssBytes)} of memory`;
}
