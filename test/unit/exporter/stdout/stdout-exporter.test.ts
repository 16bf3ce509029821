import { PassThrough, Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createStdoutExporter } from '../../../../src/exporter/stdout/stdout-exporter.ts';
import type { StdoutExporter, StdoutExporterOptions } from '../../../../src/exporter/stdout/stdout-exporter.ts';
import { LabelSets } from '../../../../src/model/label-sets.ts';
import { exchange } from '../../processor/exchange-fixture.ts';

/** Takes a piece only when told to. */
class Gate extends Writable {
  readonly taken: string[] = [];
  #pass: ((error?: Error) => void) | undefined;

  constructor() {
    super({ decodeStrings: false, highWaterMark: 1 });
  }

  override _write(chunk: string, _: BufferEncoding, done: (error?: Error) => void): void {
    this.taken.push(chunk);
    this.#pass = done;
  }

  get asked(): boolean {
    return this.#pass !== undefined;
  }

  pass(error?: Error): void {
    const pass = this.#pass;
    this.#pass = undefined;
    pass?.(error);
  }
}

function setUp(options: Partial<StdoutExporterOptions> & Pick<StdoutExporterOptions, 'output'>) {
  const labels = new LabelSets();
  const exporter = createStdoutExporter({ labels, wallTime: String, ...options });
  const id = labels.intern({ protocol: 'http', role: 'server' });
  const see = (count: number, from = 0) => {
    for (let i = 0; i < count; i += 1) exporter.consume(exchange({ labels: id, timestamp: from + i }));
  };
  return { exporter, see };
}

function check(exporter: StdoutExporter) {
  const count = exporter.stage.read();
  const dropped = Object.values(count.dropped).reduce((a, b) => a + b, 0);
  expect(count.produced).toBe(count.delivered + count.inFlight + dropped);
  return count;
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}

describe('createStdoutExporter', () => {
  it('writes each exchange as a line of JSON, in the order in which they came', async () => {
    const output = new PassThrough();
    let text = '';
    output.setEncoding('utf8').on('data', (part: string) => (text += part));
    const { exporter, see } = setUp({ output });
    see(1_000);
    await exporter.flush();
    expect(text.endsWith('\n')).toBe(true);
    const lines = text.trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { time: string }).time)).toEqual(
      Array.from({ length: 1_000 }, (_, i) => String(i)),
    );
    expect(check(exporter)).toMatchObject({ produced: 1_000, delivered: 1_000, inFlight: 0 });
  });

  it('holds a bounded queue for a reader who pauses, and counts what found no room', async () => {
    const output = new Gate();
    const { exporter, see } = setUp({ output, maxQueued: 10_000 });
    see(5_000);
    await until(() => output.asked);
    const paused = check(exporter);
    expect(paused.dropped.queue_full).toBeGreaterThan(4_900);
    expect(paused.inFlight).toBe(5_000 - paused.dropped.queue_full);
    // One piece is written at a time; when it was taken there is room again.
    expect(output.taken).toHaveLength(1);
    output.pass();
    await exporter.flush();
    see(1, 7_777);
    await until(() => output.asked);
    output.pass();
    await exporter.flush();
    expect(check(exporter)).toMatchObject({ inFlight: 0, delivered: paused.inFlight + 1 });
    expect(output.taken.at(-1)).toContain('"time":"7777"');
  });

  it('says once, and at once, that the reader has gone: that is no error', async () => {
    const output = new Gate();
    const errors: Error[] = [];
    let gone = 0;
    const { exporter, see } = setUp({ output, onError: (error) => errors.push(error), onReaderGone: () => gone++ });
    see(10);
    await until(() => output.asked);
    output.pass(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    await exporter.flush();
    expect(gone).toBe(1);
    see(5);
    expect(errors).toEqual([]);
    expect(gone).toBe(1);
    expect(check(exporter)).toMatchObject({ produced: 15, delivered: 0, inFlight: 0, dropped: { closed: 15 } });
    await exporter.stop();
  });

  it('tells of another failure once', async () => {
    const output = new Gate();
    const errors: Error[] = [];
    const { exporter, see } = setUp({ output, onError: (error) => errors.push(error) });
    see(1);
    await until(() => output.asked);
    output.pass(Object.assign(new Error('no space'), { code: 'ENOSPC' }));
    await exporter.flush();
    await turn();
    expect(errors.map(({ message }) => message)).toEqual(['no space']);
  });

  it('stops after a bounded time when the reader never reads', async () => {
    const output = new Gate();
    const { exporter, see } = setUp({ output, stopTimeoutMs: 20 });
    see(3);
    await exporter.stop();
    expect(check(exporter)).toMatchObject({ inFlight: 0, dropped: { timeout: 3 } });
  });

  it('writes what waits when it is stopped', async () => {
    const output = new PassThrough().resume();
    const { exporter, see } = setUp({ output });
    see(100);
    await exporter.stop();
    expect(check(exporter)).toMatchObject({ delivered: 100 });
  });

  it('passes over DataGroups of other names', () => {
    const { exporter } = setUp({ output: new PassThrough() });
    exporter.consume({ ...exchange({}), name: 'other' });
    expect(check(exporter).produced).toBe(0);
  });
});
