import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CLOSE, DIRECTION, ROLE } from '../../../src/model/record.gen.ts';
import { eventually } from '../../traffic/condition.ts';
import { createScene, type Scene } from '../../traffic/scene.ts';
import { pass, startPair, startTalker, type Pair } from '../../traffic/talker.ts';
import { startRecorder, type Recorder, type SocketRecords } from '../records/recorder.ts';

const NONE = { include: [], exclude: [] };
const NOTHING = { tx: 0, rx: 0, number: 0, turn: 0 };

let scene: Scene;
beforeEach(async () => {
  scene = await createScene();
});
afterEach(() => scene.end());

/** The sockets of which the recorder has told, when there are so many, or after a while. */
async function told(recorder: Recorder, least: number): Promise<SocketRecords[]> {
  await eventually(() => recorder.sockets().length >= least, 5_000);
  return recorder.sockets();
}

interface End {
  readonly local: number;
  readonly remote: number;
  readonly pid: number;
  readonly comm: string;
}

/** What `ss` says of the TCP connections of a port. */
function connectionsOf(port: number): End[] {
  const text = execFileSync('ss', ['-tnpH', 'state', 'established', `( sport = :${port} or dport = :${port} )`], {
    encoding: 'utf8',
  });
  return text
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [, , local = '', remote = '', users = ''] = line.trim().split(/\s+/);
      const [, comm = '', pid = '0'] = /\("([^"]*)",pid=(\d+)/.exec(users) ?? [];
      const portOf = (address: string): number => Number(address.slice(address.lastIndexOf(':') + 1));
      return { local: portOf(local), remote: portOf(remote), pid: Number(pid), comm };
    })
    .toSorted(byPorts);
}

function endsOf(sockets: readonly SocketRecords[]): End[] {
  return sockets
    .map(({ localPort, remotePort, tgid, comm }) => ({ local: localPort, remote: remotePort, pid: tgid, comm }))
    .toSorted(byPorts);
}

function byPorts(a: End, b: End): number {
  return a.local - b.local || a.remote - b.remote;
}

async function exchangeOn(pair: Pair, at: number, ask: string, answer: string): Promise<void> {
  const client = [pair.client, pair.clientEnds[at] ?? 0] as const;
  const server = [pair.server, pair.serverEnds[at] ?? 0] as const;
  await pass(client, server, ask);
  await pass(server, client, answer);
}

