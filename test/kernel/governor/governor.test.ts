import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../../traffic/condition.ts';
import { h2load } from '../../traffic/generators/load.ts';
import { lawOf, type Sample, sumOf } from '../../traffic/metrics.ts';
import { freePorts } from '../../traffic/port.ts';
import { createScene, type Scene } from '../../traffic/scene.ts';
import { type Nginx, startNginx } from '../../traffic/servers/nginx.ts';
import { type Sonde, startSonde } from '../../traffic/sonde.ts';

/** Of one run of the generator; it is run again until the governor, which does not judge the first 15 s, has stepped. */
const REQUESTS = 100_000;
const MOST_RUNS = 12;

let scene: Scene;
let sonde: Sonde;
let nginx: Nginx;

beforeEach(async () => {
  scene = await createScene();
  const [port = 0] = await freePorts(1);
  nginx = await startNginx(scene, { port });
  // Far less than a saturating load costs on any machine, far more than a probe at rest.
  sonde = await startSonde(scene, { ports: [port], limits: { cpu: '2%' } });
});
afterEach(async () => scene?.end());

const levelOf = (page: readonly Sample[]): number => sumOf(page, 'sonde_governor_level');

test('under a load above the limit it watches less, counts all the same, and returns afterwards', async () => {
  const levels: number[] = [];
  let leastComplete = 1;
  let made = 0;
  for (let run = 0; run < MOST_RUNS && (Math.max(0, ...levels) < 2 || leastComplete === 1); run++) {
    const running = new AbortController();
    const load = h2load(scene, { url: `${nginx.url}/index.html`, exchanges: REQUESTS, connections: 64 }).finally(() =>
      running.abort(),
    );
    while (!running.signal.aborted) {
      const page = await sonde.scrape();
      levels.push(levelOf(page));
      leastComplete = Math.min(leastComplete, sumOf(page, 'sonde_completeness_ratio'));
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    expect((await load).statuses['2xx']).toBe(REQUESTS);
    made += REQUESTS;
  }
  expect(Math.max(...levels)).toBeGreaterThan(1);

  const page = await until(
    async () => {
      const now = await sonde.scrape();
      return levelOf(now) === 0 && sumOf(now, 'sonde_in_flight', { stage: 'window' }) === 0 ? now : undefined;
    },
    { what: 'the governor returns to level 0', timeoutMs: 90_000, everyMs: 500 },
  );
  for (const role of ['client', 'server']) {
    expect({ role, exchanges: sumOf(page, 'sonde_exchanges_total', { role, protocol: 'http' }) }).toEqual({
      role,
      exchanges: made,
    });
  }
  const estimated = sumOf(page, 'sonde_exchanges_estimated_total', { role: 'server' });
  expect(estimated).toBeGreaterThan(0);
  expect(estimated).toBeLessThan(made);
  expect(leastComplete).toBeLessThan(1);
  expect(sumOf(page, 'sonde_governor_steps_total', { direction: 'up', reason: 'cpu' })).toBeGreaterThan(0);
  expect(sumOf(page, 'sonde_governor_steps_total', { direction: 'down', reason: 'cpu' })).toBeGreaterThan(0);
  for (const { stage, produced, delivered, inFlight, dropped } of lawOf(page)) {
    if (stage.startsWith('export')) continue;
    const lost = Object.values(dropped).reduce((sum, count) => sum + count, 0);
    expect({ stage, gap: produced - delivered - inFlight - lost }).toEqual({ stage, gap: 0 });
  }
}, 180_000);

test('what it costs is on the page: kernel time, stages, memory', async () => {
  // Stages are timed by samples, which a busy machine interrupts: more of them tell better.
  const page = await until(
    async () => {
      await h2load(scene, { url: `${nginx.url}/index.html`, exchanges: 20_000, connections: 16 });
      const now = await sonde.scrape();
      return sumOf(now, 'sonde_stage_cpu_seconds_total', { stage: 'analyzer' }) > 0 && now;
    },
    { what: 'all stages are timed', timeoutMs: 60_000 },
  );
  expect(sumOf(page, 'sonde_kernel_seconds_total')).toBeGreaterThan(0);
  for (const stage of ['receiver', 'analyzer', 'processors', 'windows', 'other']) {
    expect({ stage, used: sumOf(page, 'sonde_stage_cpu_seconds_total', { stage }) > 0 }).toEqual({ stage, used: true });
  }
  for (const part of ['maps', 'heap', 'buffers', 'series', 'resident']) {
    expect({ part, used: sumOf(page, 'sonde_memory_bytes', { part }) > 0 }).toEqual({ part, used: true });
  }
  const runs = sumOf(page, 'sonde_bpf_measured_runs_total', { program: 'sonde_send' });
  expect(runs).toBeLessThan(sumOf(page, 'sonde_produced_total', { stage: 'hook' }));
}, 90_000);
