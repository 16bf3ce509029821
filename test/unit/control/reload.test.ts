import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfiguration } from '../../../src/config/load.ts';
import { effectiveSettings } from '../../../src/config/render/effective.ts';
import { createReloader } from '../../../src/control/reload.ts';
import type { Applier } from '../../../src/control/reload.ts';
import type { ReloadStatus } from '../../../src/control/status.ts';
import { readTokenText } from '../../../src/control/token.ts';
import { watchConfiguration } from '../../../src/control/watch-configuration.ts';
import { watchForChange } from '../../../src/control/watch-file.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sonde-reload-'));
  file = join(folder, 'sonde.yaml');
});
afterEach(() => rmSync(folder, { recursive: true }));

function scene(appliers: readonly Applier[], text = 'log: {level: info}\n') {
  writeFileSync(file, text);
  const told: ReloadStatus[] = [];
  const load = () => loadConfiguration({ file, environment: {} });
  const reloader = createReloader({ initial: load(), load, appliers, onReload: (status) => told.push(status) });
  return { reloader, told, write: (next: string) => writeFileSync(file, next) };
}

describe('a reload', () => {
  it('applies what can change, and names what waits for a restart and still holds', async () => {
    const levels: string[] = [];
    const { reloader, told, write } = scene([
      { keys: ['log.level'], apply: ({ log }) => void levels.push(log.level) },
      { keys: ['exporters.'], apply: () => expect.fail('nothing of it has changed') },
    ]);
    write('log: {level: debug}\ncapture: {ring_bytes: 8MiB, udp: false}\n');
    expect(await reloader.reload('SIGHUP')).toMatchObject({
      cause: 'SIGHUP',
      result: 'applied',
      applied: ['log.level'],
      restart: ['capture.ring_bytes'],
      error: null,
    });
    expect(levels).toEqual(['debug']);
    expect(told).toEqual([reloader.last()]);
    const { configuration } = reloader.current();
    expect([configuration.log.level, configuration.capture.ring_bytes]).toEqual(['debug', 4 << 20]);
    const settings = effectiveSettings(reloader.current());
    expect(settings['log.level']).toEqual({ value: 'debug', origin: `${file}:1:14` });
    expect(settings['capture.ring_bytes']).toEqual({ value: '4MiB', origin: 'default' });
  });

  it('that is wrong leaves everything as it was, and says where', async () => {
    const { reloader, write } = scene([{ keys: ['log.level'], apply: () => expect.fail('it is wrong') }]);
    const before = reloader.current();
    write('log:\n  level: debgu\n');
    const status = await reloader.reload('file');
    expect(status.result).toBe('refused');
    expect(status.error).toContain(`${file}:2:10: log.level: "debgu" is not allowed here; did you mean debug?`);
    expect(reloader.current()).toBe(before);
    rmSync(file);
    expect(await reloader.reload('file')).toMatchObject({
      result: 'refused',
      error: expect.stringContaining('does not exist') as string,
    });
  });

  it('whose values a part refuses keeps the old ones, and says why', async () => {
    const refuse = (): never => {
      throw new Error('not here');
    };
    const { reloader, write } = scene([{ keys: ['log.level'], apply: refuse }]);
    write('log: {level: warn}\n');
    expect(await reloader.reload('file')).toMatchObject({ applied: [], restart: ['log.level'], error: 'not here' });
    expect(reloader.current().configuration.log.level).toBe('info');
  });

  it('without a change says so', async () => {
    const { reloader } = scene([]);
    expect(await reloader.reload('SIGHUP')).toMatchObject({ result: 'unchanged', applied: [], restart: [] });
  });

  it('waits for the one before', async () => {
    const order: string[] = [];
    const { reloader, write } = scene([
      {
        keys: ['log.level'],
        async apply({ log }) {
          order.push(`begin ${log.level}`);
          await new Promise((resolve) => setImmediate(resolve));
          order.push(`end ${log.level}`);
        },
      },
    ]);
    write('log: {level: warn}\n');
    const first = reloader.reload('a');
    await expect.poll(() => order.length).toBeGreaterThan(0);
    write('log: {level: error}\n');
    await Promise.all([first, reloader.reload('b')]);
    expect(order).toEqual(['begin warn', 'end warn', 'begin error', 'end error']);
  });

  it('applies what a key names, too, though the key itself is what it was', async () => {
    const first = join(folder, 'token');
    writeFileSync(first, 'the-token-at-first');
    let token = readTokenText(first);
    const applied: string[][] = [];
    const { reloader, told } = scene(
      [
        {
          keys: ['control.token_file'],
          stale: ({ control }) => (readTokenText(control.token_file ?? '') === token ? [] : ['control.token_file']),
          apply: ({ control }, changed) => {
            token = readTokenText(control.token_file ?? '');
            applied.push([...changed]);
          },
        },
      ],
      `control: {token_file: ${first}}\n`,
    );
    expect(await reloader.reload('SIGHUP')).toMatchObject({ result: 'unchanged', applied: [] });
    writeFileSync(first, 'the-token-after-that');
    expect(await reloader.reload('SIGHUP')).toMatchObject({
      result: 'applied',
      applied: ['control.token_file'],
      restart: [],
    });
    expect([token, applied]).toEqual(['the-token-after-that', [['control.token_file']]]);
    rmSync(first);
    expect(await reloader.reload('SIGHUP')).toMatchObject({
      applied: [],
      error: expect.stringContaining('cannot be read (ENOENT)') as string,
    });
    expect([token, told.length]).toEqual(['the-token-after-that', 3]);
  });

  it('follows the configuration and the token file that it names by then', async () => {
    const names = ['one', 'two'].map((name) => join(folder, name));
    const [one = '', two = ''] = names;
    for (const name of names) writeFileSync(name, 'a token of some kind');
    const { reloader, told, write } = scene(
      [{ keys: ['control.token_file'], apply: () => undefined }],
      `control: {token_file: ${one}}\n`,
    );
    const watch = watchConfiguration({ reloader, intervalMs: 20, quietMs: 10 });
    try {
      writeFileSync(one, 'b');
      await expect.poll(() => told.length, { timeout: 10_000 }).toBe(1);
      write(`control: {token_file: ${two}}\n`);
      await expect.poll(() => told.length, { timeout: 10_000 }).toBe(2);
      watch.follow();
      writeFileSync(one, 'cc');
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(told).toHaveLength(2);
      writeFileSync(two, 'ddd');
      await expect.poll(() => told.length, { timeout: 10_000 }).toBe(3);
      expect(told.map(({ cause, applied }) => [cause, applied])).toEqual([
        ['file', []],
        ['file', ['control.token_file']],
        ['file', []],
      ]);
    } finally {
      watch.stop();
    }
  });

  it('never shows a secret', () => {
    const secret = 'correct-horse-battery';
    writeFileSync(file, `control: {token: ${secret}}\n`);
    const settings = effectiveSettings(loadConfiguration({ file, environment: {} }));
    expect(settings['control.token']?.value).toBe('***');
    expect(JSON.stringify(settings)).not.toContain(secret);
  });
});

