import { execFileSync } from 'node:child_process';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { loadAddon, type Probe } from '../../../src/receiver/kernel/addon.ts';
import { openProducer, PRODUCER_PROGRAMS, put } from './producer.ts';

const addon = loadAddon();
let probe: Probe;

beforeEach(() => {
  probe = openProducer({ programs: [...PRODUCER_PROGRAMS, 'on_exec', 'count_sockets'] });
});

afterEach(() => {
  probe.close();
});

const fired = (): number =>
  Number(new DataView(probe.run('read_fired', new Uint8Array(8)).output.buffer).getBigUint64(0, true));
const execute = (): void => void execFileSync('/bin/true');

it('a program sees events from attach to detach', () => {
  execute();
  expect(fired()).toBe(0);
  probe.attach('on_exec');
  probe.attach('on_exec');
  expect(probe.attached()).toEqual(['on_exec']);
  execute();
  expect(fired()).toBeGreaterThan(0);
  probe.detach('on_exec');
  probe.detach('on_exec');
  expect(probe.attached()).toEqual([]);
  const before = fired();
  execute();
  expect(fired()).toBe(before);
});

it('detach without a name detaches all', () => {
  probe.attach('on_exec');
  probe.attach('count_sockets');
  expect(probe.attached().toSorted()).toEqual(['count_sockets', 'on_exec']);
  probe.detach();
  expect(probe.attached()).toEqual([]);
});

it('an iterator runs to its end and tells how long it took', () => {
  probe.attach('count_sockets');
  const before = fired();
  expect(probe.sweep('count_sockets')).toBeGreaterThan(0);
  // It is called once more at the end, without a socket.
  expect(fired()).toBeGreaterThan(before);
});

it('programs say what is loaded and attached', () => {
  probe.attach('on_exec');
  const programs = probe.programs();
  expect(programs.map(({ name }) => name).toSorted()).toEqual(
    [...PRODUCER_PROGRAMS, 'count_sockets', 'on_exec'].toSorted(),
  );
  expect(programs.filter(({ attached }) => attached).map(({ name }) => name)).toEqual(['on_exec']);
  expect(new Set(programs.map(({ id }) => id)).size).toBe(programs.length);
});

it('run times are measured while statistics are enabled', () => {
  const stats = new addon.RunTimeStats();
  probe.attach('on_exec');
  execute();
  const program = probe.programs().find(({ name }) => name === 'on_exec');
  expect(program?.runs).toBeGreaterThan(0);
  expect(program?.runTimeNs).toBeGreaterThan(0);
  stats.close();
  stats.close();
});

it('two probes in one process do not meet', () => {
  const other = openProducer();
  put(probe, { count: 3 });
  put(other, { count: 5 });
  expect([probe.pending(), other.pending()]).toEqual([3, 5]);
  other.close();
  expect(probe.pending()).toBe(3);
});

it('kernelTypes tells what the kernel has', () => {
  expect(
    addon.kernelTypes(['btf_trace_inet_sock_set_state', 'btf_trace_sonde_no_such_tracepoint', 'task_struct']),
  ).toEqual([true, false, true]);
  expect(addon.kernelTypes([])).toEqual([]);
});

it('kernelEnum gives the names of an enumeration by number', () => {
  expect(addon.kernelEnum('bpf_map_type')?.[2]).toBe('BPF_MAP_TYPE_ARRAY');
  expect(addon.kernelEnum('tcp_ca_state')).toMatchObject({ 0: 'TCP_CA_Open', 3: 'TCP_CA_Recovery' });
  expect(addon.kernelEnum('sonde_no_such_enum')).toBeUndefined();
  // A structure is none.
  expect(addon.kernelEnum('task_struct')).toBeUndefined();
});

it('an iterator walks the map that is named', () => {
  expect(() => probe.attach('count_sockets', 'no_such_map')).toThrow(
    expect.objectContaining({ code: 'ERR_SONDE_ARGUMENT' }) as Error,
  );
  probe.attach('count_sockets', 'sockets');
  expect(probe.sweep('count_sockets')).toBeGreaterThan(0);
});
