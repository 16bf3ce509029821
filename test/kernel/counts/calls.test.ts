import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compileProgram, type ProgramOptions, runClient, startCServer } from '../../traffic/compile.ts';
import { freePorts } from '../../traffic/port.ts';
import { createScene, type Scene } from '../../traffic/scene.ts';
import { type Sonde, startSonde } from '../../traffic/sonde.ts';
import { expectBothSides, expectLawWithoutLoss, type Role, seenBy, settled, wholeHttp } from '../expectations.ts';

const SENDS = ['write', 'writev', 'send', 'sendto', 'sendmsg', 'sendmmsg', 'nonblock'];
const RECEIVES = ['read', 'readv', 'recv', 'recvfrom', 'recvmsg', 'recvmmsg', 'peek', 'nonblock'];
const COUNT = 150;

describe('every way of calling', () => {
  let scene: Scene;
  let sonde: Sonde;
  let server: string;
  let client: string;
  const ports: number[] = [];

  beforeAll(async () => {
    scene = await createScene();
    server = await compileProgram(scene, { name: 'server' });
    client = await compileProgram(scene, { name: 'client' });
    ports.push(...(await freePorts(50)));
    sonde = await startSonde(scene, { ports, lines: true });
  });
  afterAll(async () => scene?.end());

  /** Runs server and client with these calls; gives the port and what the client knows. */
  const talk = async (
    options: { server?: ProgramOptions; client?: ProgramOptions },
    program = client,
  ): Promise<{ port: number; exchanges: number; requestBytes: number; responseBytes: number }> => {
    const port = ports.pop() as number;
    const running = await startCServer(scene, server, { port, ...options.server });
    const made = await runClient(scene, program, { port, count: COUNT, ...options.client });
    await running.end();
    return { port, exchanges: made.exchanges, requestBytes: made.sent, responseBytes: made.received };
  };

  /** Count and bytes are right on this side, and so is the status of what could be read. */
  const expectCounted = async (
    role: Role,
    made: { port: number; exchanges: number; requestBytes: number; responseBytes: number },
    status: string | undefined,
  ): Promise<void> => {
    const lines = await settled(sonde, made.port, 2 * made.exchanges);
    const { exchanges, requestBytes, responseBytes, statuses, errors } = seenBy(lines, role);
    expect({ role, exchanges, requestBytes, responseBytes, statuses, errors }).toEqual({
      role,
      exchanges: made.exchanges,
      requestBytes: made.requestBytes,
      responseBytes: made.responseBytes,
      statuses: { [status ?? 'null']: made.exchanges },
      errors: {},
    });
  };

  const expectWhole = async (
    role: Role,
    made: { port: number; exchanges: number; requestBytes: number; responseBytes: number },
  ): Promise<void> => {
    expect(seenBy(await settled(sonde, made.port, 2 * made.exchanges), role)).toEqual(wholeHttp(made));
  };

  test.each(SENDS)('%s on both ends', async (send) => {
    const made = await talk({ server: { send }, client: { send } });
    await expectBothSides(sonde, made.port, made);
  });

  test.each(RECEIVES)('%s on both ends', async (how) => {
    const made = await talk({ server: { receive: how }, client: { head: how } });
    await expectBothSides(sonde, made.port, made);
  });

  test.each(RECEIVES)('%s of a body of 200,000 bytes on both ends', async (how) => {
    const made = await talk({
      server: { receive: how, body: 200_000, send: 'nonblock' },
      client: { head: how, post: 200_000, send: 'nonblock', count: 15 },
    });
    await expectBothSides(sonde, made.port, made);
  });

  test.each(['sendfile', 'splice'])('a body sent by %s after its head', async (how) => {
    const made = await talk({ server: { body_send: how, body: 20_000 } });
    await expectBothSides(sonde, made.port, made);
  });

  test.each(['trunc', 'splice'])('a body received by %s after its head', async (how) => {
    const made = await talk({ server: { body: 20_000 }, client: { head: 'recv', body: how } });
    await expectBothSides(sonde, made.port, made);
  });

  test.each(['sendfile', 'splice'])(
    'responses sent by %s, which cannot be read: counted, status unknown',
    async (how) => {
      const made = await talk({ server: { send: how } });
      await expectCounted('server', made, undefined);
      await expectWhole('client', made);
      expect(sonde.at(made.port).filter(({ role, complete }) => role === 'server' && complete)).toEqual([]);
    },
  );

  test.each(['sendfile', 'splice'])('requests sent by %s, which cannot be read: counted, status known', async (how) => {
    const made = await talk({ client: { send: how } });
    await expectCounted('client', made, '200');
    await expectWhole('server', made);
  });

  test.each(['write', 'sendmsg', 'sendmmsg'])('a 32-bit client with %s: counted, bytes right', async (send) => {
    const made = await talk({ client: { send } }, await compileProgram(scene, { name: 'client', bits: 32 }));
    await expectWhole('server', made);
    const lines = await settled(sonde, made.port, 2 * made.exchanges);
    const { exchanges, requestBytes, responseBytes } = seenBy(lines, 'client');
    expect({ exchanges, requestBytes, responseBytes }).toEqual({
      exchanges: made.exchanges,
      requestBytes: made.requestBytes,
      responseBytes: made.responseBytes,
    });
  });

  test('the law holds with zero drops', () => expectLawWithoutLoss(sonde));

  test('responses received by splice, which no hook sees: the bytes are right', async () => {
    const made = await talk({ client: { head: 'splice' } });
    await expectWhole('server', made);
    const { requestBytes, responseBytes } = seenBy(sonde.at(made.port), 'client');
    expect({ requestBytes, responseBytes }).toEqual({
      requestBytes: made.requestBytes,
      responseBytes: made.responseBytes,
    });
  });
});
