/**
 * A process that opens a probe, writes the ids of its programs to standard output, and then ends, or is ended, in the
 * way that its argument names. Plain JavaScript: it runs in a node of its own.
 */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

const path = (relative) => fileURLToPath(new URL(`../../../../build/${relative}`, import.meta.url));
const { Probe, RunTimeStats } = createRequire(import.meta.url)(process.env.SONDE_ADDON ?? path('Release/sonde.node'));

function open() {
  const ringBytes = 64 << 10;
  const probe = new Probe({
    object: path('bpf/producer.bpf.o'),
    ringBytes,
    maxConnections: 16,
    rodata: { ring_bytes: ringBytes },
    programs: ['put_records', 'on_exec', 'count_sockets'],
  });
  probe.attach('on_exec');
  probe.attach('count_sockets');
  return probe;
}

/** With a thread that calls back again and again. */
function openWatched() {
  const probe = open();
  probe.watch(() => probe.arm(1, 2));
  probe.arm(1, 2);
  return probe;
}

const ids = (probe) => probe.programs().map(({ id }) => id);
const say = (...lines) => process.stdout.write(`${lines.map((line) => JSON.stringify(line)).join('\n')}\n`);

function drainForEver(probe, each) {
  const target = new ArrayBuffer(1 << 16);
  const put = new Uint8Array(Uint32Array.of(0, 64, 64, 1, 1, 0, 0, 0, 100, 1).buffer);
  for (;;) {
    probe.run('put_records', put);
    probe.drain(target, true);
    probe.policies[0] += 1;
    each();
  }
}

const ways = {
  /** Stays until it is killed. */
  wait() {
    say(ids(openWatched()));
    setInterval(() => {}, 1000);
  },
  /** Ends by itself with the probe open. */
  end() {
    say(ids(open()));
  },
  exit() {
    const probe = openWatched();
    say(ids(probe));
    setImmediate(() => {
      let rounds = 0;
      drainForEver(probe, () => {
        if (++rounds === 1000) process.exit(0);
      });
    });
  },
  throw() {
    const probe = openWatched();
    say(ids(probe));
    setImmediate(() => {
      probe.policies[0] = 1;
      throw new Error('on purpose');
    });
  },
  /** Drops open probes; what they hold must be freed while the process goes on. */
  async gc() {
    const seen = [];
    for (let i = 0; i < 5; i++) seen.push(...ids(open()));
    // A view of a collected probe's policies stays valid memory.
    const policies = open().policies;
    for (let i = 0; i < 10; i++) {
      globalThis.gc();
      await new Promise((resolve) => setImmediate(resolve));
      policies[0] += 1;
    }
    const stats = [new RunTimeStats()];
    stats.pop();
    globalThis.gc();
    say(seen, policies[0]);
    await new Promise((resolve) => process.stdin.once('data', resolve));
    process.exit(0);
  },
  async terminate() {
    for (let i = 0; i < 5; i++) {
      const worker = new Worker(new URL(import.meta.url), { workerData: 'drain' });
      const seen = await new Promise((resolve, reject) => {
        worker.once('message', resolve);
        worker.once('error', reject);
      });
      await worker.terminate();
      say(seen);
    }
    await new Promise((resolve) => process.stdin.once('data', resolve));
    process.exit(0);
  },
  /** A worker that is still draining when the whole process exits. */
  async exitWithWorkers() {
    const probe = openWatched();
    say(ids(probe));
    for (let i = 0; i < 2; i++) {
      const worker = new Worker(new URL(import.meta.url), { workerData: 'drain' });
      say(await new Promise((resolve) => worker.once('message', resolve)));
    }
    process.exit(0);
  },
  drain() {
    const probe = openWatched();
    let told = false;
    drainForEver(probe, () => {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      if (!told) parentPort.postMessage(ids(probe));
      told = true;
    });
  },
};

await ways[isMainThread ? process.argv[2] : workerData]();
