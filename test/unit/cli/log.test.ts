import { expect, test } from 'vitest';
import { createLog, prettyLine } from '../../../src/cli/log.ts';
import { createRecentLines } from '../../../src/cli/recent-lines.ts';

function logged(pretty: boolean): { text: string; log: ReturnType<typeof createLog> } {
  const state = { text: '' };
  const log = createLog({
    level: 'info',
    pretty,
    sink: {
      write: (text) => {
        state.text += text;
      },
    },
  });
  return Object.assign(state, { log });
}

test('the log is one JSON object a line', () => {
  const state = logged(false);
  state.log.debug('not this');
  state.log.warn({ port: 80 }, 'taken');
  expect(state.text.split('\n')).toHaveLength(2);
  const entry = JSON.parse(state.text) as Record<string, unknown>;
  expect(entry).toMatchObject({ level: 40, port: 80, msg: 'taken' });
  expect(new Date(entry['time'] as string).getTime()).toBeGreaterThan(0);
});

test('where a person reads it, it is one line of text', () => {
  const state = logged(true);
  state.log.error({ err: new Error('broken'), component: 'control' }, 'did not stop');
  expect(state.text).toMatch(/^\d\d:\d\d:\d\d error did not stop broken component=control\n$/);
  expect(prettyLine('{"level":30,"time":"2026-01-01T12:00:00.000Z"}')).toBe('12:00:00 info');
});

test('while the view is shown, only the last lines are kept, and written when it ends', () => {
  let written = '';
  const lines = createRecentLines((text) => {
    written += text;
  });
  lines.write('before\n');
  lines.hold(true);
  for (const text of ['one', 'two', 'three', 'four']) {
    lines.write(`${text}\n`);
  }
  expect(written).toBe('before\n');
  expect(lines.lines()).toEqual(['two', 'three', 'four']);
  lines.hold(false);
  expect(written).toBe('before\ntwo\nthree\nfour\n');
  expect(lines.lines()).toEqual([]);
});
