import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DIRECTION, ROLE } from '../../../src/model/record.gen.ts';
import { eventually } from '../../traffic/condition.ts';
import { createScene, type Scene } from '../../traffic/scene.ts';
import { type Pair, startPair, startTalker, type Talker } from '../../traffic/talker.ts';
import { startRecorder, type Recorder, type SocketRecords } from '../records/recorder.ts';

let scene: Scene;
beforeEach(async () => {
  scene = await createScene();
});
afterEach(() => scene.end());

/** The server's end, when so many messages of it have come. */
async function serverEnd(recorder: Recorder, messages: number): Promise<SocketRecords | undefined> {
  const find = (): SocketRecords | undefined => recorder.sockets().find(({ role }) => role === ROLE.server);
  await eventually(() => (find()?.messages.length ?? 0) >= messages, 5_000);
  return find();
}

/** Who called, and what. */
function calls(socket: SocketRecords | undefined): [number, string, string][] {
  return (socket?.messages ?? []).map(({ tgid, direction, payload }) => [
    tgid,
    direction === DIRECTION.send ? 'sent' : 'received',
    payload,
  ]);
}

async function ask(pair: Pair, data: string): Promise<void> {
  await pair.client.tell({ do: 'send', id: pair.clientEnds[0], data });
}

/** Hands a socket from one process to the other; gives its number there. */
async function handOver(from: Talker, id: number | undefined, to: Talker): Promise<number> {
  const path = join(scene.directory, 'way');
  const way = await to.tell<{ id: number }>({ do: 'expect_socket', path });
  await from.tell({ do: 'pass_socket', id, path });
  return (await to.tell<{ id: number }>({ do: 'take_socket', id: way.id })).id;
}

test.each(['before the start', 'after it'])(
  'a socket that is passed to another process (SCM_RIGHTS), %s, is the other’s from its next call on',
  async (when) => {
    const pair = await startPair(scene);
    const other = startTalker(scene);
    const [id] = pair.serverEnds;
    const early = when === 'before the start' ? await handOver(pair.server, id, other) : undefined;
    const recorder = startRecorder(scene, { ports: [pair.port] });
    await eventually(() => recorder.sockets().length === 2, 5_000);
    const expected: [number, string, string][] = [];
    if (early === undefined) {
      await ask(pair, 'one');
      await pair.server.tell({ do: 'receive', id, size: 3 });
      expected.push([pair.server.pid, 'received', 'one']);
    }
    const there = early ?? (await handOver(pair.server, id, other));
    await ask(pair, 'two');
    await other.tell({ do: 'receive', id: there, size: 3 });
    await other.tell({ do: 'send', id: there, data: 'answer' });
    expected.push([other.pid, 'received', 'two'], [other.pid, 'sent', 'answer']);
    const socket = await serverEnd(recorder, expected.length);
    expect(calls(socket)).toEqual(expected);
    expect(socket?.tgid).toBe(early === undefined ? pair.server.pid : other.pid);
    expect(socket?.owners.map(({ tgid }) => tgid)).toEqual(early === undefined ? [other.pid] : []);
  },
);

test('a socket on its way between processes when the probe starts is found at its next call', async () => {
  const pair = await startPair(scene);
  const other = startTalker(scene);
  const path = join(scene.directory, 'way');
  const way = await other.tell<{ id: number }>({ do: 'expect_socket', path });
  await pair.server.tell({ do: 'pass_socket', id: pair.serverEnds[0], path });
  const recorder = startRecorder(scene, { ports: [pair.port] });
  expect(recorder.receiver.foundBefore().connections).toBe(1);
  const { id } = await other.tell<{ id: number }>({ do: 'take_socket', id: way.id });
  await ask(pair, 'late');
  await other.tell({ do: 'receive', id, size: 4 });
  const socket = await serverEnd(recorder, 1);
  expect(socket).toMatchObject({ tgid: other.pid, joined: true });
  expect(calls(socket)).toEqual([[other.pid, 'received', 'late']]);
});

test('a child that inherited a socket, and its parent: each call is its caller’s', async () => {
  const pair = await startPair(scene);
  const [id] = pair.serverEnds;
  const recorder = startRecorder(scene, { ports: [pair.port] });
  await eventually(() => recorder.sockets().length === 2, 5_000);
  await ask(pair, 'one');
  const child = await pair.server.tell<{ pid: number; data: string }>({
    do: 'in_child',
    call: { do: 'receive', id, size: 3 },
  });
  expect(child.data).toBe('one');
  await pair.server.tell({ do: 'send', id, data: 'answer' });
  const socket = await serverEnd(recorder, 2);
  expect(child.pid).not.toBe(pair.server.pid);
  expect(calls(socket)).toEqual([
    [child.pid, 'received', 'one'],
    [pair.server.pid, 'sent', 'answer'],
  ]);
  expect(socket?.owners.map(({ tgid }) => tgid)).toEqual([child.pid, pair.server.pid]);
});

test('a dup of a socket and calls of several threads are one connection of one process', async () => {
  const pair = await startPair(scene);
  const [id] = pair.serverEnds;
  const recorder = startRecorder(scene, { ports: [pair.port] });
  const copy = await pair.server.tell<{ id: number }>({ do: 'dup', id });
  await pair.server.tell({ do: 'close', id });
  await ask(pair, 'one');
  await pair.server.tell({ do: 'in_thread', call: { do: 'receive', id: copy.id, size: 3 } });
  await pair.server.tell({ do: 'in_thread', call: { do: 'send', id: copy.id, data: 'answer' } });
  await ask(pair, 'two');
  await pair.server.tell({ do: 'receive', id: copy.id, size: 3 });
  const socket = await serverEnd(recorder, 3);
  expect(calls(socket)).toEqual([
    [pair.server.pid, 'received', 'one'],
    [pair.server.pid, 'sent', 'answer'],
    [pair.server.pid, 'received', 'two'],
  ]);
  expect(socket?.owners).toEqual([]);
  expect(recorder.sockets()).toHaveLength(2);
});

test('a thread with a name of its own does not lend it to the connection', async () => {
  const server = startTalker(scene);
  const client = startTalker(scene);
  const { id, port } = await server.tell<{ id: number; port: number }>({ do: 'listen', host: '127.0.0.1' });
  const recorder = startRecorder(scene, { ports: [port] });
  const { ids } = await client.tell<{ ids: number[] }>({ do: 'connect', host: '127.0.0.1', port });
  const accepted = await server.tell<{ ids: number[] }>({ do: 'accept', id });
  await client.tell({ do: 'in_thread', call: { do: 'send', id: ids[0], data: 'one' } });
  await server.tell({ do: 'in_thread', call: { do: 'receive', id: accepted.ids[0], size: 3 } });
  const socket = await serverEnd(recorder, 1);
  expect(socket?.comm).toBe('python3');
  expect(recorder.sockets().map(({ comm }) => comm)).toEqual(['python3', 'python3']);
});
