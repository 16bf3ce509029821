import type { StageStatus } from '../../control/status.ts';
import type { ExchangeLine } from '../../model/exchange-line.ts';
import { columnsFor, widthOf } from './columns.ts';
import { exchangeDetail, exchangeRows, exchangeTable } from './exchange-rows.ts';
import { HELP, hints } from './help.ts';
import { listOf } from './list.ts';
import type { ListLine } from './list.ts';
import type { Picture } from './model.ts';
import { selectedIndex, shownPlace } from './state.ts';
import type { Place, Selectable, Subject, ViewState } from './state.ts';
import { fit, formatBytes, formatCompleteness, formatPercent, safeText, width } from './text.ts';

/** What one refresh shows. */
export interface Screen {
  readonly title: string;
  readonly picture: Picture;
  readonly state: ViewState;
  /** The last exchanges, newest first, where the place is about them. */
  readonly exchanges: readonly ExchangeLine[];
  readonly stages: readonly StageStatus[];
  /** Null as long as nothing is known of it. */
  readonly cost: { readonly cpuRatio: number; readonly rssBytes: number; readonly kernelRatio: number | null } | null;
  /** What is wrong at the moment, as a sentence; undefined if nothing is. */
  readonly problem: string | undefined;
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
  /** Whether lines can be selected by keys. */
  readonly keys: boolean;
}

/** The lines of a screen, and what keys can choose from it. */
export interface Drawing {
  readonly text: readonly string[];
  readonly lines: readonly Selectable[];
  /** How many of `lines` the page has room for. */
  readonly room: number;
}

type Style = 'bold' | 'dim' | 'red' | 'selected' | 'plain';
const CODES: Readonly<Record<Style, string>> = { bold: '1', dim: '2', red: '31', selected: '7', plain: '' };
const MAX_LABEL = 80;

/** The view as lines that fit the page. */
export function drawScreen(screen: Screen, page: Page): Drawing {
  const brush = createBrush(page);
  const place = shownPlace(screen.state);
  const head = [
    brush.line(titleLine(screen), 'bold'),
    ...crumbs(screen.state).map((crumb) => brush.line(crumb, 'bold')),
  ];
  const foot = footOf(screen, page, brush);
  const room = Math.max(2, page.rows - head.length - foot.length - 1);
  const body = bodyOf(screen, page, { brush, place, room });
  const text = [...head, ...body.text.slice(0, Math.max(1, page.rows - head.length - foot.length))];
  if (page.keys && Number.isFinite(page.rows)) {
    // The foot keeps its place at the bottom.
    while (text.length < page.rows - foot.length) {
      text.push('');
    }
  }
  return { text: [...text, ...foot].slice(0, page.rows), lines: body.lines, room: body.room };
}

interface Brush {
  /** A text in a style, cut to the page. */
  line(text: string, style?: Style): string;
  paint(text: string, style: Style): string;
}

function createBrush(page: Page): Brush {
  const paint = (text: string, style: Style): string =>
    page.colour && style !== 'plain' ? `\u001b[${CODES[style]}m${text}\u001b[0m` : text;
  return {
    paint,
    line: (text, style = 'plain') =>
      paint(width(text) > page.columns ? fit(text, page.columns) : text, text === '' ? 'plain' : style),
  };
}

interface BodyContext {
  readonly brush: Brush;
  readonly place: Place;
  readonly room: number;
}

function bodyOf(screen: Screen, page: Page, context: BodyContext): Drawing {
  const { brush, place, room } = context;
  const { state, picture } = screen;
  if (state.help) {
    return { text: ['', ...HELP.map((line) => brush.line(line))], lines: [], room };
  }
  const { subject } = place;
  if (subject.kind === 'exchange') {
    return detailBody(subject.exchange, page, context);
  }
  if (subject.kind === 'exchanges') {
    return exchangesBody(screen, page, context);
  }
  if (picture.services.length === 0) {
    return { text: ['', ...screen.idle.map((line) => brush.line(line))], lines: [], room };
  }
  return listBody(screen, page, context);
}

