import { describe, expect, it } from 'vitest';
import { SondeError } from '../../../../src/model/errors.ts';
import { POLICY } from '../../../../src/model/record.gen.ts';
import type { Addon, Probe, ProbeOptions } from '../../../../src/receiver/kernel/addon.ts';
import { HOOK_PROGRAMS } from '../../../../src/receiver/kernel/features.ts';
import { type CaptureOptions, defaultPolicy, loadProbe } from '../../../../src/receiver/kernel/load.ts';

const none = { include: [], exclude: [] };
const options: CaptureOptions = {
  ringBytes: 1 << 20,
  maxConnections: 1000,
  payloadBytes: 1024,
  queueTime: 'precise',
  udp: false,
  filter: { ports: none, pids: none, cgroups: none },
  policy: 'auto',
};

interface Fake {
  readonly lacks?: readonly string[];
  readonly refusesLoad?: readonly string[];
  readonly refusesAttach?: readonly string[];
  readonly error?: string;
  readonly tcpClock?: boolean;
}

function failure(code: string, message: string, log = ''): Error {
  return Object.assign(new Error(message), { code, log });
}

/** An addon on a kernel with these faults; `opened` are the probes it made. */
function fakeAddon(fake: Fake) {
  const opened: { options: ProbeOptions; attached: string[]; swept: string[]; closed: boolean }[] = [];
  class FakeProbe {
    readonly state: (typeof opened)[number];
    constructor(given: ProbeOptions) {
      if (fake.error !== undefined) throw failure(fake.error, 'no');
      const refused = fake.refusesLoad?.find((program) => given.programs.includes(program));
      if (refused !== undefined) {
        throw failure('ERR_SONDE_LOAD', 'Invalid argument', `libbpf: prog '${refused}': failed to load: -22\n`);
      }
      this.state = { options: given, attached: [], swept: [], closed: false };
      opened.push(this.state);
    }
    run() {
      const output = new Uint8Array(24);
      new DataView(output.buffer).setUint32(20, fake.tcpClock === false ? 0 : 1, true);
      return { retval: 0, output };
    }
    attach(program: string) {
      if (fake.refusesAttach?.includes(program) === true) throw failure('ERR_SONDE_ATTACH', 'Permission denied');
      this.state.attached.push(program);
    }
    detach(program: string) {
      this.state.attached = this.state.attached.filter((each) => each !== program);
    }
    sweep(program: string) {
      this.state.swept.push(program);
      return 1;
    }
    mapUpdate() {}
    close() {
      this.state.closed = true;
    }
  }
  const addon: Addon = {
    Probe: FakeProbe as unknown as new (options: ProbeOptions) => Probe,
    RunTimeStats: class {
      close() {}
    },
    kernelEnum: () => undefined,
    kernelTypes: (names) => names.map((name) => !(fake.lacks ?? []).includes(name)),
  };
  return { addon, opened };
}

const load = (fake: Fake, change: Partial<CaptureOptions> = {}) => {
  const { addon, opened } = fakeAddon(fake);
  return { ...loadProbe(addon, 'x.o', { ...options, ...change }, 5n), opened };
};
const off = (features: readonly { name: string; state: string }[]): string[] =>
  features.filter((feature) => feature.state === 'off').map((feature) => feature.name);

