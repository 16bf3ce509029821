import type { ExchangeSubject } from '../../control/exchange-subject.ts';
import { neighbour } from './columns.ts';
import type { Order } from './columns.ts';
import type { Key } from './keys.ts';
import type { ExchangeLine } from '../../model/exchange-line.ts';

/** What one level of the view is about. */
export type Subject =
  | { readonly kind: 'services' }
  | { readonly kind: 'peers' }
  | { readonly kind: 'service'; readonly service: string; readonly role: string }
  | { readonly kind: 'exchanges'; readonly query: ExchangeSubject; readonly title: string }
  | { readonly kind: 'exchange'; readonly exchange: ExchangeLine };

/** A level, and where one is in it. */
export interface Place {
  readonly subject: Subject;
  /** The selected line: by its key as long as there is one, else by its number. */
  readonly selected: { readonly key: string | undefined; readonly index: number };
  /** Lines that do not hold this text are not shown. */
  readonly filter: string;
}

/** What the person at the terminal has chosen. */
export interface ViewState {
  /** The way that led here; the last one is shown. Never empty. */
  readonly places: readonly Place[];
  readonly order: Order;
  /** The filter is being typed. */
  readonly typing: boolean;
  readonly help: boolean;
  readonly paused: boolean;
  readonly ended: boolean;
}

/** A line that can be selected. */
export interface Selectable {
  readonly key: string;
  /** What opens from here. */
  readonly opens: Subject | undefined;
}

export const START: ViewState = {
  places: [placeOf({ kind: 'services' })],
  order: { column: 'rate', ascending: false },
  typing: false,
  help: false,
  paused: false,
  ended: false,
};

const MAX_FILTER = 100;

export function placeOf(subject: Subject): Place {
  return { subject, selected: { key: undefined, index: 0 }, filter: '' };
}

/** The place that is shown. */
export function shownPlace(state: ViewState): Place {
  return state.places.at(-1) ?? START.places[0];
}

/** The number of the selected line; 0 if there are none. */
export function selectedIndex({ selected }: Place, lines: readonly Selectable[]): number {
  const found = selected.key === undefined ? -1 : lines.findIndex(({ key }) => key === selected.key);
  return found >= 0 ? found : Math.max(0, Math.min(selected.index, lines.length - 1));
}

export interface PressContext {
  /** The lines of the place that is shown. */
  readonly lines: readonly Selectable[];
  /** How many of them the page has room for. */
  readonly room: number;
}

/** What a key makes of the state. */
export function press(state: ViewState, key: Key, context: PressContext): ViewState {
  if (key === 'interrupt') {
    return { ...state, ended: true };
  }
  if (state.help) {
    return key === 'q' ? { ...state, ended: true } : { ...state, help: false };
  }
  return state.typing ? type(state, key) : command(state, key, context);
}

function type(state: ViewState, key: Key): ViewState {
  const { filter } = shownPlace(state);
  switch (key) {
    case 'enter':
      return { ...state, typing: false };
    case 'escape':
      return { ...change(state, { filter: '' }), typing: false };
    case 'backspace':
      return filter === ''
        ? { ...state, typing: false }
        : change(state, { filter: Array.from(filter).slice(0, -1).join('') });
    default:
      return Array.from(key).length === 1 && filter.length < MAX_FILTER
        ? change(state, { filter: filter + key })
        : state;
  }
}

function command(state: ViewState, key: Key, context: PressContext): ViewState {
  const { order } = state;
  switch (key) {
    case 'q':
      return { ...state, ended: true };
    case '?':
    case 'h':
      return { ...state, help: true };
    case ' ':
      return { ...state, paused: !state.paused };
    case '/':
      return { ...state, typing: true };
    case 's':
      return { ...state, order: { ...order, column: neighbour(order.column, 1) } };
    case 'S':
      return { ...state, order: { ...order, column: neighbour(order.column, -1) } };
    case 'r':
      return { ...state, order: { ...order, ascending: !order.ascending } };
    case 'tab':
      return switchList(state);
    case 'enter':
    case 'right':
      return open(state, context.lines);
    case 'escape':
      return shownPlace(state).filter === '' ? back(state) : change(state, { filter: '' });
    case 'left':
    case 'backspace':
      return back(state);
    default:
      return move(state, key, context);
  }
}

function move(state: ViewState, key: Key, { lines, room }: PressContext): ViewState {
  const index = selectedIndex(shownPlace(state), lines);
  const page = Math.max(1, room - 1);
  const steps: Readonly<Record<Key, number>> = {
    up: -1,
    k: -1,
    down: 1,
    j: 1,
    'page-up': -page,
    'page-down': page,
    home: -lines.length,
    g: -lines.length,
    end: lines.length,
    G: lines.length,
  };
  const step = steps[key];
  if (step === undefined || lines.length === 0) {
    return state;
  }
  const next = Math.max(0, Math.min(lines.length - 1, index + step));
  // At the top it stays at the top, whatever is there.
  return change(state, { selected: { key: next === 0 ? undefined : lines[next].key, index: next } });
}

/** Services and peers are two lists at the same level. */
function switchList(state: ViewState): ViewState {
  const { kind } = state.places[0].subject;
  return { ...state, places: [placeOf({ kind: kind === 'services' ? 'peers' : 'services' })] };
}

function open(state: ViewState, lines: readonly Selectable[]): ViewState {
  const index = selectedIndex(shownPlace(state), lines);
  const line = lines[index];
  if (line?.opens === undefined) {
    return state;
  }
  const here = change(state, { selected: { key: line.key, index } });
  return { ...here, places: [...here.places, placeOf(line.opens)] };
}

function back(state: ViewState): ViewState {
  return state.places.length > 1 ? { ...state, places: state.places.slice(0, -1) } : state;
}

function change(state: ViewState, changed: Partial<Place>): ViewState {
  return { ...state, places: [...state.places.slice(0, -1), { ...shownPlace(state), ...changed }] };
}
