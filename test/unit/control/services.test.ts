import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { servicesRoute, servicesSchema } from '../../../src/control/routes/services.ts';
import { reportServices } from '../../../src/control/services.ts';
import { LabelSets } from '../../../src/model/label-sets.ts';
import type { Labels } from '../../../src/model/label-sets.ts';
import { GROUP } from '../../../src/model/names.ts';
import { NETWORK_GROUPS } from '../../../src/processor/aggregate/groups.ts';
import { createAggregateProcessor } from '../../../src/processor/aggregate/aggregate-processor.ts';
import { exchange } from '../processor/exchange-fixture.ts';

const SECOND = 1e9;
const SHOP: Labels = { service_name: 'shop', protocol: 'http', role: 'server', operation: 'GET', route: '/a' };
const CALL: Labels = { ...SHOP, role: 'client', server_address: '10.0.0.1', server_port: '80' };

const PEER: Labels = { service_name: 'shop', role: 'client', peer_address: '10.0.0.1', server_port: '80' };

function store(seen: readonly (readonly [Labels, number])[]) {
  const labels = new LabelSets();
  const aggregate = createAggregateProcessor({ labels, windowNs: SECOND });
  aggregate.tick(0);
  for (const [set, count] of seen) {
    const id = labels.intern(set);
    for (let i = 0; i < count; i++) {
      const metrics = { duration: 2e6, queue: 50_000, requestBytes: 10, responseBytes: 100 };
      aggregate.consume(exchange({ labels: id, metrics }));
    }
  }
  return { aggregate, store: aggregate.store };
}

describe('the report of services', () => {
  test('merges statuses, and sums up by service and role, route and peer', () => {
    const { aggregate, store: source } = store([
      [{ ...SHOP, status: '200' }, 5],
      [{ ...SHOP, status: '500', error: 'status' }, 2],
      [{ ...SHOP, route: '/b' }, 1],
      [{ ...SHOP, protocol: 'generic', operation: '', route: '' }, 1],
      [CALL, 3],
      [{ ...CALL, server_address: '2001:db8::1' }, 1],
    ]);
    aggregate.flush(3 * SECOND);
    const report = reportServices(source.snapshot());
    expect(report).toMatchObject({ closed_ms: 3000, window_ms: 1000, hidden: 0, completeness: 1 });
    const [server, client] = report.services;
    expect(server).toMatchObject({
      service: 'shop',
      role: 'server',
      protocols: ['generic', 'http'],
      exchanges: 9,
      errors: 2,
      request_bytes: 90,
      response_bytes: 900,
      peers: [],
    });
    expect(server?.routes.map(({ protocol, route, exchanges }) => [protocol, route, exchanges])).toEqual([
      ['http', 'GET /a', 7],
      ['http', 'GET /b', 1],
      ['generic', '', 1],
    ]);
    const bucket = report.bounds.duration_ns.findIndex((bound) => bound >= 2e6);
    expect(server?.duration[bucket]).toBe(9);
    expect(server?.duration).toHaveLength(report.bounds.duration_ns.length + 1);
    expect(server?.queue[0]).toBe(9);
    expect(client?.peers.map(({ peer, exchanges }) => [peer, exchanges])).toEqual([
      ['10.0.0.1:80', 3],
      ['[2001:db8::1]:80', 1],
    ]);
  });

  test('knows no moment before the first window has closed', () => {
    const { store: source } = store([[SHOP, 1]]);
    expect(reportServices(source.snapshot())).toMatchObject({ closed_ms: null, services: [] });
  });

  test('puts what found no room of its own under one name', () => {
    const { aggregate, store: source } = store([[{ protocol: 'http', role: 'client', overflow: 'true' }, 1]]);
    aggregate.flush(SECOND);
    expect(reportServices(source.snapshot()).services[0]).toMatchObject({ service: '(other)', role: 'client' });
  });

  test('adds what the network did, to the service and to the peer that its exchanges name', () => {
    const labels = new LabelSets();
    const aggregate = createAggregateProcessor({
      labels,
      windowNs: SECOND,
      groups: { specs: NETWORK_GROUPS, labels, observe: () => undefined },
    });
    aggregate.tick(0);
    const tell = (name: string, set: Labels, metrics: readonly number[]): void => {
      aggregate.consume({ name, labels: labels.intern(set), metrics: Float64Array.from(metrics), timestamp: 0 });
    };
    aggregate.consume(exchange({ labels: labels.intern(CALL), metrics: { duration: 1e6 } }));
    tell(GROUP.tcpRetransmit, { ...PEER, cause: 'timeout' }, [3]);
    tell(GROUP.tcpReset, { ...PEER, side: 'sent' }, [2]);
    tell(GROUP.tcpConnect, { ...PEER, result: 'refused' }, [1e6, 1, 0]);
    tell(GROUP.tcpConnect, { ...PEER, result: 'ok' }, [1e6, 1, 0]);
    tell(GROUP.tcpConnection, PEER, [4, 0, 0]);
    tell(GROUP.tcpReset, { ...PEER, role: 'server', peer_address: '10.0.0.9', server_port: '8080' }, [1]);
    aggregate.flush(SECOND);
    const [client, server] = reportServices(aggregate.store.snapshot()).services;
    const expected = { connections: 4, retransmits: 3, resets: 2, failed_connects: 1 };
    expect(client).toMatchObject({ role: 'client', exchanges: 1, tcp: expected });
    expect(client?.peers).toMatchObject([{ peer: '10.0.0.1:80', exchanges: 1, tcp: expected }]);
    expect(server).toMatchObject({ role: 'server', exchanges: 0, peers: [{ peer: '10.0.0.9', tcp: { resets: 1 } }] });
  });

  test('is bounded: the busiest are listed, the sums have everything', () => {
    const seen = Array.from({ length: 30 }, (_, index): [Labels, number] => [
      { ...CALL, service_name: `s${index % 3}`, route: `/r${index}`, server_port: String(index) },
      30 - index,
    ]);
    const { aggregate, store: source } = store(seen);
    aggregate.flush(SECOND);
    const report = reportServices(source.snapshot(), { services: 2, routes: 8 });
    expect(report.hidden).toBe(1);
    expect(report.services.map(({ service }) => service)).toEqual(['s0', 's1']);
    const [first] = report.services;
    expect(first?.routes.map(({ route }) => route)).toEqual(['GET /r0', 'GET /r3', 'GET /r6', 'GET /r9']);
    expect(first?.hidden).toEqual({ routes: 6, peers: 6 });
    expect(first?.exchanges).toBe(30 + 27 + 24 + 21 + 18 + 15 + 12 + 9 + 6 + 3);
  });
});

test('GET /services answers what it says, and gives the snapshot back', async () => {
  const { aggregate, store: source } = store([[CALL, 3]]);
  aggregate.flush(SECOND);
  let held = 0;
  const route = servicesRoute({
    snapshot() {
      held += 1;
      const snapshot = source.snapshot();
      return {
        ...snapshot,
        release() {
          held -= 1;
          snapshot.release();
        },
      };
    },
  });
  const answer = await route.handle({ query: new URLSearchParams(), body: undefined });
  expect(answer.status).toBe(200);
  expect(z.safeParse(servicesSchema, 'body' in answer ? answer.body : undefined).success).toBe(true);
  expect(held).toBe(0);
});
