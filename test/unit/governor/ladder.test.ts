import { describe, expect, test } from 'vitest';
import { Ladder } from '../../../src/governor/ladder.ts';
import { Plant, randomFrom } from './plant.ts';
import type { PlantOptions } from './plant.ts';

const BUDGET = 0.05;
/** Share of a core for a thousand messages a second: each level about half of the one below. */
const HALVES = [0.01, 0.009, 0.0048, 0.0026, 0.0015, 0.0009, 0.0005, 0.0004];

interface Run {
  readonly steps: { readonly at: number; readonly from: number; readonly to: number }[];
  /** Mean cost from a time on. */
  meanFrom(second: number): number;
  /** Most seconds in a row above the budget. */
  readonly longest: number;
  readonly level: number;
}

function run(options: PlantOptions, seconds: number): Run {
  const plant = new Plant(options);
  const ladder = new Ladder({ levels: HALVES.length - 1, budget: BUDGET });
  const steps: Run['steps'] = [];
  const costs: number[] = [];
  let above = 0;
  let longest = 0;
  for (let now = 0; now < seconds; now++) {
    const from = ladder.level;
    const { cost, units } = plant.measure(now, from);
    costs.push(cost);
    above = cost > BUDGET * 1.1 ? above + 1 : 0;
    longest = Math.max(longest, above);
    if (ladder.observe(now, cost, units) !== undefined) steps.push({ at: now, from, to: ladder.level });
  }
  return {
    steps,
    longest,
    level: ladder.level,
    meanFrom: (second) => costs.slice(second).reduce((a, b) => a + b, 0) / (costs.length - second),
  };
}

describe('a load that steps up and down', () => {
  const load = (now: number): number => (now >= 100 && now < 400 ? 20 : 1);

  test('raises the level within seconds, keeps to the budget, and lets go of it afterwards', () => {
    const whole = run({ load, perLoad: HALVES }, 600);
    expect(whole.steps[0]).toMatchObject({ from: 0 });
    expect(whole.steps[0].at).toBeLessThanOrEqual(104);
    const high = run({ load, perLoad: HALVES }, 400);
    expect(high.meanFrom(130)).toBeLessThanOrEqual(BUDGET);
    expect(high.level).toBeGreaterThan(0);
    expect(whole.level).toBe(0);
    expect(whole.steps.filter(({ at }) => at > 120 && at < 400)).toEqual([]);
  });

  test('under the budget changes nothing', () => {
    expect(run({ load: () => 4, perLoad: HALVES, noise: 0.2, random: randomFrom(1) }, 10_000).steps).toEqual([]);
  });
});

describe('10,000 seconds', () => {
  const seeds = Array.from({ length: 60 }, (_, seed) => seed + 1);

  test.each(seeds)('of a steady load with noise and delay settle: seed %i', (seed) => {
    const random = randomFrom(seed);
    const load = 1 + random() * 60;
    const noise = random() * 0.3;
    const slowness = random() * 3;
    const base = random() * 0.005;
    // Levels that save less, or more, than they should.
    let cost = 0.01;
    const perLoad = HALVES.map(() => {
      const now = cost;
      cost *= 0.35 + 0.5 * random();
      return now;
    });
    const result = run({ load: () => load, perLoad, noise, slowness, base, random }, 10_000);
    const attainable = base + load * (perLoad.at(-1) ?? 0);
    if (attainable < BUDGET * 0.9) expect(result.meanFrom(100)).toBeLessThanOrEqual(BUDGET * 1.05);
    if (attainable > BUDGET * 1.1) expect(result.level).toBe(HALVES.length - 1);
    // A few tries to return in nearly three hours, further and further apart.
    expect(result.steps.length).toBeLessThanOrEqual(24);
    expect(result.steps.filter(({ at }) => at > 5000).length).toBeLessThanOrEqual(8);
  });

  test.each(seeds)('of a load of random steps: never above the budget for long: seed %i', (seed) => {
    const random = randomFrom(seed);
    const loads = Array.from({ length: 50 }, () => (random() < 0.5 ? random() * 4 : random() * 80));
    const load = (now: number): number => loads[Math.floor(now / 200)] ?? 0;
    const result = run({ load, perLoad: HALVES, noise: 0.1, slowness: 1, random }, 10_000);
    expect(result.longest).toBeLessThanOrEqual(30);
    // For each change of load: the way up, and the way down.
    expect(result.steps.length).toBeLessThanOrEqual(loads.length * 8);
  });

  test('of a load that flips faster than the waiting time: returns come longer and longer apart', () => {
    const load = (now: number): number => (now % 40 < 20 ? 30 : 0.5);
    const { steps } = run({ load, perLoad: HALVES }, 10_000);
    const returns = (from: number): number =>
      steps.filter(({ at }, i) => at > from && i > 0 && steps[i].to < steps[i].from).length;
    // 250 times it went up and down.
    expect(returns(0)).toBeLessThanOrEqual(60);
    expect(returns(5000)).toBeLessThanOrEqual(returns(0) / 2);
  });
});

test('levels that shed nothing are passed over, up and down', () => {
  // Only levels 4 and 7 do anything.
  const useful = [0, 0, 0, 0, 1, 1, 1, 2];
  const ladder = new Ladder({ levels: 7, budget: 1, saves: (level, lower) => useful[level] - useful[lower] });
  const seen = new Set<number>();
  for (let now = 0; now < 60; now++) {
    ladder.observe(now, 1.5, 100);
    seen.add(ladder.level);
  }
  expect([...seen]).toEqual([0, 4, 7]);
  expect(ladder.exhausted).toBe(true);
  for (let now = 60; now < 200; now++) {
    ladder.observe(now, 0.01, 1);
    seen.add(ladder.level);
  }
  expect(ladder.level).toBe(0);
  expect([...seen]).toEqual([0, 4, 7]);
});

test('lets go when what it sheds saves nothing, even above the budget', () => {
  let saves = true;
  const ladder = new Ladder({ levels: 7, budget: 1, saves: (level, lower) => (saves ? level - lower : 0) });
  for (let now = 0; now < 30; now++) ladder.observe(now, 3, 100);
  expect(ladder.level).toBe(7);
  saves = false;
  for (let now = 30; now < 90; now++) ladder.observe(now, 3, 1);
  expect(ladder.level).toBe(0);
});
