import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import { openProducer, put } from './producer.ts';

const CHILD = new URL('children/probe.mjs', import.meta.url).pathname;

let child: ChildProcess | undefined;

afterEach(() => {
  child?.kill('SIGKILL');
  child = undefined;
});

interface Running {
  readonly child: ChildProcess;
  /** The next line, parsed. */
  readonly line: () => Promise<number[]>;
  readonly exited: Promise<{ code: number | null; signal: string | null; stderr: string }>;
}

function run(way: string): Running {
  const started = spawn(process.execPath, ['--expose-gc', CHILD, way], { stdio: ['pipe', 'pipe', 'pipe'] });
  child = started;
  let stderr = '';
  started.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const lines = createInterface(started.stdout)[Symbol.asyncIterator]();
  const exited = once(started, 'close').then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as string | null,
    stderr,
  }));
  return {
    child: started,
    exited,
    async line() {
      const next = await lines.next();
      if (next.done === true) throw new Error(`the child ended: ${(await exited).stderr}`);
      return JSON.parse(next.value) as number[];
    },
  };
}

/** Ids of all programs in the kernel. */
function loadedPrograms(): Set<number> {
  const env = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin` };
  const list = JSON.parse(execFileSync('bpftool', ['prog', 'list', '-j'], { encoding: 'utf8', env })) as {
    id: number;
  }[];
  return new Set(list.map(({ id }) => id));
}

const left = (ids: readonly number[]): number[] => {
  const loaded = loadedPrograms();
  return ids.filter((id) => loaded.has(id));
};

/** The kernel frees programs a grace period after the last reference. */
const gone = (ids: readonly number[]) => expect.poll(() => left(ids), { timeout: 10_000 }).toEqual([]);

describe('close', () => {
  it('may be called twice, and everything else then says so', () => {
    const probe = openProducer();
    const { policies } = probe;
    const ids = probe.programs().map(({ id }) => id);
    expect(left(ids)).toEqual(ids);
    expect(probe.closed).toBe(false);
    probe.close();
    probe.close();
    expect(probe.closed).toBe(true);
    const closed = expect.objectContaining({ code: 'ERR_SONDE_CLOSED' }) as Error;
    for (const use of [
      () => probe.attach('put_records'),
      () => probe.detach(),
      () => probe.attached(),
      () => probe.drain(new ArrayBuffer(8192), true),
      () => probe.pending(),
      () => probe.counters(),
      () => probe.ringUse(),
      () => probe.watch(() => {}),
      () => probe.arm(1, 1),
      () => probe.sweep('put_records'),
      () => put(probe),
      () => probe.mapUpdate('pairs', new Uint8Array(4), new Uint8Array(8)),
      () => probe.mapDelete('pairs', new Uint8Array(4)),
      () => probe.mapLookup('pairs', new Uint8Array(4)),
      () => probe.mapBytes(),
      () => probe.programs(),
      () => probe.policies,
    ]) {
      expect(use).toThrow(closed);
    }
    expect(policies.length).toBe(0);
    policies[0] = 1;
    expect(policies[0]).toBeUndefined();
  });

  it('frees what the kernel held', async () => {
    const probe = openProducer();
    const ids = probe.programs().map(({ id }) => id);
    expect(left(ids)).toEqual(ids);
    probe.close();
    await gone(ids);
  });

  it('does not let the memory of the policies be given away', () => {
    const probe = openProducer();
    const buffer = probe.policies.buffer as ArrayBuffer;
    // Refused or done with a copy, as Node likes: the memory stays where it is.
    const moved = attempt(() => structuredClone(buffer, { transfer: [buffer] }));
    expect(probe.policies.length).toBeGreaterThan(0);
    probe.policies[0] = 5;
    expect(moved === undefined ? 0 : new Uint32Array(moved)[0]).toBe(0);
    probe.close();
    expect(probe.closed).toBe(true);
  });
});

function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}

describe('a process that leaves a probe open', () => {
  it.each([
    ['ends', 'end', 0],
    ['calls process.exit while it drains', 'exit', 0],
    ['throws', 'throw', 1],
  ])('leaves nothing behind when it %s', async (_, way, expected) => {
    const { line, exited } = run(way);
    const ids = await line();
    const { code, signal } = await exited;
    expect([code, signal]).toEqual([expected, null]);
    await gone(ids);
  });

  it.each(['SIGTERM', 'SIGKILL', 'SIGINT'] as const)('leaves nothing behind after %s', async (name) => {
    const { child, line, exited } = run('wait');
    const ids = await line();
    expect(left(ids)).toEqual(ids);
    child.kill(name);
    expect((await exited).signal).toBe(name);
    await gone(ids);
  });

  it('frees a probe that the garbage collector takes', async () => {
    const { child, line, exited } = run('gc');
    const ids = await line();
    expect(ids).toHaveLength(15);
    expect(await line()).toBe(10);
    await gone(ids);
    child.stdin?.write('\n');
    expect((await exited).code).toBe(0);
  });

  it('frees the probe of a worker that is terminated while it drains', async () => {
    const { child, line, exited } = run('terminate');
    const ids: number[] = [];
    for (let i = 0; i < 5; i++) ids.push(...(await line()));
    expect(ids).toHaveLength(15);
    await gone(ids);
    child.stdin?.write('\n');
    expect((await exited).code).toBe(0);
  });

  it('may exit while its workers drain', async () => {
    const { line, exited } = run('exitWithWorkers');
    const ids = [...(await line()), ...(await line()), ...(await line())];
    const { code, signal, stderr } = await exited;
    expect([code, signal, stderr]).toEqual([0, null, '']);
    await gone(ids);
  });
});
