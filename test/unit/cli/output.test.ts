import { PassThrough, Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { createOutput } from '../../../src/cli/output.ts';

test('a slow reader slows the writer', async () => {
  const stream = new PassThrough({ highWaterMark: 4 });
  const output = createOutput(stream);
  const writing = output.write('12345678');
  const soon = new Promise((resolve) => {
    setImmediate(resolve, 'still waiting');
  });
  expect(await Promise.race([writing, soon])).toBe('still waiting');
  stream.resume();
  await writing;
  await output.end();
  expect(output.closed).toBe(false);
});

function failing(code: string): Writable {
  return new Writable({
    write(_chunk, _encoding, done) {
      done(Object.assign(new Error('write failed'), { code }));
    },
  });
}

test('a reader that has gone is no error, and nothing more is written', async () => {
  const output = createOutput(failing('EPIPE'));
  await output.write('text');
  await new Promise(setImmediate);
  expect(output.closed).toBe(true);
  await output.write('more');
  await output.end();
});

test('a full disk is an error', async () => {
  const output = createOutput(failing('ENOSPC'));
  const writing = output.write('text').then(() => new Promise(setImmediate));
  await expect(writing.then(() => output.write('more'))).rejects.toMatchObject({
    code: 'SONDE_FILE_TAKEN',
    exitCode: 4,
  });
});