describe('loadProbe', () => {
  it('attaches connections before messages and hands the options to the kernel', () => {
    const { opened, features } = load({});
    expect(opened).toHaveLength(1);
    expect(opened[0]?.attached.slice(-2)).toEqual(['sonde_receive', 'sonde_send']);
    expect(opened[0]?.options.rodata).toEqual({
      ring_bytes: 1 << 20,
      max_connections: 1000,
      payload_bytes: 1024,
      queue_time: 2,
      filter_use: 0,
      default_policy: POLICY.stream,
      tcp_quality: true,
      tcp_listeners: true,
      hooks_preemptible: false,
      undecided_bytes: 64 << 10,
    });
    expect(opened[0]?.options.originNs).toBe(5n);
    expect(off(features)).toEqual(['udp']);
  });

  it('finds listeners once, and looks at them from then on', () => {
    const { opened } = load({});
    expect(opened[0]?.swept).toEqual(['sonde_find_listeners']);
    expect(opened[0]?.attached).toContain('sonde_listeners');
    expect(opened[0]?.attached).not.toContain('sonde_find_listeners');
  });

  it('tells the kernel side nothing of TCP if it is not wanted', () => {
    const { opened } = load({}, { tcp: false });
    expect(opened[0]?.options.rodata).toMatchObject({ tcp_quality: false, tcp_listeners: false });
    expect(opened[0]?.swept).toEqual([]);
  });

  it.each([
    ['load', { refusesLoad: ['sonde_queue'] }],
    ['attach', { refusesAttach: ['sonde_queue'] }],
    ['serve the TCP clock of', { tcpClock: false }],
  ] as [string, Fake][])('measures the queue coarsely where the kernel will not %s the precise hook', (_, fake) => {
    const { opened, features } = load(fake);
    const last = opened.at(-1);
    expect(last?.options.rodata?.['queue_time']).toBe(1);
    expect(last?.attached).not.toContain('sonde_queue');
    expect(off(features)).toEqual(['queue_time_precise', 'udp']);
    expect(opened.slice(0, -1).every((probe) => probe.closed)).toBe(true);
    expect(last?.closed).toBe(false);
  });

  it('hooks the exits of functions where the tracepoints are missing, and counts as a task that may be preempted', () => {
    const { opened } = load({ lacks: ['btf_trace_sock_send_length', 'btf_trace_sock_recv_length', 'tcp_sendpage'] });
    expect(opened[0]?.options.rodata?.['hooks_preemptible']).toBe(true);
    const hooks = opened[0]?.attached.filter((program) => HOOK_PROGRAMS.includes(program));
    expect(hooks).toHaveLength(6);
    expect(hooks?.every((program) => program.startsWith('sonde_exit_'))).toBe(true);
  });

  it('does without all that is optional', () => {
    const { opened, features } = load({
      refusesLoad: [
        'sonde_queue',
        'sonde_sweep',
        'sonde_backfill_files',
        'sonde_backfill_waiting',
        'sonde_drop',
        'sonde_reset_sent',
        'sonde_find_listeners',
      ],
    });
    expect(opened.at(-1)?.attached.toSorted()).toEqual([
      'sonde_destroy',
      'sonde_receive',
      'sonde_retransmit',
      'sonde_retransmit_synack',
      'sonde_send',
      'sonde_state',
    ]);
    expect(off(features)).toEqual([
      'sweep',
      'backfill',
      'queue_time_precise',
      'tcp_resets',
      'tcp_drops',
      'tcp_listeners',
      'udp',
    ]);
  });

  it.each([
    ['SONDE_OLD_KERNEL', { lacks: ['btf_trace_sock_send_length', 'tcp_recvmsg'] }],
    ['SONDE_KERNEL_REFUSED', { lacks: ['btf_trace_sock_send_length'], refusesLoad: ['sonde_exit_udp_sendmsg'] }],
    ['SONDE_KERNEL_REFUSED', { refusesLoad: ['sonde_send'] }],
    ['SONDE_KERNEL_REFUSED', { refusesAttach: ['sonde_state'] }],
    ['SONDE_NOT_ROOT', { error: 'ERR_SONDE_PERMISSION' }],
    ['SONDE_NO_BTF', { error: 'ERR_SONDE_NO_BTF' }],
  ] as [string, Fake][])('says %s, and leaves nothing open', (code, fake) => {
    const { addon, opened } = fakeAddon(fake);
    expect(() => loadProbe(addon, 'x.o', options, 0n)).toThrow(
      expect.objectContaining({ code, exitCode: 3, name: SondeError.name }) as Error,
    );
    expect(opened.every((probe) => probe.closed)).toBe(true);
  });

  it('passes on what is not about the kernel', () => {
    expect(() => load({ error: 'ERR_SONDE_ARGUMENT' })).toThrow(
      expect.objectContaining({ code: 'ERR_SONDE_ARGUMENT' }) as Error,
    );
  });
});

describe('defaultPolicy', () => {
  const classes = (word: number) => [(word >> POLICY.receiveClassShift) & 15, (word >> POLICY.sendClassShift) & 15];

  it('is stream where the analyzer narrows', () => {
    expect(defaultPolicy('auto', 4096)).toBe(POLICY.stream);
    expect(defaultPolicy('count', 4096)).toBe(POLICY.count);
  });

  it.each([
    [64, 1],
    [100, 1],
    [256, 3],
    [4095, 6],
    [4096, 7],
  ])('takes for headers of %d bytes the largest class that keeps to it', (bytes, expected) => {
    const word = defaultPolicy('headers', bytes);
    expect(word & POLICY.mask).toBe(POLICY.headers);
    expect(classes(word)).toEqual([expected, expected]);
    expect(32 << expected).toBeLessThanOrEqual(bytes);
  });
});
