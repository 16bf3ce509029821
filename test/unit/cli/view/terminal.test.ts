import { PassThrough } from 'node:stream';
import type { ReadStream } from 'node:tty';
import { expect, test } from 'vitest';
import { openTerminal } from '../../../../src/cli/view/terminal.ts';

/** Streams as of a terminal of 10 x 3, and what happened to them. */
function streams(isTTY: boolean) {
  const modes: boolean[] = [];
  const output = Object.assign(new PassThrough(), { isTTY, columns: 10, rows: 3 });
  const input = Object.assign(new PassThrough(), {
    isTTY,
    setRawMode(raw: boolean) {
      modes.push(raw);
      return input;
    },
  });
  const written = () => String(output.read() ?? '');
  return {
    modes,
    input,
    output,
    written,
    streams: { output: output as unknown as NodeJS.WriteStream, input: input as unknown as ReadStream },
  };
}

test('a line that fills the page keeps its last character', () => {
  const { written, streams: both } = streams(true);
  const terminal = openTerminal(both, {});
  terminal.show(['0123456789', 'b', 'c']);
  expect(written()).toContain('\u001b[K0123456789\r\n\u001b[Kb\r\n\u001b[Kc');
  terminal.show(['a']);
  expect(written()).toBe('\u001b[H\u001b[Ka\r\n\u001b[J');
});

test('keys are read one by one until it is given back', () => {
  const { modes, input, output, written, streams: both } = streams(true);
  const terminal = openTerminal(both, {});
  const keys: string[] = [];
  let resized = 0;
  terminal.listen(
    (key) => keys.push(key),
    () => {
      resized += 1;
    },
  );
  input.emit('data', Buffer.from('q\u001b[A'));
  output.emit('resize');
  terminal.show(['x']);
  written();
  terminal.close(['last']);
  expect(written()).toBe('\u001b[?7h\u001b[?25h\u001b[?1049llast\n');
  input.emit('data', Buffer.from('z'));
  output.emit('resize');
  expect({ keys, resized, modes }).toEqual({ keys: ['q', 'up'], resized: 1, modes: [true, false] });
});

test.each([
  [true, { TERM: 'dumb' }, { inPlace: false, colour: false, keys: false }],
  [true, { TERM: 'xterm', NO_COLOR: '1' }, { inPlace: true, colour: false, keys: true }],
  [true, { TERM: 'xterm' }, { inPlace: true, colour: true, keys: true }],
  [false, { TERM: 'xterm' }, { inPlace: false, colour: false, keys: false }],
])('terminal %s with %j', (isTTY, environment, expected) => {
  const { streams: both, written } = streams(isTTY);
  const terminal = openTerminal(both, environment);
  expect(terminal).toMatchObject(expected);
  terminal.show(['a', 'b']);
  expect(written().includes('\u001b')).toBe(expected.inPlace);
});
