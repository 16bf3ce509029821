import { describe, expect, test } from 'vitest';
import { createGovernor } from '../../../src/governor/governor.ts';
import type { GovernorOptions, GovernorStep } from '../../../src/governor/governor.ts';
import type { PolicyCap } from '../../../src/governor/policy-cap.ts';
import { POLICY } from '../../../src/model/record.gen.ts';

const HEADERS = POLICY.headers | POLICY.set;
const CONNECTIONS = 64;
const WATCHED_KERNEL_NS = 900;
const COUNTED_KERNEL_NS = 150;
const WATCHED_USER_NS = 300;

/** A host with 64 busy connections whose cost follows the policies that they have. */
class Host {
  rate = 0;
  /** What the process costs beside all messages, share of a core. */
  base = 0;
  rss = 50e6;
  now = 0;
  statisticsOn = 0;
  cap: PolicyCap | undefined;
  readonly steps: GovernorStep[] = [];
  readonly shed = { caches: false, series: false, connections: false };
  readonly connections = Array.from({ length: CONNECTIONS }, (_, index) => ({
    index,
    generation: 1,
    number: 0,
    turnNumber: 0,
    recognised: true,
    serverPort: 80,
  }));
  #kernelNs = 0;
  #measuredNs = 0;
  #processNs = 0;
  #runs = 0;

  readonly governor;