function listBody({ state, picture }: Screen, page: Page, { brush, place, room }: BodyContext): Drawing {
  const marker = page.keys ? 2 : 0;
  const columns = columnsFor(page.columns - marker, state.order.column);
  const labelWidth = Math.min(MAX_LABEL, Math.max(1, page.columns - widthOf(columns) - marker));
  let list = listOf(picture, place, state.order, room);
  let shown = room;
  if (list.rest !== '' || list.lines.length > room) {
    shown = Math.max(1, room - 1);
    list = listOf(picture, place, state.order, shown);
  }
  const titles = columns.map(({ id, title, width }) => {
    const sorted = page.keys && id === state.order.column;
    return fit(sorted ? `${title}${state.order.ascending ? '↑' : '↓'}` : title, width, 'right');
  });
  const span = `${list.title}, last ${picture.spanSeconds} s`;
  const head = brush.line(`${' '.repeat(marker)}${fit(span, labelWidth)} ${titles.join(' ')}`, 'dim');
  const write = (line: ListLine, selected: boolean): string => {
    const label = fit(`${line.depth === 1 ? '  ' : ''}${safeText(line.label)}`, labelWidth);
    const cells = columns.map((column) => ({ column, text: fit(column.show(line.row), column.width, 'right') }));
    if (selected) {
      return brush.line(`> ${label} ${cells.map(({ text }) => text).join(' ')}`, 'selected');
    }
    const style = line.depth === 0 && 'protocols' in line.row ? 'bold' : line.row.rate > 0 ? 'plain' : 'dim';
    const painted = cells.map(({ column, text }) =>
      brush.paint(text, column.id === 'errors' && (line.row.errorRatio ?? 0) > 0 ? 'red' : style),
    );
    return `${' '.repeat(marker)}${brush.paint(label, style)} ${painted.join(' ')}`;
  };
  const visible = visibleLines(list.lines, { place, page, room: shown });
  const text = [head, ...visible.lines.map((line, index) => write(line, visible.selected === index))];
  if (list.lines.length === 0) {
    text.push(
      brush.line(place.filter === '' ? emptyList(place.subject) : `nothing holds "${safeText(place.filter)}"`, 'dim'),
    );
  }
  const rest = [visible.position, list.rest].filter((part) => part !== '').join('; ');
  return { text: rest === '' ? text : [...text, brush.line(`… ${rest}`, 'dim')], lines: list.lines, room: shown };
}

function emptyList(subject: Subject): string {
  return subject.kind === 'peers' ? 'no service calls another one' : 'nothing is left of it';
}

function exchangesBody(screen: Screen, page: Page, { brush, place, room }: BodyContext): Drawing {
  const rows = exchangeRows(screen.exchanges, place);
  const marker = page.keys ? 2 : 0;
  const table = exchangeTable(page.columns - marker);
  const shown = rows.length > room ? Math.max(1, room - 1) : room;
  const visible = visibleLines(rows, { place, page, room: shown });
  const text = [
    brush.line(' '.repeat(marker) + table.head, 'dim'),
    ...visible.lines.map(({ exchange }, index) => {
      const line = table.line(exchange);
      return visible.selected === index
        ? brush.line(`> ${line}`, 'selected')
        : brush.line(' '.repeat(marker) + line, exchange.error === null ? 'plain' : 'red');
    }),
  ];
  if (rows.length === 0) {
    text.push(brush.line('waiting for the next exchange…', 'dim'));
  }
  return {
    text: visible.position === '' ? text : [...text, brush.line(`… ${visible.position}`, 'dim')],
    lines: rows,
    room: shown,
  };
}

