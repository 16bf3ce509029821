// What scripts/kernels runs in a guest: `sonde doctor`, then `sonde run` beside real traffic over loopback, whose
// exchanges, statuses, bytes and datagrams are known and compared. Each finding is a line of JSON on standard output:
// {"check":"feature"|"traffic"|"law"|"end",…}. Runs anywhere as root: `node test/kernels/guest/check.mjs`.
import { execFile, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, writeSync } from 'node:fs';
import { Agent, createServer, request } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { release } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

const root = [resolve(import.meta.dirname, '..'), resolve(import.meta.dirname, '../../..')].find((folder) =>
  existsSync(join(folder, 'dist/cli/main.js')),
);
const programs = process.env.SONDE_GUEST_PROGRAMS ?? root;
const run = promisify(execFile);
const started = performance.now();

function tell(finding) {
  writeSync(1, `${JSON.stringify({ ...finding, at_s: Math.round((performance.now() - started) / 100) / 10 })}\n`);
}

const env = {
  PATH: process.env.PATH,
  SONDE_CONFIG: '/dev/null',
  SONDE_CAPTURE_QUEUE_TIME: 'precise',
  SONDE_CAPTURE_UDP: 'true',
  SONDE_EXPORTERS_STDOUT_ENABLED: 'true',
};

// --- sonde doctor ---------------------------------------------------------------------------------------------------

async function checkDoctor() {
  let output;
  let code = 0;
  try {
    output = (await run(process.execPath, [join(root, 'dist/cli/main.js'), 'doctor', '--json'], { env })).stdout;
  } catch (error) {
    ({ stdout: output, code } = error);
  }
  const { features } = JSON.parse(output);
  for (const { name, state, reason } of features) tell({ check: 'feature', name, state, reason });
  tell({ check: 'traffic', name: 'a request that doctor makes', ok: code !== 3, detail: `doctor ended with ${code}` });
}

// --- sonde run ------------------------------------------------------------------------------------------------------

