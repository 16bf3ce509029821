import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadAddon, type Probe } from '../../../src/receiver/kernel/addon.ts';
import { openProducer, PRODUCER, producerOptions } from './producer.ts';

const addon = loadAddon();
let probe: Probe;

beforeAll(() => {
  probe = openProducer();
});

afterAll(() => {
  probe.close();
});

/** Calls a method as JavaScript without types would. */
function call(target: object, method: string, ...args: unknown[]): () => unknown {
  return () => (target as Record<string, (...args: unknown[]) => unknown>)[method]?.(...args);
}

const misuse = (): unknown => expect.objectContaining({ code: 'ERR_SONDE_ARGUMENT', name: 'TypeError' });

const odd: [string, unknown][] = [
  ['undefined', undefined],
  ['null', null],
  ['a number', 3],
  ['NaN', Number.NaN],
  ['a symbol', Symbol('x')],
  ['a function', () => 1],
  ['an object', {}],
  ['an array', [1]],
  ['a BigInt', 7n],
];

describe('new Probe', () => {
  const make = (options: unknown) => () => new addon.Probe(options as never);

  it.each([...odd.filter(([name]) => name !== 'an object'), ['a string', 'x']])('refuses %s as options', (_, value) => {
    expect(make(value)).toThrow(misuse());
  });

  const bad: [string, Record<string, unknown>][] = [
    ['no object', { object: undefined }],
    ['an empty object path', { object: '' }],
    ['a path with NUL', { object: 'a\0b' }],
    ['a ring of no power of two', { ringBytes: 100_000 }],
    ['a ring that is too small', { ringBytes: 4096 }],
    ['a ring that is too large', { ringBytes: 2 ** 31 }],
    ['a negative ring', { ringBytes: -65_536 }],
    ['a ring that is no number', { ringBytes: '65536' }],
    ['no connections', { maxConnections: 0 }],
    ['half a connection', { maxConnections: 1.5 }],
    ['infinite connections', { maxConnections: Infinity }],
    ['programs that are no array', { programs: 'put_records' }],
    ['programs that are no strings', { programs: [1] }],
    ['a program that does not exist', { programs: ['nobody'] }],
    ['a constant that does not exist', { rodata: { nobody: 1 } }],
    ['a constant that does not fit', { rodata: { small: 256 } }],
    ['a negative value for an unsigned constant', { rodata: { small: -1 } }],
    ['a fraction for a constant', { rodata: { small: 0.5 } }],
    ['a constant that is not finite', { rodata: { small: Number.NaN } }],
    ['a constant that is a string', { rodata: { small: 'x' } }],
    ['a constant that is an array', { rodata: { text: 1 } }],
    ['constants that are no object', { rodata: 5 }],
    ['entries of a map that does not exist', { mapEntries: { nobody: 1 } }],
    ['no entries of a map', { mapEntries: { pairs: 0 } }],
    ['an origin that is no BigInt', { originNs: 5 }],
    ['a negative origin', { originNs: -1n }],
    ['an origin beyond 64 bits', { originNs: 2n ** 64n }],
  ];
  it.each(bad)('refuses %s', (_, change) => {
    const base = producerOptions();
    const rodata = 'rodata' in change ? change['rodata'] : base.rodata;
    expect(make({ ...base, ...change, rodata })).toThrow(misuse());
  });

  it('passes on what a getter of the options throws', () => {
    const options = Object.defineProperty({ ...producerOptions() }, 'ringBytes', {
      get() {
        throw new RangeError('mine');
      },
    });
    expect(make(options)).toThrow('mine');
  });

  it('is a constructor and nothing else', () => {
    expect(() => (addon.Probe as unknown as () => void)()).toThrow(Error);
    const drain = Reflect.get(probe, 'drain') as (...args: unknown[]) => unknown;
    expect(() => drain.call({}, new ArrayBuffer(8192), true)).toThrow(Error);
    expect(() => drain(new ArrayBuffer(8192), true)).toThrow(Error);
  });
});