  constructor(limits: GovernorOptions['limits']) {
    this.governor = createGovernor({
      limits,
      kernel: {
        programs: () => [{ name: 'sonde_send', runs: 0, runTimeNs: this.#measuredNs }],
        hookRuns: () => this.#runs,
        measure: () => {
          this.statisticsOn += 1;
          return { close: () => (this.statisticsOn -= 1) };
        },
      },
      processNs: () => this.#processNs,
      resident: () => this.rss,
      policies: { setCap: (cap) => (this.cap = cap) },
      // As the analyzer gives them: to be walked once.
      connections: () => this.connections.values(),
      memory: {
        caches: (shed) => (this.shed.caches = shed),
        series: (shed) => (this.shed.series = shed),
        connections: (shed) => (this.shed.connections = shed),
      },
      onStep: (step) => this.steps.push(step),
    });
  }

  /** So many seconds in ticks of 50 ms. */
  run(seconds: number): this {
    for (let tick = 0; tick < seconds * 20; tick++) {
      this.now += 50e6;
      this.#processNs += this.base * 50e6;
      for (const one of this.connections) {
        const messages = this.rate / CONNECTIONS / 20;
        const isCounted = this.#isCounted(one.index);
        one.turnNumber += messages;
        if (!isCounted) one.number += messages;
        const kernelNs = messages * (isCounted ? COUNTED_KERNEL_NS : WATCHED_KERNEL_NS);
        this.#kernelNs += kernelNs;
        if (this.statisticsOn > 0) this.#measuredNs += kernelNs;
        this.#processNs += messages * (isCounted ? 20 : WATCHED_USER_NS);
        this.#runs += messages;
      }
      this.governor.tick(this.now);
    }
    return this;
  }

  /** Share of a core over some seconds. */
  costOver(seconds: number): number {
    const before = this.#kernelNs + this.#processNs;
    this.run(seconds);
    return (this.#kernelNs + this.#processNs - before) / (seconds * 1e9);
  }

  get counted(): number {
    return this.connections.filter(({ index }) => this.#isCounted(index)).length;
  }

  #isCounted(index: number): boolean {
    return this.cap !== undefined && (this.cap({ index, generation: 1 }, HEADERS) & POLICY.mask) === POLICY.count;
  }
}

describe('the governor', () => {
  test('sheds when a load steps up, keeps to the limit, and returns when it steps down', () => {
    const host = new Host({ cpu: 0.05, memory: 1e9 });
    host.rate = 10_000;
    host.run(60);
    expect(host.steps).toEqual([]);
    host.rate = 150_000;
    expect(host.costOver(2)).toBeGreaterThan(0.15);
    host.run(30);
    expect(host.governor.state()).toMatchObject({ levels: { memory: 0 } });
    expect(host.governor.state().level).toBeGreaterThanOrEqual(3);
    expect(host.governor.state().reason).toMatch(/limits\.cpu 5 %, now .* watched/);
    expect(host.costOver(60)).toBeLessThanOrEqual(0.05);
    expect(host.counted).toBeGreaterThan(CONNECTIONS / 2);
    const { length } = host.steps;
    host.run(600);
    expect(host.steps.length - length).toBeLessThanOrEqual(2);
    host.rate = 10_000;
    host.run(120);
    expect(host.governor.state()).toMatchObject({ level: 0, reason: null, watched: 1 });
    expect(host.counted).toBe(0);
    expect(host.cap).toBeUndefined();
  });

  test('measures the kernel for a moment only, and estimates the rest from the runs', () => {
    const host = new Host({ cpu: 0.5, memory: 1e9 });
    host.rate = 50_000;
    let on = 0;
    for (let i = 0; i < 400; i++) {
      host.run(0.05);
      on += host.statisticsOn;
    }
    expect(on).toBeGreaterThan(0);
    expect(on / 400).toBeLessThan(0.05);
    expect(host.governor.kernelCost.measured).toBe(true);
    expect(host.governor.kernelCost.perRunNs).toBeCloseTo(WATCHED_KERNEL_NS, 0);
    expect(host.governor.state().cost.kernel).toBeCloseTo((50_000 * WATCHED_KERNEL_NS) / 1e9, 3);
    host.governor.stop();
    expect(host.statisticsOn).toBe(0);
  });

  test('at rest never has the kernel measure', () => {
    const host = new Host({ cpu: 0.05, memory: 1e9 });
    host.rate = 100;
    for (let i = 0; i < 200; i++) expect(host.run(0.1).statisticsOn).toBe(0);
  });

  test('without limits.cpu sheds nothing whatever it costs, and still says what that is', () => {
    const host = new Host({ cpu: undefined, memory: 1e9 });
    host.rate = 500_000;
    host.run(100);
    expect(host.steps).toEqual([]);
    expect(host.governor.state().cost.kernel).toBeGreaterThan(0.2);
  });

  test('does not shed for what the process itself costs, nor while it starts', () => {
    const host = new Host({ cpu: 0.02, memory: 1e9 });
    host.rate = 400;
    host.base = 0.05;
    host.run(120);
    expect(host.steps).toEqual([]);
    expect(host.governor.state().reason).toContain('nothing more can be shed');
    const starting = new Host({ cpu: 0.02, memory: 1e9 });
    starting.rate = 150_000;
    starting.run(14);
    expect(starting.steps).toEqual([]);
    starting.run(10);
    expect(starting.steps.length).toBeGreaterThan(0);
  });

  test('says so when nothing more can be shed', () => {
    const host = new Host({ cpu: 0.01, memory: 1e9 });
    host.rate = 500_000;
    host.run(100);
    expect(host.counted).toBe(CONNECTIONS);
    expect(host.governor.state().reason).toContain('nothing more can be shed');
  });

  test('gives up caches, then series, then connections while memory is short, and takes them back', () => {
    const host = new Host({ cpu: undefined, memory: 100e6 });
    host.run(10);
    host.rss = 110e6;
    host.run(25);
    expect(host.shed).toEqual({ caches: true, series: false, connections: false });
    expect(host.governor.state().reason).toContain('limits.memory 95 MiB, now 105 MiB');
    host.run(60);
    expect(host.shed).toEqual({ caches: true, series: true, connections: true });
    expect(host.governor.state().levels).toEqual({ cpu: 0, memory: 3 });
    host.rss = 60e6;
    host.run(300);
    expect(host.shed).toEqual({ caches: false, series: false, connections: false });
    expect(host.steps.map(({ direction }) => direction)).toEqual(['up', 'up', 'up', 'down', 'down', 'down']);
  });
});
