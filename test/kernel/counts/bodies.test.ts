import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../../traffic/condition.ts';
import { compileProgram, runClient, startCServer } from '../../traffic/compile.ts';
import { curl, h2load } from '../../traffic/generators/load.ts';
import { freePorts } from '../../traffic/port.ts';
import { createScene, type Scene } from '../../traffic/scene.ts';
import { startNginx } from '../../traffic/servers/nginx.ts';
import { type ScriptServer, startScriptServer } from '../../traffic/servers/scripts.ts';
import { type Sonde, startSonde } from '../../traffic/sonde.ts';
import { expectBothSides, expectLawWithoutLoss, sum } from '../expectations.ts';

describe('bodies of every shape: counts, statuses and bytes of both sides are right', () => {
  let scene: Scene;
  let sonde: Sonde;
  const ports: number[] = [];
  const port = (): number => ports.pop() as number;

  beforeAll(async () => {
    scene = await createScene();
    ports.push(...(await freePorts(24)));
    sonde = await startSonde(scene, { ports, lines: true });
  });
  afterAll(async () => scene?.end());

  /** Starts Node's server, lets curl make one exchange, and compares with the bytes of the server's socket. */
  const expectViaCurl = async (
    args: (url: string) => readonly string[],
    status: string,
    input?: string,
  ): Promise<void> => {
    const at = port();
    const server = await startScriptServer(scene, { kind: 'node', port: at });
    expect(await curl(scene, args(server.url), input)).toBe(status);
    const errors = Number(status) >= 400 ? { status: 1 } : {};
    await expectBothSides(sonde, at, { exchanges: 1, ...(await bytesOf(server)), statuses: { [status]: 1 }, errors });
    await server.process.end();
  };

  test.each([true, false])('1 MB down from nginx, sendfile %s', async (sendfile) => {
    const at = port();
    const nginx = await startNginx(scene, { port: at, sendfile, files: { big: 1_000_000 } });
    await h2load(scene, { url: `${nginx.url}/big`, exchanges: 40, connections: 4 });
    const entries = await nginx.entries();
    await expectBothSides(sonde, at, {
      exchanges: 40,
      requestBytes: sum(entries.map(({ requestBytes }) => requestBytes)),
      responseBytes: sum(entries.map(({ responseBytes }) => responseBytes)),
    });
    await nginx.process.end();
  });

  test('1 MB down from Node', () => expectViaCurl((url) => [`${url}/fixed/1000000`], '200'));

  test('1 MB up with curl, which asks to continue first', async () => {
    const file = join(scene.directory, 'upload');
    await writeFile(file, Buffer.alloc(1_000_000, 'u'));
    await expectViaCurl((url) => ['-H', 'Expect: 100-continue', '--data-binary', `@${file}`, `${url}/upload`], '200');
  });

  test('1 MB up with curl, without asking', async () => {
    const file = join(scene.directory, 'upload');
    await writeFile(file, Buffer.alloc(1_000_000, 'u'));
    await expectViaCurl((url) => ['-H', 'Expect:', '--data-binary', `@${file}`, `${url}/upload`], '200');
  });

  test('1 MB up, 20 times on one connection, by one blocking write each', async () => {
    const at = port();
    const server = await startCServer(scene, await compileProgram(scene, { name: 'server' }), { port: at });
    const client = await compileProgram(scene, { name: 'client' });
    const made = await runClient(scene, client, { port: at, count: 20, post: 1_000_000 });
    await expectBothSides(sonde, at, { exchanges: 20, requestBytes: made.sent, responseBytes: made.received });
    await server.end();
  });

  test('chunked down', () => expectViaCurl((url) => [`${url}/chunked/1000/7`], '200'));
  test('chunked down, 2 MB', () => expectViaCurl((url) => [`${url}/chunked/200000/10`], '200'));
  test('chunked up', () => expectViaCurl((url) => ['-T', '-', `${url}/upload`], '200', 'abc'.repeat(50_000)));
  test('HEAD', () => expectViaCurl((url) => ['-I', `${url}/fixed/5000`], '200'));
  test('204 without a body', () => expectViaCurl((url) => [`${url}/status/204`], '204'));
  test('304 without a body', () => expectViaCurl((url) => [`${url}/status/304`], '304'));
  test('103 early hints before the answer', () => expectViaCurl((url) => [`${url}/early`], '200'));
  test('HTTP/1.0', () => expectViaCurl((url) => ['--http1.0', `${url}/chunked/100/3`], '200'));
  test('a body that ends with the connection', () => expectViaCurl((url) => [`${url}/until-close/70000`], '200'));

  test('statuses: what the client calls an error from 400 on, the server does from 500 on', async () => {
    const at = port();
    const server = await startScriptServer(scene, { kind: 'node', port: at });
    for (const code of ['200', '301', '404', '503']) {
      expect(await curl(scene, [`${server.url}/status/${code}`])).toBe(code);
    }
    await sonde.settle();
    const errors = (role: string): Record<string, string | null> =>
      Object.fromEntries(
        sonde
          .at(at)
          .filter((line) => line.role === role)
          .map(({ status, error }) => [status ?? 'null', error] as const),
      );
    expect(errors('client')).toEqual({ 200: null, 301: null, 404: 'status', 503: 'status' });
    expect(errors('server')).toEqual({ 200: null, 301: null, 404: null, 503: 'status' });
    await server.process.end();
  });

  test('the law holds with zero drops', () => expectLawWithoutLoss(sonde));
});

async function bytesOf(server: ScriptServer): Promise<{ requestBytes: number; responseBytes: number }> {
  await until(() => server.connections.length > 0, { what: 'the server tells the bytes of its connection' });
  return {
    requestBytes: sum(server.connections.map(({ received }) => received)),
    responseBytes: sum(server.connections.map(({ sent }) => sent)),
  };
}
