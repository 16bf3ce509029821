import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ExchangeGroup } from '../../../../src/model/exchange.ts';
import { LabelSets } from '../../../../src/model/label-sets.ts';
import type { Labels } from '../../../../src/model/label-sets.ts';
import { createProcessProcessor } from '../../../../src/processor/process/process-processor.ts';
import type { ProcessOptions } from '../../../../src/processor/process/process-processor.ts';
import { exchange } from '../exchange-fixture.ts';
import { createFakeProc } from './fake-proc.ts';
import type { FakeProc } from './fake-proc.ts';

const SECOND = 1e9;
const ID = '0123456789abcdef'.repeat(4);

let proc: FakeProc;
const children: ChildProcess[] = [];
beforeEach(() => {
  proc = createFakeProc();
});
afterEach(async () => {
  proc.remove();
  await Promise.all(
    children.splice(0).map(async (child) => {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    }),
  );
});

function setUp(options: Partial<ProcessOptions> = {}) {
  const labels = new LabelSets({ maxSets: 1_000 });
  const seen: Labels[] = [];
  const processor = createProcessProcessor({
    labels,
    procRoot: proc.root,
    next: { consume: (group) => void seen.push(labels.labels(group.labels)) },
    ...options,
  });
  const name = (set: Labels): Labels => {
    const id = labels.intern(set);
    processor.consume(exchange({ labels: id }));
    labels.release(id);
    return seen.at(-1) as Labels;
  };
  return { labels, processor, seen, name };
}