function detailBody(exchange: ExchangeLine, page: Page, { brush, place, room }: BodyContext): Drawing {
  const marker = page.keys ? 2 : 0;
  const rows = exchangeDetail(exchange, page.columns - marker).map((text, index) => ({
    key: String(index),
    opens: undefined,
    text,
  }));
  const shown = rows.length > room ? Math.max(1, room - 1) : room;
  const visible = visibleLines(rows, { place, page, room: shown });
  const text = visible.lines.map((row, index) =>
    visible.selected === index ? brush.line(`> ${row.text}`, 'selected') : brush.line(' '.repeat(marker) + row.text),
  );
  return {
    text: ['', ...text, ...(visible.position === '' ? [] : [brush.line(`… ${visible.position}`, 'dim')])],
    lines: rows,
    room: shown,
  };
}

/** The part of the lines around the selected one that there is room for. */
function visibleLines<T extends Selectable>(
  lines: readonly T[],
  { place, page, room }: { readonly place: Place; readonly page: Page; readonly room: number },
): { readonly lines: readonly T[]; readonly selected: number; readonly position: string } {
  const index = page.keys ? selectedIndex(place, lines) : -1;
  const first = Math.max(0, Math.min(lines.length - room, index - Math.floor(room / 2)));
  if (lines.length <= room) {
    return { lines, selected: index, position: '' };
  }
  const last = Math.min(lines.length, first + room);
  return {
    lines: lines.slice(first, last),
    selected: index - first,
    position: `${first + 1} to ${last} of ${lines.length}`,
  };
}

function titleLine({ title, state }: Screen): string {
  return state.paused ? `PAUSED   ${title}` : title;
}

/** Where one is, and the filter; nothing at the beginning. */
function crumbs(state: ViewState): string[] {
  const names = state.places.flatMap(({ subject }): string[] => {
    switch (subject.kind) {
      case 'service':
        return [`${subject.service} ${subject.role}`];
      case 'exchanges':
        return [`last exchanges of ${subject.title}`];
      case 'exchange':
        return ['one exchange'];
      default:
        return [];
    }
  });
  const { filter } = shownPlace(state);
  const filtered = state.typing ? [`/${filter}_`] : filter === '' ? [] : [`/${filter}`];
  const parts = [...names.slice(-1), ...filtered];
  return parts.length === 0 ? [] : [safeText(parts.join('   '))];
}

function footOf(screen: Screen, page: Page, brush: Brush): string[] {
  const losses = lossLines(screen).map(({ text, lost }) => brush.line(text, lost ? 'red' : 'plain'));
  const problem = screen.problem === undefined ? [] : [brush.line(safeText(screen.problem), 'red')];
  const cost = screen.cost === null ? [] : [brush.line(costLine(screen.cost), 'dim')];
  const notes = screen.notes.map((note) => brush.line(safeText(note), 'dim'));
  const keys = page.keys ? [brush.line(hints(screen.state), 'dim')] : [];
  const small = page.rows < 16;
  return small ? [...problem, ...losses.slice(0, 1), ...keys] : ['', ...problem, ...losses, ...cost, ...notes, ...keys];
}

/** `nothing lost; …`, or what was lost where and why. */
function lossLines({ stages, picture }: Screen): { text: string; lost: boolean }[] {
  const lost = stages.flatMap(({ stage, dropped }) => {
    const reasons = Object.entries(dropped).filter(([, number]) => number > 0);
    return reasons.length === 0
      ? []
      : [`${stage} ${reasons.map(([reason, number]) => `${number} ${reason}`).join(', ')}`];
  });
  if (stages.length === 0) {
    return [];
  }
  const complete = `last window complete to ${formatCompleteness(picture.completeness)}`;
  return lost.length === 0
    ? [{ text: `nothing lost; ${complete}`, lost: false }]
    : [
        { text: `lost since the start: ${safeText(lost.join('; '))}`, lost: true },
        { text: complete, lost: false },
      ];
}

function costLine(cost: NonNullable<Screen['cost']>): string {
  const kernel = cost.kernelRatio === null ? '' : `, ${formatPercent(cost.kernelRatio)} in the kernel`;
  return `sonde takes ${formatPercent(cost.cpuRatio)} of a core${kernel}, ${formatBytes(cost.rssBytes)} of memory`;
}