describe('connections that were open before the start', () => {
  test.each([
    ['IPv4', '127.0.0.1', 4],
    ['IPv6', '::1', 6],
  ])('%s: each end is told with its process and role, as ss tells it, and no listener', async (_, host, family) => {
    const pair = await startPair(scene, { host, count: 6 });
    await exchangeOn(pair, 0, 'a question', 'an answer');
    const recorder = startRecorder(scene, { ports: [pair.port] });
    const sockets = await told(recorder, 12);
    expect(endsOf(sockets)).toEqual(connectionsOf(pair.port));
    expect(sockets).toHaveLength(12);
    for (const socket of sockets) {
      const isServer = socket.localPort === pair.port;
      expect(socket).toMatchObject({ family, joined: true, began: NOTHING, owners: [], messages: [] });
      expect(socket.role).toBe(isServer ? ROLE.server : ROLE.client);
      expect(socket.tgid).toBe(isServer ? pair.server.pid : pair.client.pid);
    }
    expect(recorder.receiver.foundBefore()).toMatchObject({ connections: 12 });
    expect(recorder.receiver.features()).toContainEqual({ name: 'backfill', state: 'on', reason: null, remedy: null });
  });

  test('what passes from then on is counted, and what passed before is not', async () => {
    const pair = await startPair(scene, { count: 1 });
    await exchangeOn(pair, 0, 'x'.repeat(1000), 'y'.repeat(5000));
    const recorder = startRecorder(scene, { ports: [pair.port] });
    await told(recorder, 2);
    await exchangeOn(pair, 0, 'ask', 'answer');
    await exchangeOn(pair, 0, 'more', 'of it');
    await pair.client.tell({ do: 'close', id: pair.clientEnds[0] });
    await pair.server.tell({ do: 'close', id: pair.serverEnds[0] });
    await eventually(() => recorder.sockets().every(({ closed }) => closed !== undefined), 5_000);
    const server = recorder.sockets().find(({ role }) => role === ROLE.server);
    expect(
      server?.messages.map(({ direction, size, tx, rx, turn, payload }) => [direction, size, tx, rx, turn, payload]),
    ).toEqual([
      [DIRECTION.receive, 3, 0, 3, 1, 'ask'],
      [DIRECTION.send, 6, 0, 3, 2, 'answer'],
      [DIRECTION.receive, 4, 6, 7, 3, 'more'],
      [DIRECTION.send, 5, 6, 7, 4, 'of it'],
    ]);
    expect(server?.closed).toEqual({ tx: 11, rx: 7, number: 4, turn: 4, reason: CLOSE.remote });
    const client = recorder.sockets().find(({ role }) => role === ROLE.client);
    expect(client?.closed).toEqual({ tx: 7, rx: 11, number: 4, turn: 4, reason: CLOSE.local });
    expect(recorder.strays).toEqual([]);
  });

  test('one whose peer has closed its half is followed too, and the end of its stream is no byte', async () => {
    const pair = await startPair(scene, { count: 1 });
    const [server = 0] = pair.serverEnds;
    await pass([pair.client, pair.clientEnds[0] ?? 0], [pair.server, server], 'before');
    await pair.client.tell({ do: 'close', id: pair.clientEnds[0] });
    expect(await pair.server.tell({ do: 'receive', id: server, size: 1 })).toMatchObject({ data: '' });
    const recorder = startRecorder(scene, { ports: [pair.port] });
    expect(recorder.receiver.foundBefore().connections).toBe(1);
    await pair.server.tell({ do: 'close', id: server });
    const [socket] = await told(recorder, 1);
    await eventually(() => socket?.closed !== undefined, 5_000);
    expect(socket?.closed).toMatchObject({ tx: 0, rx: 0, number: 0 });
  });

  test('one that waits to be accepted is seen from its beginning', async () => {
    const pair = await startPair(scene, { count: 1, accepted: false });
    await pair.client.tell({ do: 'send', id: pair.clientEnds[0], data: 'early' });
    const recorder = startRecorder(scene, { ports: [pair.port] });
    const sockets = await told(recorder, 2);
    expect(
      sockets.map(({ role, joined, tgid }) => ({ role, joined, tgid })).toSorted((a, b) => a.role - b.role),
    ).toEqual([
      { role: ROLE.client, joined: true, tgid: pair.client.pid },
      { role: ROLE.server, joined: false, tgid: 0 },
    ]);
    const { ids } = await pair.server.tell<{ ids: number[] }>({ do: 'accept', id: pair.listener });
    await pair.server.tell({ do: 'receive', id: ids[0], size: 5 });
    const server = recorder.sockets().find(({ role }) => role === ROLE.server);
    await eventually(() => (server?.messages.length ?? 0) > 0, 5_000);
    expect(server?.messages).toMatchObject([{ direction: DIRECTION.receive, rx: 5, size: 5, payload: 'early' }]);
    expect(server?.owners).toMatchObject([{ tgid: pair.server.pid }]);
  });

  test('the probe’s own connections are left out, the other end of them is not', async () => {
    const talker = startTalker(scene);
    const { id, port } = await talker.tell<{ id: number; port: number }>({ do: 'listen', host: '127.0.0.1' });
    const own = connect(port, '127.0.0.1');
    scene.onEnd(() => void own.destroy());
    await once(own, 'connect');
    await talker.tell({ do: 'accept', id });
    const recorder = startRecorder(scene, { ports: [port] });
    expect(recorder.receiver.foundBefore().connections).toBe(1);
    expect(await told(recorder, 1)).toMatchObject([{ role: ROLE.server, tgid: talker.pid }]);
  });
});

describe('filters', () => {
  const cgroupOf = (pid: number): number => {
    const path = execFileSync('sed', ['-n', 's/^0:://p', `/proc/${pid}/cgroup`], { encoding: 'utf8' }).trim();
    for (const root of ['/sys/fs/cgroup/unified', '/sys/fs/cgroup']) {
      try {
        return statSync(`${root}${path}`).ino;
      } catch {
        // The other one.
      }
    }
    return 0;
  };

  test('by port, process and cgroup hold for connections of before', async () => {
    const pair = await startPair(scene, { count: 3 });
    const other = await startPair(scene, { count: 2 });
    const ports = { include: [pair.port, other.port], exclude: [] };
    const found = async (filter: object): Promise<number> => {
      const recorder = startRecorder(scene, {
        ports: [],
        filter: { ports, pids: NONE, cgroups: NONE, ...filter },
      });
      const { connections } = recorder.receiver.foundBefore();
      await recorder.receiver.stop();
      return connections;
    };
    expect(await found({})).toBe(10);
    expect(await found({ ports: { include: [pair.port], exclude: [] } })).toBe(6);
    expect(await found({ ports: { ...ports, exclude: [pair.port] } })).toBe(4);
    expect(await found({ pids: { include: [pair.server.pid], exclude: [] } })).toBe(3);
    expect(await found({ pids: { include: [], exclude: [pair.server.pid, other.client.pid] } })).toBe(5);
    const cgroup = cgroupOf(pair.client.pid);
    expect(cgroup).not.toBe(0);
    expect(await found({ cgroups: { include: [cgroup], exclude: [] } })).toBe(10);
    expect(await found({ cgroups: { include: [], exclude: [cgroup] } })).toBe(0);
  });
});
