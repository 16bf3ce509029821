import { afterAll, beforeAll, expect, test } from 'vitest';
import { DIRECTION } from '../../../src/model/record.gen.ts';
import { eventually } from '../../traffic/condition.ts';
import { freePorts } from '../../traffic/port.ts';
import { startProcess } from '../../traffic/process.ts';
import { createScene, type Scene } from '../../traffic/scene.ts';
import { startNginx } from '../../traffic/servers/nginx.ts';
import { startRecorder, type SocketRecords } from '../records/recorder.ts';

let scene: Scene;
let port = 0;
beforeAll(async () => {
  scene = await createScene();
  [port = 0] = await freePorts(1);
  await startNginx(scene, { port });
  startProcess(scene, {
    command: 'wrk',
    args: ['-t1', '-c32', '-d120s', `http://127.0.0.1:${port}/index.html`],
  });
});
afterAll(() => scene?.end());

/**
 * Messages of each connection that are waited for and looked at. Not those of the end, where the two hooks are detached
 * one after the other: the bytes of some calls are in no record then.
 */
const LOOKED_AT = 20;

/** Every byte of a connection from its first record on is in exactly one record. */
function broken({ began, messages }: SocketRecords): string[] {
  let { tx, rx } = began;
  return messages.slice(0, LOOKED_AT).flatMap(({ direction, tx: before, rx: after, size, number }, i) => {
    const receives = direction === DIRECTION.receive;
    const expected = { number: i + 1, before: tx, after: receives ? rx + size : rx };
    tx = receives ? before : before + size;
    rx = after;
    const right = number === expected.number && before === expected.before && after === expected.after;
    return right ? [] : [`${JSON.stringify({ number, before, after })}, not ${JSON.stringify(expected)}`];
  });
}

test('calls that run while connections are looked for are neither lost nor counted twice', async () => {
  for (let round = 0; round < 8; round++) {
    const recorder = startRecorder(scene, { ports: [port], ringBytes: 64 << 20 });
    const rich = (): number => recorder.sockets().filter(({ messages }) => messages.length >= LOOKED_AT).length;
    await eventually(() => rich() >= 64, 10_000);
    expect(rich()).toBe(64);
    await recorder.receiver.stop();
    const [hook] = recorder.receiver.stages.map((stage) => stage.read());
    expect(hook?.dropped).toMatchObject({ ring_full: 0, storage_full: 0 });
    expect(recorder.strays).toEqual([]);
    const sockets = recorder.sockets();
    expect(sockets).toHaveLength(64);
    expect(sockets.filter(({ joined }) => joined)).toHaveLength(64);
    expect(sockets.flatMap(broken)).toEqual([]);
  }
});
