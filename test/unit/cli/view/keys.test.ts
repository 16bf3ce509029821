import { describe, expect, test } from 'vitest';
import { decodeKeys } from '../../../../src/cli/view/keys.ts';
import { placeOf, press, selectedIndex, shownPlace, START } from '../../../../src/cli/view/state.ts';
import type { Selectable, ViewState } from '../../../../src/cli/view/state.ts';

describe('keys', () => {
  test.each([
    ['\u001b[A\u001b[B', ['up', 'down']],
    ['\u001bOA\u001bOH', ['up', 'home']],
    ['\u001b[5~\u001b[6~', ['page-up', 'page-down']],
    ['\r', ['enter']],
    ['\u001b', ['escape']],
    ['\u007f', ['backspace']],
    ['\u0003', ['interrupt']],
    ['/aé服', ['/', 'a', 'é', '服']],
    // Keys that mean nothing here, and what else a terminal may send.
    ['\u001b[15~\u001b[1;5C\u0001\u001b[200~x', ['x']],
  ])('%j', (text, keys) => {
    expect(decodeKeys(text)).toEqual(keys);
  });
});

const lines: Selectable[] = Array.from({ length: 30 }, (_, index) => ({
  key: `k${index}`,
  opens: index === 29 ? undefined : { kind: 'service', service: `s${index}`, role: 'server' },
}));

function after(keys: readonly string[], state: ViewState = START): ViewState {
  return keys.reduce((current, key) => press(current, key, { lines, room: 10 }), state);
}

const index = (state: ViewState) => selectedIndex(shownPlace(state), lines);

describe('moving', () => {
  test.each([
    [['down', 'down', 'up'], 1],
    [['up'], 0],
    [['page-down'], 9],
    [['G'], 29],
    [['end', 'down'], 29],
    [['end', 'home'], 0],
    [['j', 'j', 'k'], 1],
  ])('%j leads to line %i', (keys, expected) => {
    expect(index(after(keys))).toBe(expected);
  });

  test('stays with its line when the order changes, but at the top stays at the top', () => {
    const reversed = lines.toReversed();
    expect(selectedIndex(shownPlace(after(['down', 'down'])), reversed)).toBe(27);
    expect(selectedIndex(shownPlace(START), reversed)).toBe(0);
    expect(selectedIndex(shownPlace(after(['down', 'up'])), reversed)).toBe(0);
  });

  test('a line that has gone leaves its place to the next, and an empty list is no trouble', () => {
    const state = after(['down', 'down']);
    expect(selectedIndex(shownPlace(state), lines.slice(3))).toBe(2);
    expect(selectedIndex(shownPlace(state), [])).toBe(0);
    expect(press(state, 'down', { lines: [], room: 10 })).toEqual(state);
    expect(press(state, 'enter', { lines: [], room: 10 })).toEqual(state);
  });
});

describe('opening', () => {
  test('Enter opens the selected line, Escape leads back to it', () => {
    const opened = after(['down', 'down', 'enter']);
    expect(shownPlace(opened).subject).toEqual({ kind: 'service', service: 's2', role: 'server' });
    expect(index(after(['escape'], opened))).toBe(2);
    expect(after(['left'], opened).places).toHaveLength(1);
  });

  test('what opens nothing stays, and the first place has none before it', () => {
    expect(after(['end', 'enter']).places).toHaveLength(1);
    expect(after(['escape', 'left', 'backspace'])).toEqual(START);
  });

  test('Tab goes between services and peers, from wherever one is', () => {
    expect(shownPlace(after(['tab'])).subject.kind).toBe('peers');
    expect(shownPlace(after(['tab', 'tab'])).subject.kind).toBe('services');
    expect(after(['enter', 'tab']).places).toEqual([placeOf({ kind: 'peers' })]);
  });
});

describe('filtering', () => {
  test('what is typed narrows at once; Enter keeps it, Escape drops it', () => {
    const typing = after(['/', 'q', '?', 'é', 'backspace']);
    expect(shownPlace(typing).filter).toBe('q?');
    expect(typing).toMatchObject({ typing: true, ended: false, help: false });
    expect(after(['enter'], typing)).toMatchObject({ typing: false });
    expect(shownPlace(after(['enter'], typing)).filter).toBe('q?');
    expect(shownPlace(after(['escape'], typing)).filter).toBe('');
    // Kept, Escape drops it before it leads back.
    expect(shownPlace(after(['enter', 'escape'], typing)).filter).toBe('');
  });

  test('it is bounded, and ends when everything is rubbed out', () => {
    expect(shownPlace(after(['/', ...Array.from({ length: 500 }, () => 'x')])).filter).toHaveLength(100);
    expect(after(['/', 'x', 'backspace', 'backspace']).typing).toBe(false);
  });

  test('belongs to its place', () => {
    const state = after(['/', 'a', 'enter', 'enter']);
    expect(shownPlace(state).filter).toBe('');
    expect(shownPlace(after(['left'], state)).filter).toBe('a');
  });
});

test('s and S go through the columns, r turns the order round', () => {
  expect(after(['s']).order.column).toBe('errors');
  expect(after(['s', 'S', 'S']).order.column).toBe('total');
  expect(after(['r']).order).toEqual({ column: 'rate', ascending: true });
});

test('q and Ctrl-C end, Ctrl-C whatever is going on', () => {
  expect(after(['q']).ended).toBe(true);
  expect(after(['/', 'interrupt']).ended).toBe(true);
  expect(after(['?', 'interrupt']).ended).toBe(true);
  expect(after(['?', 'x'])).toMatchObject({ help: false, ended: false });
  expect(after([' ']).paused).toBe(true);
});
