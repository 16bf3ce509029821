import { expect } from 'vitest';
import { eventually } from '../traffic/condition.ts';
import { lawOf, type StageSamples, sumOf } from '../traffic/metrics.ts';
import type { ExchangeLine, Sonde } from '../traffic/sonde.ts';

export type Role = 'client' | 'server';

/** What a side of a port saw, in a form whose difference from the expected one says what is wrong. */
export interface Seen {
  readonly exchanges: number;
  readonly complete: number;
  readonly protocols: Readonly<Record<string, number>>;
  readonly statuses: Readonly<Record<string, number>>;
  readonly errors: Readonly<Record<string, number>>;
  readonly requestBytes: number;
  readonly responseBytes: number;
}

export function seenBy(lines: readonly ExchangeLine[], role: Role): Seen {
  const own = lines.filter((line) => line.role === role);
  return {
    exchanges: own.length,
    complete: own.filter((line) => line.complete).length,
    protocols: tally(own.map((line) => line.protocol)),
    statuses: tally(own.map((line) => line.status ?? 'null')),
    errors: tally(own.flatMap((line) => line.error ?? [])),
    requestBytes: sum(own.map((line) => line.request_bytes)),
    responseBytes: sum(own.map((line) => line.response_bytes)),
  };
}

export interface Made {
  readonly exchanges: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** `200` for all unless said. */
  readonly statuses?: Readonly<Record<string, number>>;
  readonly errors?: Readonly<Record<string, number>>;
}

/** What either side must have seen when every exchange was plain, whole HTTP. */
export function wholeHttp({ exchanges, requestBytes, responseBytes, statuses, errors = {} }: Made): Seen {
  return {
    exchanges,
    complete: exchanges,
    protocols: { http: exchanges },
    statuses: statuses ?? { 200: exchanges },
    errors,
    requestBytes,
    responseBytes,
  };
}

/**
 * Everything that happened has come out. Waits first, for a while, until at least so many exchanges of the port have:
 * the last close of a connection can lag behind what the test saw of it.
 */
export async function settled(sonde: Sonde, port: number, least: number): Promise<readonly ExchangeLine[]> {
  await eventually(() => sonde.at(port).length >= least, 2_000);
  await sonde.settle();
  return sonde.at(port);
}

/** Both sides of a port saw exactly what was made, and nothing was left to another protocol. */
export async function expectBothSides(sonde: Sonde, port: number, made: Made): Promise<void> {
  const lines = await settled(sonde, port, 2 * made.exchanges);
  const whole = wholeHttp(made);
  expect({ client: seenBy(lines, 'client'), server: seenBy(lines, 'server') }).toEqual({
    client: whole,
    server: whole,
  });
}

const WITHOUT_LOSS = { unbalanced: [], dropped: [], completeness: 1 };

/** The law holds in every stage, nothing was dropped, and the page says that it is complete. */
export async function expectLawWithoutLoss(sonde: Sonde): Promise<void> {
  let account = await accountOf(sonde);
  await eventually(async () => {
    account = await accountOf(sonde);
    return account.unbalanced.length === 0 && account.completeness === 1;
  }, 3_000);
  const { unbalanced, dropped, completeness, stages } = account;
  expect({ unbalanced, dropped, completeness }).toEqual(WITHOUT_LOSS);
  expect(stages).toEqual(expect.arrayContaining(['hook', 'ring', 'analyzer', 'window']));
}

/** The law holds in every stage; gives what was dropped, by `stage.reason`. */
export async function expectLaw(sonde: Sonde): Promise<Record<string, number>> {
  let account = await accountOf(sonde);
  await eventually(async () => {
    account = await accountOf(sonde);
    return account.unbalanced.length === 0;
  }, 3_000);
  expect(account.unbalanced).toEqual([]);
  expect(account.stages).toEqual(expect.arrayContaining(['hook', 'ring', 'analyzer', 'window']));
  return Object.fromEntries(account.dropped);
}

interface Account {
  readonly stages: string[];
  readonly unbalanced: StageSamples[];
  readonly dropped: [string, number][];
  readonly completeness: number;
}

async function accountOf(sonde: Sonde): Promise<Account> {
  const samples = await sonde.scrape();
  const law = lawOf(samples);
  return {
    stages: law.map(({ stage }) => stage),
    unbalanced: law.filter(
      ({ produced, delivered, inFlight, dropped }) => produced !== delivered + inFlight + sum(Object.values(dropped)),
    ),
    dropped: law.flatMap(({ stage, dropped }) =>
      Object.entries(dropped)
        .filter(([, count]) => count !== 0)
        .map(([reason, count]): [string, number] => [`${stage}.${reason}`, count]),
    ),
    completeness: sumOf(samples, 'sonde_completeness_ratio'),
  };
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

export function median(numbers: readonly number[]): number {
  return quantile(numbers, 0.5);
}

export function quantile(numbers: readonly number[], q: number): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

function tally(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}
