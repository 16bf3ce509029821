import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStandardOutput } from '../../../../src/exporter/stdout/standard-output.ts';

let folder: string;
let pipe: string;
const open: number[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sonde-pipe-'));
  pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
});
afterEach(() => {
  for (const fd of open.splice(0)) closeSync(fd);
  rmSync(folder, { recursive: true });
});

function openEnds() {
  const read = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
  const write = openSync(pipe, constants.O_WRONLY);
  open.push(read, write);
  return { read, write };
}

describe('openStandardOutput', () => {
  it('goes on while nobody reads the pipe, and is told when somebody did', async () => {
    const { read, write } = openEnds();
    const output = openStandardOutput({ fd: write });
    const size = 1024 * 1024;
    let taken = false;
    // A write that blocked would end this test here.
    output.write('x'.repeat(size), () => (taken = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(taken).toBe(false);
    const buffer = Buffer.alloc(64 * 1024);
    let total = 0;
    while (total < size) {
      try {
        total += readSync(read, buffer);
      } catch (error) {
        expect((error as NodeJS.ErrnoException).code).toBe('EAGAIN');
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(total).toBe(size);
    output.destroy();
    await once(output, 'close');
    expect(taken).toBe(true);
  });

  it('fails with EPIPE when the reader has gone', async () => {
    const { read, write } = openEnds();
    const output = openStandardOutput({ fd: write });
    open.splice(open.indexOf(read), 1);
    closeSync(read);
    const failed = once(output, 'error');
    output.write('x');
    expect(((await failed) as [NodeJS.ErrnoException])[0].code).toBe('EPIPE');
  });

  it('leaves files to what writes them already', () => {
    const file = openSync(join(folder, 'file'), 'w');
    open.push(file);
    const otherwise = new PassThrough();
    expect(openStandardOutput({ fd: file, otherwise })).toBe(otherwise);
  });
});