describe('createProcessProcessor', () => {
  it('names the process by executable, container and service', () => {
    proc.set(7, { comm: 'nginx', executable: '/usr/sbin/nginx', cgroup: `0::/docker/${ID}\n` });
    const { name } = setUp();
    expect(name({ protocol: 'http', pid: '7', comm: 'nginx' })).toEqual({
      protocol: 'http',
      pid: '7',
      comm: 'nginx',
      executable: 'nginx',
      container_id: ID,
      service_name: 'nginx',
    });
  });

  it('prefers OTEL_SERVICE_NAME to the script, and the script to the executable', () => {
    const node = { executable: '/usr/bin/node', argv: ['node', '/srv/shop.js'] };
    proc.set(1, node);
    proc.set(2, { ...node, environment: { PATH: '/bin', OTEL_SERVICE_NAME: 'shop', X: 'OTEL_SERVICE_NAME=no' } });
    proc.set(3, { ...node, environment: { OTEL_SERVICE_NAME: '' } });
    proc.set(4, { ...node, argv: ['node'] });
    const { name } = setUp();
    expect(['1', '2', '3', '4'].map((pid) => name({ pid }).service_name)).toEqual([
      'shop.js',
      'shop',
      'shop.js',
      'node',
    ]);
  });

  it('knows the executable of a program that was replaced on disk', () => {
    proc.set(1, { executable: '/opt/app/server (deleted)' });
    expect(setUp().name({ pid: '1' }).executable).toBe('server');
  });

  it('falls back to the kernel’s comm for a process that is gone', () => {
    const { name } = setUp();
    expect(name({ pid: '99', comm: 'curl' })).toEqual({ pid: '99', comm: 'curl', service_name: 'curl' });
    expect(name({ pid: '99' })).toEqual({ pid: '99' });
  });

  it('takes the comm of /proc where the kernel gave none, with any characters in it', () => {
    proc.set(5, { comm: 'a (b) c) 1 2' });
    expect(setUp().name({ pid: '5' })).toEqual({ pid: '5', comm: 'a (b) c) 1 2', service_name: 'a (b) c) 1 2' });
  });

  it('never leaves its folder, whatever stands for a pid', () => {
    proc.set(5, { comm: 'x' });
    const { name } = setUp();
    for (const pid of ['../5', '5/../5', 'self', '', '-5']) expect(name({ pid, comm: 'c' }).service_name).toBe('c');
  });

  it('passes on all the rest of an exchange, and DataGroups of other names as they are', () => {
    proc.set(5, { executable: '/bin/x' });
    const labels = new LabelSets();
    const seen: unknown[] = [];
    const processor = createProcessProcessor({
      labels,
      procRoot: proc.root,
      next: {
        consume(group) {
          const of = group as ExchangeGroup;
          seen.push([of.name, of.metrics[0], of.timestamp, of.complete, of.estimated]);
          if (of.name !== 'other') {
            seen.push([
              of.connectionId(),
              of.source(),
              of.destination(),
              of.resource(),
              of.traceId(),
              of.pid(),
              of.comm(),
            ]);
            seen.push(of.attributes());
          }
        },
      },
    });
    processor.consume(
      exchange({
        labels: labels.intern({ pid: '5' }),
        metrics: { duration: 3 },
        timestamp: 8,
        complete: false,
        estimated: true,
        resource: () => '/a',
        traceId: () => 't',
        pid: () => 5,
        comm: () => 'x',
        attributes: () => ({ a: 1 }),
      }),
    );
    processor.consume({ ...exchange({ metrics: { duration: 4 }, timestamp: 9 }), name: 'other' });
    expect(seen).toEqual([
      ['net_request_metric_group', 3, 8, false, true],
      ['1', '127.0.0.1:50000', '127.0.0.1:80', '/a', 't', 5, 'x'],
      { a: 1 },
      ['other', 4, 9, undefined, undefined],
    ]);
  });

  it('reads /proc once for a process, and frees what it derived with the set it came from', () => {
    proc.set(5, { executable: '/bin/first' });
    const { labels, name } = setUp();
    expect(name({ pid: '5', route: '/a' }).service_name).toBe('first');
    proc.set(5, { executable: '/bin/second' });
    expect(name({ pid: '5', route: '/b' }).service_name).toBe('first');
    expect(labels.size).toBe(0);
  });

  it('holds no reference to a set to which it has nothing to add', () => {
    const { labels, name } = setUp();
    name({ protocol: 'http' });
    name({ protocol: 'http', pid: '1', comm: 'c', service_name: 's' });
    expect(labels.size).toBe(0);
  });

  it('finds out that a pid belongs to another process, at the next check and not before', () => {
    proc.set(5, { startTime: 1, executable: '/bin/first' });
    const { labels, processor } = setUp({ recheckNs: SECOND });
    const id = labels.intern({ pid: '5' });
    const names: (string | undefined)[] = [];
    const again = createProcessProcessor({
      labels,
      procRoot: proc.root,
      recheckNs: SECOND,
      next: { consume: (group) => void names.push(labels.labels(group.labels).service_name) },
    });
    processor.tick(0);
    again.tick(0);
    again.consume(exchange({ labels: id }));
    proc.set(5, { startTime: 2, executable: '/bin/second' });
    again.tick(0.9 * SECOND);
    again.consume(exchange({ labels: id }));
    again.tick(SECOND);
    again.consume(exchange({ labels: id }));
    // Gone: what comes late still belongs to the process that was there.
    proc.end(5);
    again.tick(2 * SECOND);
    again.consume(exchange({ labels: id }));
    expect(names).toEqual(['first', 'first', 'second', 'second']);
  });

  it('finds out about an exec', () => {
    proc.set(5, { comm: 'bash', startTime: 1, executable: '/bin/bash' });
    const { labels, processor, seen } = setUp({ recheckNs: SECOND });
    const id = labels.intern({ pid: '5' });
    processor.tick(0);
    processor.consume(exchange({ labels: id }));
    proc.set(5, { comm: 'nginx', startTime: 1, executable: '/usr/sbin/nginx' });
    processor.tick(SECOND);
    processor.consume(exchange({ labels: id }));
    expect(seen.map((set) => set.service_name)).toEqual(['bash', 'nginx']);
    // Both sets named after the process are still the only ones beside the one that is held.
    expect(labels.size).toBe(2);
  });

  it('looks a process up again that could not be read at first', () => {
    const { labels, processor, seen } = setUp({ recheckNs: SECOND });
    const id = labels.intern({ pid: '5', comm: 'c' });
    processor.tick(0);
    processor.consume(exchange({ labels: id }));
    proc.set(5, { executable: '/bin/there' });
    processor.tick(SECOND);
    processor.consume(exchange({ labels: id }));
    expect(seen.map((set) => set.service_name)).toEqual(['c', 'there']);
  });

  it('remembers a bounded number of processes, and stays right beyond it', () => {
    for (let pid = 1; pid <= 20; pid += 1) proc.set(pid, { executable: `/bin/p${pid}` });
    const { labels, processor, seen } = setUp({ maxProcesses: 4 });
    const ids = Array.from({ length: 20 }, (_, i) => labels.intern({ pid: String(i + 1) }));
    for (let round = 0; round < 3; round += 1) {
      for (const id of ids) processor.consume(exchange({ labels: id }));
    }
    expect(seen.map((set) => set.service_name)).toEqual(Array.from({ length: 60 }, (_, i) => `p${(i % 20) + 1}`));
    // What belongs to processes that made room was given back.
    expect(labels.size).toBe(20 + 4);
    for (const id of ids) labels.release(id);
    expect(labels.size).toBe(0);
  });

  it('names by the kernel’s comm, and says why, where /proc shows a container’s processes', () => {
    proc.set(5, { executable: '/bin/wrong' });
    proc.setNamespace('pid:[4026532999]');
    const { processor, name } = setUp();
    expect(processor.feature).toMatchObject({ name: 'process', state: 'off' });
    expect(processor.feature.reason).toContain('container');
    expect(processor.feature.remedy).toContain('hostPID');
    expect(name({ pid: '5', comm: 'right' }).service_name).toBe('right');
  });

  it('is on where /proc shows the processes of the host', () => {
    proc.setNamespace('pid:[4026531836]');
    expect(setUp().processor.feature).toEqual({ name: 'process', state: 'on', reason: null, remedy: null });
  });

  it('looks nothing up in a replay', () => {
    const { name, processor } = setUp({ procRoot: null });
    expect(name({ pid: String(process.pid), comm: 'then' })).toEqual({
      pid: String(process.pid),
      comm: 'then',
      service_name: 'then',
    });
    expect(processor.feature.state).toBe('off');
  });

  it('names real processes', async () => {
    // The real /proc of these tests may be that of a container: their pids are then not the kernel's, but right here.
    const script = join(proc.root, 'shop.mjs');
    writeFileSync(script, 'console.log("up"); setInterval(() => {}, 1000);');
    const start = async (command: string, args: string[], env: NodeJS.ProcessEnv) => {
      const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'ignore'] });
      children.push(child);
      await once(child.stdout, 'data');
      return String(child.pid);
    };
    const plain = await start(process.execPath, [script], {});
    const declared = await start(process.execPath, [script], {
      PADDING: 'x'.repeat(50_000),
      OTEL_SERVICE_NAME: 'shop',
    });
    const { name, processor } = setUp({ procRoot: '/proc' });
    const expected = (service: string) => (processor.feature.state === 'on' ? service : undefined);
    expect(name({ pid: plain }).service_name).toBe(expected('shop.mjs'));
    expect(name({ pid: declared }).service_name).toBe(expected('shop'));
    expect(name({ pid: plain }).executable).toBe(expected(basename(readlinkSync(`/proc/${plain}/exe`))));
  });
});