describe('a watched file', () => {
  function watch() {
    const seen = { changes: 0 };
    const stop = watchForChange({ file, onChange: () => (seen.changes += 1), intervalMs: 20, quietMs: 10 });
    return { seen, stop };
  }

  it('is reported when its content changes, and not when it is written as it was', async () => {
    writeFileSync(file, 'a');
    const { seen, stop } = watch();
    try {
      writeFileSync(file, 'b: 1');
      await expect.poll(() => seen.changes).toBe(1);
      writeFileSync(file, 'b: 1');
      writeFileSync(join(folder, 'other'), 'x');
      renameSync(join(folder, 'other'), file);
      await expect.poll(() => seen.changes).toBe(2);
    } finally {
      stop();
    }
  });

  it('may be reached through links that are exchanged, as in a ConfigMap', async () => {
    for (const [name, text] of [
      ['..one', 'a: 1'],
      ['..two', 'a: 22'],
    ] as const) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, 'sonde.yaml'), text);
    }
    symlinkSync('..one', join(folder, '..data'));
    symlinkSync('..data/sonde.yaml', file);
    const { seen, stop } = watch();
    try {
      symlinkSync('..two', join(folder, '..data_tmp'));
      renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
      await expect.poll(() => seen.changes).toBe(1);
    } finally {
      stop();
    }
  });

  it('may vanish and come back', async () => {
    writeFileSync(file, 'a');
    const { seen, stop } = watch();
    try {
      rmSync(file);
      writeFileSync(file, 'bb');
      await expect.poll(() => seen.changes).toBe(1);
    } finally {
      stop();
    }
  });
});