describe('methods', () => {
  const names = ['attach', 'sweep', 'run', 'mapUpdate', 'mapDelete', 'mapLookup'];
  it.each(names.flatMap((name) => odd.map(([what, value]) => [name, what, value] as const)))(
    '%s refuses %s as a name',
    (name, _, value) => {
      expect(call(probe, name, value, new Uint8Array(4), new Uint8Array(8))).toThrow(misuse());
    },
  );

  it.each(['attach', 'detach', 'sweep', 'run', 'mapUpdate', 'mapDelete', 'mapLookup'])(
    '%s refuses an unknown name',
    (name) => {
      expect(call(probe, name, 'nobody', new Uint8Array(4), new Uint8Array(8))).toThrow(misuse());
    },
  );

  it('attach refuses a program that was not loaded', () => {
    expect(call(probe, 'attach', 'on_exec')).toThrow(misuse());
  });

  it('sweep refuses what is not an attached iterator', () => {
    expect(call(probe, 'sweep', 'put_records')).toThrow(misuse());
  });

  it.each([...odd, ['a typed array', new Uint8Array(8192)], ['a small buffer', new ArrayBuffer(64)]] as [
    string,
    unknown,
  ][])('drain refuses %s as target', (_, value) => {
    expect(call(probe, 'drain', value, true)).toThrow(misuse());
  });

  it('drain refuses a buffer that was given away', () => {
    const buffer = new ArrayBuffer(1 << 16);
    structuredClone(buffer, { transfer: [buffer] });
    expect(call(probe, 'drain', buffer, true)).toThrow(misuse());
  });

  it.each(odd)('drain refuses %s as flush', (_, value) => {
    expect(call(probe, 'drain', new ArrayBuffer(8192), value)).toThrow(misuse());
  });

  it.each(['mapUpdate', 'mapDelete', 'mapLookup'])('%s refuses a key of another size', (name) => {
    for (const size of [0, 3, 5, 1 << 20]) {
      expect(call(probe, name, 'pairs', new Uint8Array(size), new Uint8Array(8))).toThrow(misuse());
    }
    expect(call(probe, name, 'pairs', new Uint16Array(2), new Uint8Array(8))).toThrow(misuse());
  });

  it('mapUpdate refuses a value of another size', () => {
    for (const size of [0, 7, 9]) {
      expect(call(probe, 'mapUpdate', 'pairs', new Uint8Array(4), new Uint8Array(size))).toThrow(misuse());
    }
  });

  it.each(['per_cpu', 'sockets'])('maps whose values have no single size are refused (%s)', (map) => {
    expect(call(probe, 'mapLookup', map, new Uint8Array(4))).toThrow(misuse());
    expect(call(probe, 'mapUpdate', map, new Uint8Array(4), new Uint8Array(8))).toThrow(misuse());
  });

  it('run refuses an input that is no bytes', () => {
    expect(call(probe, 'run', 'read_knobs', 'x')).toThrow(misuse());
  });

  it('kernelEnum refuses what is no string', () => {
    for (const value of [undefined, 1, ['x'], {}]) expect(call(addon, 'kernelEnum', value)).toThrow(misuse());
  });

  it('kernelTypes refuses what is no array of strings', () => {
    for (const value of [undefined, 'x', [1], {}]) expect(call(addon, 'kernelTypes', value)).toThrow(misuse());
  });
});

describe('errors of loading', () => {
  it('name the file that is not there', () => {
    const open = () => openProducer({ object: '/nonexistent/x.o' });
    expect(open).toThrow(expect.objectContaining({ code: 'ERR_SONDE_LOAD' }) as Error);
    expect(open).toThrow('/nonexistent/x.o');
  });

  it('say that a file is no object', () => {
    expect(() => openProducer({ object: import.meta.filename })).toThrow(
      expect.objectContaining({ code: 'ERR_SONDE_LOAD' }) as Error,
    );
  });

  it("carry the verifier's reason", () => {
    const log: unknown = expect.stringContaining("prog 'refused': BPF program load failed");
    expect(() => openProducer({ programs: ['refused'] })).toThrow(
      expect.objectContaining({ code: 'ERR_SONDE_LOAD', log }) as Error,
    );
  });

  it('name the program whose tracepoint does not exist', () => {
    const log: unknown = expect.stringContaining("prog 'on_nothing'");
    expect(() => openProducer({ programs: ['on_nothing'] })).toThrow(
      expect.objectContaining({ code: 'ERR_SONDE_LOAD', log }) as Error,
    );
  });

  it('leave no file descriptor behind', () => {
    const before = readdirSync('/proc/self/fd').length;
    for (let i = 0; i < 20; i++) expect(() => openProducer({ object: PRODUCER, programs: ['refused'] })).toThrow(Error);
    expect(readdirSync('/proc/self/fd').length).toBe(before);
  });
});
