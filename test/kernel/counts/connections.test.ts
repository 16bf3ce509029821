import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ab, nodeClient } from '../../traffic/generators/load.ts';
import { freePorts } from '../../traffic/port.ts';
import { openRaw } from '../../traffic/raw.ts';
import { startRawServer } from '../../traffic/raw-server.ts';
import { createScene, type Scene } from '../../traffic/scene.ts';
import { startNginx } from '../../traffic/servers/nginx.ts';
import { startScriptServer } from '../../traffic/servers/scripts.ts';
import { type Sonde, startSonde } from '../../traffic/sonde.ts';
import { expectBothSides, expectLawWithoutLoss, seenBy, settled, sum } from '../expectations.ts';

const GET = 'GET /fixed/100 HTTP/1.1\r\nHost: localhost\r\n\r\n';

describe('connections that behave badly: each exchange is counted once on each side', () => {
  let scene: Scene;
  let sonde: Sonde;
  const ports: number[] = [];
  const port = (): number => ports.pop() as number;

  beforeAll(async () => {
    scene = await createScene();
    ports.push(...(await freePorts(16)));
    sonde = await startSonde(scene, { ports, lines: true });
  });
  afterAll(async () => scene?.end());

  const startNode = (at: number) => startScriptServer(scene, { kind: 'node', port: at });

  test('a request sent byte by byte', async () => {
    const at = port();
    await startNode(at);
    const raw = await openRaw(scene, { port: at });
    for (let turn = 1; turn <= 3; turn++) {
      for (const byte of GET) await raw.send(byte);
      await raw.responses(turn);
    }
    await raw.close();
    await expectBothSides(sonde, at, {
      exchanges: 3,
      requestBytes: raw.sentBytes(),
      responseBytes: raw.receivedBytes(),
    });
  });

  test('a response that trickles: a few bytes at a time, head and body', async () => {
    const at = port();
    const answer = `HTTP/1.1 200 OK\r\nContent-Length: 50\r\nX-Slow: yes\r\n\r\n${'x'.repeat(50)}`;
    await startRawServer(scene, {
      port: at,
      serve: (socket) => {
        socket.once('data', () => void trickle());
        const trickle = async (): Promise<void> => {
          for (let i = 0; i < answer.length; i += 3) {
            await new Promise((resolve) => socket.write(answer.slice(i, i + 3), resolve));
          }
          socket.end();
        };
      },
    });
    const raw = await openRaw(scene, { port: at });
    await raw.send(GET);
    await raw.responses(1);
    await raw.close();
    await expectBothSides(sonde, at, { exchanges: 1, requestBytes: GET.length, responseBytes: answer.length });
  });

  test.each([2, 8, 16])('%i requests in one segment', async (count) => {
    const at = port();
    await startNode(at);
    const raw = await openRaw(scene, { port: at });
    await raw.send(GET.repeat(count));
    await raw.responses(count);
    await raw.send(GET.repeat(count));
    await raw.responses(2 * count);
    await raw.close();
    await expectBothSides(sonde, at, {
      exchanges: 2 * count,
      requestBytes: raw.sentBytes(),
      responseBytes: raw.receivedBytes(),
    });
  });

  test('40 requests in one segment: more than is copied of a call is counted all the same', async () => {
    const at = port();
    await startNode(at);
    const raw = await openRaw(scene, { port: at });
    for (let i = 1; i <= 3; i++) {
      await raw.send(GET.repeat(40));
      await raw.responses(40 * i);
    }
    await raw.close();
    const lines = await settled(sonde, at, 240);
    for (const role of ['client', 'server'] as const) {
      const { exchanges, protocols, errors, requestBytes, responseBytes } = seenBy(lines, role);
      expect({ role, exchanges, protocols, errors, requestBytes, responseBytes }).toEqual({
        role,
        exchanges: 120,
        protocols: { http: 120 },
        errors: {},
        requestBytes: raw.sentBytes(),
        responseBytes: raw.receivedBytes(),
      });
    }
  });

  test('pipelining that begins after a hundred plain exchanges: at most the first burst is seen in part', async () => {
    const at = port();
    await startNode(at);
    const raw = await openRaw(scene, { port: at });
    for (let i = 1; i <= 100; i++) {
      await raw.send(GET);
      await raw.responses(i);
    }
    for (let i = 1; i <= 10; i++) {
      await raw.send(GET.repeat(5));
      await raw.responses(100 + 5 * i);
      // The connection was narrowed to a record a message: the first burst tells that more is needed.
      if (i === 1) await sonde.settle();
    }
    await raw.close();
    const lines = await settled(sonde, at, 300);
    for (const role of ['client', 'server'] as const) {
      const { complete, statuses, ...seen } = seenBy(lines, role);
      expect({ role, ...seen }).toEqual({
        role,
        exchanges: 150,
        protocols: { http: 150 },
        errors: {},
        requestBytes: raw.sentBytes(),
        responseBytes: raw.receivedBytes(),
      });
      expect(complete).toBeGreaterThanOrEqual(145);
      expect(statuses['200']).toBeGreaterThanOrEqual(145);
      expect((statuses['200'] ?? 0) + (statuses['null'] ?? 0)).toBe(150);
    }
  });

  test('a client that closes its half before the answer', async () => {
    const at = port();
    await startNode(at);
    const raw = await openRaw(scene, { port: at });
    await raw.send(GET);
    await raw.halfClose();
    await raw.responses(1);
    await raw.ended();
    await expectBothSides(sonde, at, {
      exchanges: 1,
      requestBytes: GET.length,
      responseBytes: raw.receivedBytes(),
    });
  });

  test('IPv6', async () => {
    const at = port();
    const nginx = await startNginx(scene, { port: at });
    // h2load leaves the brackets out of its Host header, which nginx refuses.
    const url = `http://[::1]:${at}/index.html`;
    await ab(scene, { url, exchanges: 200, connections: 4, keepAlive: false });
    await nodeClient(scene, { url, exchanges: 200, connections: 4, keepAlive: true });
    const entries = await nginx.entries();
    await expectBothSides(sonde, at, {
      exchanges: 400,
      requestBytes: sum(entries.map(({ requestBytes }) => requestBytes)),
      responseBytes: sum(entries.map(({ responseBytes }) => responseBytes)),
    });
    expect(new Set(sonde.at(at).map(({ dst }) => dst))).toEqual(new Set([`[::1]:${at}`]));
  });

  test('a server that resets instead of an answer: error reset on both sides', async () => {
    const at = port();
    await startNode(at);
    const raw = await openRaw(scene, { port: at });
    await raw.send('GET /reset HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await raw.ended();
    await raw.close();
    expect(await sides(at)).toEqual({
      client: { exchanges: 1, protocols: { http: 1 }, statuses: { null: 1 }, errors: { reset: 1 } },
      server: { exchanges: 1, protocols: { http: 1 }, statuses: { null: 1 }, errors: { reset: 1 } },
    });
  });

  test('a server that hangs up instead of an answer: error closed on both sides', async () => {
    const at = port();
    await startNode(at);
    const raw = await openRaw(scene, { port: at });
    await raw.send('GET /hang-up HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await raw.ended();
    await raw.close();
    expect(await sides(at)).toEqual({
      client: { exchanges: 1, protocols: { http: 1 }, statuses: { null: 1 }, errors: { closed: 1 } },
      server: { exchanges: 1, protocols: { http: 1 }, statuses: { null: 1 }, errors: { closed: 1 } },
    });
  });

  test('a server that resets in the middle of its answer: the status is known, the error is reset', async () => {
    const at = port();
    await startNode(at);
    const raw = await openRaw(scene, { port: at });
    await raw.send('GET /reset-after/50000 HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await raw.ended();
    await raw.close();
    expect(await sides(at)).toEqual({
      client: { exchanges: 1, protocols: { http: 1 }, statuses: { 200: 1 }, errors: { reset: 1 } },
      server: { exchanges: 1, protocols: { http: 1 }, statuses: { 200: 1 }, errors: { reset: 1 } },
    });
  });

  test('a client that resets in the middle of the answer', async () => {
    const at = port();
    await startNode(at);
    const raw = await openRaw(scene, { port: at });
    await raw.send('GET /fixed/30000000 HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await raw.bytes(100_000);
    await raw.reset();
    expect(await sides(at)).toEqual({
      client: { exchanges: 1, protocols: { http: 1 }, statuses: { 200: 1 }, errors: { reset: 1 } },
      server: { exchanges: 1, protocols: { http: 1 }, statuses: { 200: 1 }, errors: { reset: 1 } },
    });
    expect(seenBy(sonde.at(at), 'client').responseBytes).toBe(raw.receivedBytes());
  });

  test('a client that resets before the answer', async () => {
    const at = port();
    let arrived: () => void = () => undefined;
    const arrival = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    await startRawServer(scene, { port: at, serve: (socket) => void once(socket, 'data').then(arrived) });
    const raw = await openRaw(scene, { port: at });
    await raw.send(GET);
    await arrival;
    await raw.reset();
    expect(await sides(at)).toEqual({
      client: { exchanges: 1, protocols: { http: 1 }, statuses: { null: 1 }, errors: { reset: 1 } },
      server: { exchanges: 1, protocols: { http: 1 }, statuses: { null: 1 }, errors: { reset: 1 } },
    });
  });

  test('an upgrade: one exchange with 101, and what follows does not count as HTTP', async () => {
    const at = port();
    await startNode(at);
    const raw = await openRaw(scene, { port: at });
    await raw.send('GET /echo HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
    await raw.bytes(60);
    for (let i = 1; i <= 5; i++) {
      const before = raw.receivedBytes();
      await raw.send('GET /not-a-request HTTP/1.1\r\n\r\n');
      await raw.bytes(before + 30);
    }
    await raw.close();
    await sonde.settle();
    const http = sonde.at(at).filter(({ protocol }) => protocol === 'http');
    expect(http.map(({ role, status, resource }) => `${role} ${status} ${resource}`).toSorted()).toEqual([
      'client 101 /echo',
      'server 101 /echo',
    ]);
  });

  test('the law holds with zero drops', () => expectLawWithoutLoss(sonde));

  async function sides(at: number): Promise<unknown> {
    const lines = await settled(sonde, at, 2);
    const brief = (role: 'client' | 'server'): unknown => {
      const { exchanges, protocols, statuses, errors } = seenBy(lines, role);
      return { exchanges, protocols, statuses, errors };
    };
    return { client: brief('client'), server: brief('server') };
  }
});
