import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../../traffic/condition.ts';
import { h2load } from '../../traffic/generators/load.ts';
import { freePorts } from '../../traffic/port.ts';
import { createScene, type Scene } from '../../traffic/scene.ts';
import { type Nginx, startNginx } from '../../traffic/servers/nginx.ts';
import { sum } from '../expectations.ts';
import { startRecorder } from './recorder.ts';

const COUNT = 20_000;
const CONNECTIONS = 8;

describe('records that find no room', () => {
  let scene: Scene;
  let nginx: Nginx;
  let port: number;

  beforeEach(async () => {
    scene = await createScene();
    [port = 0] = await freePorts(1);
    nginx = await startNginx(scene, { port });
  });
  afterEach(async () => scene?.end());

  test('the numbers and turns of each socket tell how many records and messages were lost', async () => {
    const recorder = startRecorder(scene, { ports: [port], ringBytes: 64 << 10, payloadBytes: 256 });
    const loading = h2load(scene, { url: `${nginx.url}/index.html`, exchanges: COUNT, connections: CONNECTIONS });
    const messages = (): number => sum(recorder.sockets().map((socket) => socket.messages.length));
    await until(() => messages() > 1_000, { what: 'the load is seen' });
    // The reader lives on this thread: nothing is read meanwhile.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 150);
    await loading;
    const ends = await until(
      () => {
        const closed = recorder.sockets().flatMap((socket) => socket.closed ?? []);
        return closed.length === 2 * CONNECTIONS && closed;
      },
      { what: 'all sockets are closed' },
    );
    const counters = recorder.receiver.counters();
    expect(counters.dropRingFull).toBeGreaterThan(0);
    expect(counters.countMessages).toBe(messages());
    expect(sum(ends.map(({ number }) => number))).toBe(messages() + counters.dropRingFull);
    expect(sum(ends.map(({ turn }) => turn))).toBe(2 * 2 * COUNT);
  });

  test('a reader that keeps up loses none at full load', async () => {
    const recorder = startRecorder(scene, { ports: [port], ringBytes: 16 << 20, payloadBytes: 256 });
    await h2load(scene, { url: `${nginx.url}/index.html`, exchanges: COUNT, connections: CONNECTIONS });
    await until(() => recorder.sockets().filter(({ closed }) => closed !== undefined).length === 2 * CONNECTIONS, {
      what: 'all sockets are closed',
    });
    const { dropRingFull, ringLifeFull } = recorder.receiver.counters();
    expect({ dropRingFull, ringLifeFull }).toEqual({ dropRingFull: 0, ringLifeFull: 0 });
    for (const { messages, closed } of recorder.sockets()) {
      expect(closed?.number).toBe(messages.length);
      expect(messages.map(({ number }) => number)).toEqual(messages.map((_, i) => i + 1));
    }
    expect(sum(recorder.sockets().map(({ closed }) => closed?.turn ?? 0))).toBe(2 * 2 * COUNT);
  });
});