async function startSonde() {
  const child = spawn(join(root, 'bin/sonde'), ['run'], {
    env: {
      ...env,
      SONDE_EXPORTERS_PROMETHEUS_LISTEN: '127.0.0.1:0',
      SONDE_CONTROL_LISTEN: '127.0.0.1:0',
      SONDE_LOG_LEVEL: 'warn',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines = [];
  const told = [];
  let ready;
  const whenReady = new Promise((settle) => {
    ready = settle;
  });
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(JSON.parse(line)));
  createInterface({ input: child.stderr }).on('line', (line) => {
    told.push(line);
    if (line.startsWith('sonde ready')) ready();
  });
  const ended = once(child, 'close').then(([code]) => code);
  if ((await Promise.race([whenReady, ended])) !== undefined) throw new Error(`sonde ended: ${told.join(' | ')}`);
  return {
    async stop() {
      child.kill('SIGTERM');
      const code = await ended;
      return { code, lines, told };
    },
  };
}

function checkLaw({ code, told }) {
  const stages = told.filter((line) => line.startsWith('law stage='));
  for (const line of stages) {
    const read = (name) => Number(new RegExp(` ${name}=(\\d+)`).exec(line)?.[1]);
    const holds = read('produced') === read('delivered') + read('in_flight') + read('dropped');
    // A program that interrupts itself is refused by the kernel, and counted; an emulated CPU is slow enough for it.
    const refused = Number(/ dropped\.recursion=(\d+)/.exec(line)?.[1] ?? 0);
    tell({ check: 'law', name: /stage=(\S+)/.exec(line)[1], ok: holds && read('dropped') === refused, detail: line });
  }
  const rest = told.filter((line) => !stages.includes(line) && !/^sonde (ready|done)/.test(line));
  tell({
    check: 'law',
    name: 'ends in order',
    ok: code === 0 && stages.length > 0,
    detail: rest.slice(0, 5).join(' | '),
  });
}

// --- HTTP -----------------------------------------------------------------------------------------------------------

const STATUSES = [200, 201, 404, 500];

/** Node at both ends; `expected` counts what the generator itself knows. */
async function talkHttp(name, { host, count, keepAlive }) {
  const server = createServer((incoming, answer) => {
    incoming.resume().on('end', () => {
      const at = Number(incoming.url.slice('/item/'.length));
      answer.writeHead(STATUSES[at % STATUSES.length], { 'content-type': 'text/plain' });
      answer.end('x'.repeat(at * 37));
    });
  });
  server.listen(0, host);
  await once(server, 'listening');
  const { port } = server.address();
  const agent = new Agent({ keepAlive, maxSockets: 1 });
  const bytes = { request: 0, response: 0 };
  server.on('connection', (socket) =>
    socket.once('close', () => {
      bytes.request += socket.bytesRead;
      bytes.response += socket.bytesWritten;
    }),
  );
  for (let at = 0; at < count; at++) {
    const call = request({ host, port, path: `/item/${at}`, method: at % 2 ? 'POST' : 'GET', agent });
    call.end(at % 2 ? 'y'.repeat(at * 11) : undefined);
    const [response] = await once(call, 'response');
    response.resume();
    await once(response, 'end');
  }
  agent.destroy();
  await new Promise((done) => server.close(done));
  await delay(50);
  return { name, port, count, bytes, statuses: STATUSES.map((status, at) => [status, Math.ceil((count - at) / 4)]) };
}

async function freePort() {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** The C programs of the tests at both ends, by the system calls that they are told to use. */
async function talkByCalls(name, serverOptions, clientOptions) {
  const port = await freePort();
  const options = (given) => Object.entries(given).map(([key, value]) => `${key}=${value}`);
  const server = spawn(join(programs, 'server'), options({ port, ...serverOptions }), {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(server.stdout, 'data');
  const count = 20;
  const { stdout } = await run(join(programs, 'client'), options({ port, count, ...clientOptions }));
  const made = JSON.parse(stdout);
  server.kill('SIGKILL');
  await once(server, 'close');
  return { name, port, count, bytes: { request: made.sent, response: made.received }, statuses: [[200, count]] };
}

function checkTraffic(lines, { name, port, count, bytes, statuses }) {
  const mine = lines.filter((line) => line.dst.endsWith(`:${port}`));
  const wrong = [];
  const expect = (what, is, should) => {
    if (is !== should) wrong.push(`${what} ${is} instead of ${should}`);
  };
  for (const role of ['client', 'server']) {
    const seen = mine.filter((line) => line.role === role && line.protocol === 'http');
    const sum = (key) => seen.reduce((total, line) => total + line[key], 0);
    expect(`${role}: exchanges`, seen.length, count);
    expect(`${role}: incomplete`, seen.filter((line) => !line.complete).length, 0);
    expect(`${role}: request bytes`, sum('request_bytes'), bytes.request);
    expect(`${role}: response bytes`, sum('response_bytes'), bytes.response);
    for (const [status, times] of statuses) {
      expect(`${role}: ${status}`, seen.filter((line) => line.status === String(status)).length, times);
    }
  }
  expect('others', mine.filter((line) => line.protocol !== 'http').length, 0);
  tell({
    check: 'traffic',
    name,
    ok: wrong.length === 0,
    detail: wrong.join('; ') || `${count} exchanges at each end`,
  });
}

// --- UDP ------------------------------------------------------------------------------------------------------------

/** Questions from one socket, answers from another; an IPv6 socket may talk to an IPv4 address. */
async function talkUdp(name, { type, bindTo, host, count = 8 }) {
  const server = createSocket(type);
  server.on('message', (question, from) => server.send(`re: ${String(question)}`, from.port, from.address));
  server.bind(0, bindTo);
  await once(server, 'listening');
  const { port } = server.address();
  const client = createSocket(type);
  client.connect(port, host);
  await once(client, 'connect');
  for (let at = 0; at < count; at++) {
    client.send(`question ${at}`);
    await once(client, 'message');
  }
  client.close();
  server.close();
  return { name, port, count, request: 10 * count, response: 14 * count };
}

function checkUdp(lines, { name, port, count, request: asked, response: answered }) {
  const seen = lines.filter((line) => line.role === 'client' && line.dst.endsWith(`:${port}`));
  const sum = (key) => seen.reduce((total, line) => total + line[key], 0);
  const found = [seen.length, sum('request_bytes'), sum('response_bytes')].join(', ');
  const should = [count, asked, answered].join(', ');
  const detail = `exchanges, bytes: ${found}`;
  tell({
    check: 'traffic',
    name,
    ok: found === should,
    detail: found === should ? detail : `${detail}; not ${should}`,
  });
}

// --------------------------------------------------------------------------------------------------------------------

tell({ check: 'kernel', name: release(), node: process.version });
try {
  await checkDoctor();
  const sonde = await startSonde();
  const made = [
    await talkHttp('HTTP, keep-alive', { host: '127.0.0.1', count: 60, keepAlive: true }),
    await talkHttp('HTTP, a connection each', { host: '127.0.0.1', count: 20, keepAlive: false }),
    await talkHttp('HTTP over IPv6', { host: '::1', count: 20, keepAlive: true }),
    await talkByCalls('write, read', { send: 'write', receive: 'read' }, {}),
    await talkByCalls('writev, readv', { send: 'writev', receive: 'readv' }, { send: 'writev', head: 'readv' }),
    await talkByCalls(
      'sendmsg, recvmsg',
      { send: 'sendmsg', receive: 'recvmsg' },
      { send: 'sendmsg', head: 'recvmsg' },
    ),
    await talkByCalls('sendmmsg, recvmmsg', { send: 'sendmmsg', receive: 'recvmmsg' }, { head: 'recvmmsg' }),
    await talkByCalls(
      'non-blocking',
      { send: 'nonblock', receive: 'nonblock' },
      { send: 'nonblock', head: 'nonblock' },
    ),
    await talkByCalls('MSG_PEEK', { receive: 'peek' }, { head: 'peek' }),
    await talkByCalls('MSG_TRUNC', { body: 5000 }, { head: 'recv', body: 'trunc' }),
    await talkByCalls('sendfile', { body: 50_000, body_send: 'sendfile' }, {}),
    await talkByCalls('splice into the socket', { body: 5000, body_send: 'splice' }, {}),
  ];
  const asked = [
    await talkUdp('UDP', { type: 'udp4', bindTo: '127.0.0.1', host: '127.0.0.1' }),
    await talkUdp('UDP over IPv6', { type: 'udp6', bindTo: '::1', host: '::1' }),
    await talkUdp('UDP, IPv4 through an IPv6 socket', { type: 'udp6', bindTo: '::', host: '::ffff:127.0.0.1' }),
  ];
  const ended = await sonde.stop();
  for (const each of made) checkTraffic(ended.lines, each);
  for (const each of asked) checkUdp(ended.lines, each);
  checkLaw(ended);
} catch (error) {
  tell({ check: 'traffic', name: 'the checks themselves', ok: false, detail: String(error?.stack ?? error) });
}
tell({ check: 'end' });
