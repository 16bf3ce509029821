import { execFileSync } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import { otelNaming } from '../../../../src/exporter/naming/otel.ts';
import { createPrometheusExporter } from '../../../../src/exporter/prometheus/prometheus-exporter.ts';
import type { PrometheusExporter } from '../../../../src/exporter/prometheus/prometheus-exporter.ts';
import { LabelSets } from '../../../../src/model/label-sets.ts';
import type { Labels } from '../../../../src/model/label-sets.ts';
import { GROUP } from '../../../../src/model/names.ts';
import { createAggregateProcessor } from '../../../../src/processor/aggregate/aggregate-processor.ts';
import { NETWORK_GROUPS } from '../../../../src/processor/aggregate/groups.ts';
import { layOut } from '../../../../src/processor/aggregate/layout.ts';
import { ask, parsePage, sum } from './scrape.ts';

const PEER: Labels = { role: 'client', peer_address: '10.0.0.9', server_port: '5432', service_name: 'shop' };

const running: PrometheusExporter[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((exporter) => exporter.stop()));
});

async function setUp() {
  const labels = new LabelSets();
  const aggregate = createAggregateProcessor({
    labels,
    groups: { specs: NETWORK_GROUPS, labels, observe: () => {} },
  });
  const exporter = createPrometheusExporter({
    store: aggregate.store,
    stages: [aggregate.stage, aggregate.groupStage],
    labels,
    listen: { host: '127.0.0.1', port: 0 },
  });
  running.push(exporter);
  const address = await exporter.start();
  const tell = (name: string, set: Labels, values: Readonly<Record<string, number>>): void => {
    const positions = NETWORK_GROUPS.find((spec) => spec.name === name)?.positions ?? {};
    const metrics = new Float64Array(Object.keys(positions).length).fill(Number.NaN);
    for (const [metric, value] of Object.entries(values)) metrics[positions[metric]] = value;
    const id = labels.intern(set);
    aggregate.consume({ name, labels: id, metrics, timestamp: 0 });
    labels.release(id);
  };
  return { aggregate, address, tell };
}

describe('metrics of the network', () => {
  it('show what was told under the names of the contract, in seconds and bytes', async () => {
    const { aggregate, address, tell } = await setUp();
    tell(GROUP.tcpConnect, { ...PEER, result: 'ok' }, { duration: 2e6, connects: 1, accepts: 0 });
    tell(GROUP.tcpConnect, { ...PEER, result: 'refused' }, { duration: 1e6, connects: 1, accepts: 0 });
    tell(GROUP.tcpConnect, { ...PEER, role: 'server' }, { connects: 0, accepts: 1 });
    tell(GROUP.tcpQuality, PEER, { rtt: 3e5, sentBytes: 70, receiverLimited: 2e9, zeroWindow: 5e8 });
    tell(GROUP.tcpRetransmit, { ...PEER, cause: 'fast' }, { segments: 4 });
    tell(GROUP.tcpReset, { ...PEER, side: 'sent', reason: 'no_socket' }, { resets: 1 });
    tell(GROUP.tcpDrop, { ...PEER, reason: 'tcp_csum' }, { packets: 2 });
    tell(GROUP.tcpConnection, PEER, { connections: 3, unread: 10, unsent: 0 });
    tell(GROUP.tcpListen, { role: 'server', server_address: '0.0.0.0', server_port: '80' }, { overflows: 6 });
    tell(GROUP.udp, PEER, { sentDatagrams: 2, sentBytes: 9, receivedDatagrams: 0, receivedBytes: 0 });
    aggregate.flush(1);
    const samples = parsePage((await ask(address)).text);
    const shop = { service_name: 'shop', role: 'client', network_peer_address: '10.0.0.9', server_port: '5432' };
    expect(sum(samples, 'sonde_tcp_connects_total', { ...shop, result: 'ok' })).toBe(1);
    expect(sum(samples, 'sonde_tcp_connects_total')).toBe(2);
    expect(sum(samples, 'sonde_tcp_connect_duration_seconds_sum', { result: 'ok' })).toBe(0.002);
    expect(sum(samples, 'sonde_tcp_accepts_total', { role: 'server' })).toBe(1);
    expect(samples.filter(({ name }) => name === 'sonde_tcp_accepts_total')).toHaveLength(1);
    expect(sum(samples, 'sonde_tcp_rtt_seconds_bucket', { ...shop, le: '0.0005' })).toBe(1);
    expect(sum(samples, 'sonde_tcp_sent_bytes_total', shop)).toBe(70);
    expect(sum(samples, 'sonde_tcp_zero_window_seconds_total', { ...shop, side: 'send' })).toBe(2);
    expect(sum(samples, 'sonde_tcp_zero_window_seconds_total', { ...shop, side: 'receive' })).toBe(0.5);
    expect(sum(samples, 'sonde_tcp_retransmits_total', { ...shop, cause: 'fast' })).toBe(4);
    expect(sum(samples, 'sonde_tcp_resets_total', { ...shop, side: 'sent', reason: 'no_socket' })).toBe(1);
    expect(sum(samples, 'sonde_tcp_drops_total', { ...shop, reason: 'tcp_csum' })).toBe(2);
    expect(sum(samples, 'sonde_tcp_connections', shop)).toBe(3);
    expect(sum(samples, 'sonde_tcp_unread_bytes', shop)).toBe(10);
    expect(sum(samples, 'sonde_tcp_listen_overflows_total', { server_port: '80' })).toBe(6);
    expect(sum(samples, 'sonde_udp_sent_bytes_total', shop)).toBe(9);
    expect(sum(samples, 'sonde_produced_total', { stage: 'window.tcp' })).toBe(10);
  });

  it('are accepted by promtool without a word, each head and each series once', async () => {
    const { aggregate, address, tell } = await setUp();
    const all: Labels = { ...PEER, server_address: '::', result: 'ok', side: 'sent', reason: 'x', cause: 'y' };
    for (const { name, positions } of NETWORK_GROUPS) {
      const values = Object.fromEntries(Object.keys(positions).map((metric, i) => [metric, i + 1]));
      // Who listens is a server.
      const roles = name === GROUP.tcpListen ? ['server'] : ['server', 'client'];
      for (const role of roles) tell(name, { ...all, role }, values);
      tell(name, { role: 'server', overflow: 'true' }, values);
    }
    aggregate.flush(1);
    const { text } = await ask(address);
    expect(execFileSync('promtool', ['check', 'metrics'], { input: text, stdio: 'pipe' }).toString()).toBe('');
    const heads = text.split('\n').filter((line) => line.startsWith('# TYPE '));
    expect(new Set(heads.map((line) => line.split(' ')[2])).size).toBe(heads.length);
    const keys = text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => line.slice(0, line.lastIndexOf(' ')));
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('show every value that is kept', () => {
    for (const { name, metrics, positions, keys } of NETWORK_GROUPS) {
      const layout = layOut(metrics);
      const families = otelNaming.families(layout, name);
      expect(new Set(families.map(({ field }) => field.metric))).toEqual(new Set(Object.keys(positions)));
      const labels: Labels = Object.fromEntries([...keys, 'overflow'].map((key) => [key, 'x']));
      for (const family of families) {
        const shown = family.labels(labels).map(([label]) => label);
        expect(shown).toEqual(family.metric.labels);
        expect(shown.length).toBeGreaterThan(keys.length);
      }
    }
  });
});
