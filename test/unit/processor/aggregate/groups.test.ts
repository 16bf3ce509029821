import { describe, expect, it } from 'vitest';
import { LabelSets } from '../../../../src/model/label-sets.ts';
import type { Labels } from '../../../../src/model/label-sets.ts';
import { GROUP } from '../../../../src/model/names.ts';
import { createAggregateProcessor } from '../../../../src/processor/aggregate/aggregate-processor.ts';
import type { AggregateOptions } from '../../../../src/processor/aggregate/aggregate-processor.ts';
import { NETWORK_GROUPS } from '../../../../src/processor/aggregate/groups.ts';
import { exchange } from '../exchange-fixture.ts';

const SECOND = 1e9;
const PEER: Labels = { role: 'client', peer_address: '10.0.0.9', server_port: '5432', service_name: 'shop' };

function setUp(options: Partial<AggregateOptions> = {}, maxSets = 1000) {
  const labels = new LabelSets();
  const peers = new LabelSets({ maxSets });
  const state: { connections: number; labels: Labels }[] = [];
  const tell = (name: string, set: Labels, values: Readonly<Record<string, number>>): void => {
    const positions = NETWORK_GROUPS.find((spec) => spec.name === name)?.positions ?? {};
    const metrics = new Float64Array(Object.keys(positions).length).fill(Number.NaN);
    for (const [metric, value] of Object.entries(values)) metrics[positions[metric]] = value;
    const id = peers.intern(set);
    aggregate.consume({ name, labels: id, metrics, timestamp: 0 });
    peers.release(id);
  };
  const aggregate = createAggregateProcessor({
    labels,
    windowNs: SECOND,
    groups: {
      specs: NETWORK_GROUPS,
      labels: peers,
      observe: () => {
        for (const one of state) tell(GROUP.tcpConnection, one.labels, { connections: one.connections });
      },
    },
    ...options,
  });
  const series = (name: string, metric: string, what: 'sum' | 'level' = 'sum') => {
    const snapshot = aggregate.store.snapshot();
    const group = snapshot.groups.find((one) => one.name === name);
    const column = group?.layout.fields.find((field) => field.metric === metric)?.[what] ?? Number.NaN;
    const found = (group?.pages ?? []).flatMap((page) =>
      page.labels.flatMap((set, row) =>
        set === undefined ? [] : [{ labels: set, value: page.values[row * (group?.layout.stride ?? 0) + column] }],
      ),
    );
    snapshot.release();
    return found;
  };
  return { aggregate, labels, peers, state, tell, series };
}

describe('groups that are no exchanges', () => {
  it('have series of their own labels, beside those of exchanges', () => {
    const { aggregate, labels, tell, series } = setUp();
    const id = labels.intern({ protocol: 'http', role: 'server' });
    aggregate.consume(exchange({ labels: id, metrics: { duration: 1 } }));
    tell(GROUP.tcpRetransmit, { ...PEER, cause: 'fast', pid: '1' }, { segments: 2 });
    tell(GROUP.tcpRetransmit, { ...PEER, cause: 'fast', pid: '2' }, { segments: 3 });
    tell(GROUP.tcpRetransmit, { ...PEER, cause: 'syn' }, { segments: 1 });
    tell('unheard_of_metric_group', PEER, {});
    expect(aggregate.groupStage.read()).toMatchObject({ produced: 3, delivered: 0, inFlight: 3 });
    aggregate.flush(1);
    expect(series(GROUP.tcpRetransmit, 'segments')).toEqual([
      { labels: { ...PEER, cause: 'fast' }, value: 5 },
      { labels: { ...PEER, cause: 'syn' }, value: 1 },
    ]);
    const snapshot = aggregate.store.snapshot();
    expect(snapshot.size).toBe(3);
    expect(snapshot.totals).toMatchObject([{ protocol: 'http', exchanges: 1, incomplete: 0 }]);
    snapshot.release();
    expect(aggregate.stage.read()).toMatchObject({ produced: 1, delivered: 1, inFlight: 0 });
    expect(aggregate.groupStage.read()).toEqual({
      produced: 3,
      delivered: 3,
      inFlight: 0,
      dropped: { cardinality: 0 },
      skipped: {},
    });
  });

  it('show a state as it was told in the last window, summed up, and 0 when nobody tells of it', () => {
    const { aggregate, state, series } = setUp();
    const connections = (): number[] => series(GROUP.tcpConnection, 'connections', 'level').map(({ value }) => value);
    aggregate.tick(0);
    state.push({ labels: { ...PEER, pid: '1' }, connections: 2 }, { labels: { ...PEER, pid: '2' }, connections: 3 });
    aggregate.tick(SECOND);
    expect(connections()).toEqual([5]);
    aggregate.tick(2 * SECOND);
    expect(connections()).toEqual([5]);
    state.pop();
    aggregate.tick(3 * SECOND);
    expect(connections()).toEqual([2]);
    state.pop();
    aggregate.tick(4 * SECOND);
    expect(connections()).toEqual([0]);
  });

  it('let a state go with its series, and keep one that lasts however long', () => {
    const { aggregate, state, series } = setUp({ ttlNs: 10 * SECOND });
    const connections = (): number[] => series(GROUP.tcpConnection, 'connections', 'level').map(({ value }) => value);
    state.push({ labels: PEER, connections: 1 });
    for (let second = 0; second <= 30; second++) aggregate.tick(second * SECOND);
    expect(connections()).toEqual([1]);
    state.pop();
    aggregate.tick(31 * SECOND);
    expect(connections()).toEqual([0]);
    for (let second = 32; second <= 45; second++) aggregate.tick(second * SECOND);
    expect(connections()).toEqual([]);
  });

  it.each([
    ['series', { maxSeries: 3 }, 1000],
    ['label sets', {}, 3],
  ])(
    'sum a state up in one overflow series where there is no room for more %s, and lose nothing',
    (_, options, maxSets) => {
      const { aggregate, labels, state, series } = setUp(options, maxSets);
      for (let i = 0; i < 20; i++) state.push({ labels: { ...PEER, peer_address: `10.0.0.${i}` }, connections: i });
      for (const second of [0, 1, 2, 3]) aggregate.tick(second * SECOND);
      const found = series(GROUP.tcpConnection, 'connections', 'level');
      expect(found.length).toBeLessThan(6);
      expect(found.reduce((sum, { value }) => sum + value, 0)).toBe(190);
      expect(found.filter((one) => one.labels.overflow === 'true')).toMatchObject([{ labels: { role: 'client' } }]);
      // Exchanges have their room.
      expect(labels.overflowed).toBe(0);
      const { produced, delivered, dropped } = aggregate.groupStage.read();
      expect([delivered, dropped.cardinality]).toEqual([produced, 0]);
    },
  );
});
