import { describe, expect, it } from 'vitest';
import {
  HOOK_PROGRAMS,
  isRequired,
  planFeatures,
  programsWith,
  refuse,
  wantedTypes,
} from '../../../../src/receiver/kernel/features.ts';

const all = (): boolean => true;
const lacking =
  (...types: string[]) =>
  (type: string): boolean =>
    !types.includes(type);
const state = (plan: { features: readonly { name: string; state: string }[] }, name: string): string | undefined =>
  plan.features.find((feature) => feature.name === name)?.state;

describe('planFeatures', () => {
  it('turns on what the kernel has and the configuration wants', () => {
    const plan = planFeatures({ queueTime: 'precise', udp: true }, all);
    expect(plan.features.every((feature) => feature.state === 'on')).toBe(true);
    expect(plan.programs).toEqual([
      'sonde_send',
      'sonde_receive',
      'sonde_state',
      'sonde_destroy',
      'sonde_sweep',
      'sonde_forget',
      'sonde_backfill_files',
      'sonde_backfill_waiting',
      'sonde_queue',
      'sonde_retransmit',
      'sonde_retransmit_synack',
      'sonde_reset_sent',
      'sonde_reset_received',
      'sonde_drop',
      'sonde_listeners',
      'sonde_find_listeners',
    ]);
    expect(plan.missing).toBeUndefined();
  });

  it('loads no program that was not asked for, and says how to ask', () => {
    const plan = planFeatures({ queueTime: 'coarse', udp: false }, all);
    expect(plan.programs).not.toContain('sonde_queue');
    expect(plan.features.filter((feature) => feature.state === 'off')).toEqual([
      {
        name: 'queue_time_precise',
        state: 'off',
        reason: 'capture.queue_time is coarse',
        remedy: 'Set capture.queue_time to precise.',
      },
      { name: 'udp', state: 'off', reason: 'capture.udp is off', remedy: 'Set capture.udp to true.' },
    ]);
    expect(state(planFeatures({ queueTime: 'off', udp: false }, all), 'queue_time')).toBe('off');
  });

  it('leaves TCP alone if it is not wanted', () => {
    const plan = planFeatures({ queueTime: 'precise', udp: true, tcp: false }, all);
    const off = plan.features.filter((feature) => feature.state === 'off');
    expect(off.map(({ name }) => name)).toEqual([
      'tcp_quality',
      'tcp_retransmits',
      'tcp_resets',
      'tcp_drops',
      'tcp_listeners',
    ]);
    expect(new Set(off.map(({ reason }) => reason))).toEqual(new Set(['analyzers.tcp.enabled is false']));
    expect(plan.programs).not.toContain('sonde_drop');
  });

  it('runs at the exit of functions where the tracepoints are missing, as far as the kernel has the functions', () => {
    const old = lacking('btf_trace_sock_send_length', 'btf_trace_sock_recv_length', 'udpv6_sendmsg', 'udpv6_recvmsg');
    const plan = planFeatures({ queueTime: 'coarse', udp: false }, old);
    expect(plan.missing).toBeUndefined();
    expect(plan.programs.filter((program) => HOOK_PROGRAMS.includes(program))).toEqual([
      'sonde_exit_tcp_sendmsg',
      'sonde_exit_tcp_sendpage',
      'sonde_exit_tcp_recvmsg',
      'sonde_exit_udp_sendmsg',
      'sonde_exit_udp_recvmsg',
    ]);
    expect(plan.features.find(({ name }) => name === 'messages')).toEqual({
      name: 'messages',
      state: 'on',
      reason:
        'by fexit of tcp_sendmsg, tcp_sendpage, tcp_recvmsg, udp_sendmsg, udp_recvmsg: this kernel has no tracepoint sock_send_length',
      remedy: null,
    });
  });

  it('names the tracepoint that a kernel lacks where the functions are missing too', () => {
    const plan = planFeatures(
      { queueTime: 'coarse', udp: false },
      lacking('btf_trace_sock_recv_length', 'tcp_sendmsg'),
    );
    expect(plan.missing).toEqual({
      name: 'messages',
      state: 'off',
      reason: 'this kernel has no tracepoint sock_recv_length',
      remedy: 'Use Linux 6.1 or later.',
    });
    expect(plan.programs).not.toContain('sonde_send');
  });

  it('goes on without what is optional', () => {
    const plan = planFeatures({ queueTime: 'precise', udp: false }, lacking('bpf_iter__bpf_sk_storage_map'));
    expect(plan.missing).toBeUndefined();
    expect(state(plan, 'sweep')).toBe('off');
    expect(plan.programs).toContain('sonde_queue');
  });

  it('asks for every type that it looks at', () => {
    const asked = new Set<string>();
    const has = (type: string): boolean => asked.add(type) && type !== 'btf_trace_sock_recv_length';
    planFeatures({ queueTime: 'precise', udp: false }, has);
    expect(asked).toEqual(new Set(wantedTypes()));
  });
});

describe('refuse', () => {
  it('turns the feature of a program off with the reason', () => {
    const { features } = planFeatures({ queueTime: 'precise', udp: false }, all);
    const after = refuse(features, 'sonde_sweep', 'Operation not permitted');
    expect(after.filter((feature, i) => feature !== features[i])).toEqual([
      {
        name: 'sweep',
        state: 'off',
        reason: 'the kernel refused sonde_sweep: Operation not permitted',
        remedy: expect.any(String) as string,
      },
    ]);
  });
});

it('the programs of a feature go together', () => {
  expect(programsWith('sonde_reset_sent')).toEqual(['sonde_reset_sent', 'sonde_reset_received']);
  expect(programsWith('nobody')).toEqual(['nobody']);
});

it('only messages and connections are required', () => {
  expect(['sonde_send', 'sonde_receive', 'sonde_state', 'sonde_destroy'].every(isRequired)).toBe(true);
  expect(['sonde_sweep', 'sonde_backfill_files', 'sonde_queue', 'nobody'].some(isRequired)).toBe(false);
});
