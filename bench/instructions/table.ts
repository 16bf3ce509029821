import type { ProgramRuns } from '../bpf-usage.ts';
import { table } from '../document.ts';
import type { Boot, Load, Watched } from './finding.ts';

/** Instructions per exchange, all ends that were seen together. */
export interface Cost {
  /** In Sonde's BPF programs, by the kernel's statistics. */
  readonly bpf: number;
  /** In Sonde's process, user and kernel. */
  readonly own: number;
  /** Of nginx's process: also Sonde's programs in its system calls, and the entry into them. */
  readonly server: number;
  /** More than without Sonde, whoever took them. */
  readonly guest: number;
  /** Part of the throughput that is left. */
  readonly kept: number;
}

/** Measured elsewhere with the same load (server only, Linux 6.12.95); the prototype had a consumer in C. */
const PEERS: readonly (readonly string[])[] = [
  ['OBI (May 2025), server only', '63,100', '40,100', '103,200', '', '+104,600', '39.5 %'],
  ['prototype, server only', '2,160 – 2,390', '≈ 400', '2,600 – 2,700', '', '+2,600', '96 %'],
  ['goal, server only', '', '', '≤ 4,000', '', '', ''],
];

export function costOf(alone: Load, watched: Watched): Cost {
  const { load, own, programs, programsRequests } = watched;
  return {
    bpf: instructionsOf(programs) / programsRequests,
    own: own / load.requests,
    server: load.server / load.requests,
    guest: load.busy / load.requests - alone.busy / alone.requests,
    kept: alone.elapsed / alone.requests / (load.elapsed / load.requests),
  };
}

/** An exchange without Sonde, what the load generator takes to start and end subtracted. */
export function aloneOf({ alone: { small, large } }: Boot): { readonly guest: number; readonly server: number } {
  const requests = large.requests - small.requests;
  return { guest: (large.busy - small.busy) / requests, server: (large.server - small.server) / requests };
}

/** What does not agree with the load generator's count in a run, in words; nothing if all does. */
export function disagreements(name: string, watched: Watched): string[] {
  const { load, ends, counted, incomplete, broken } = watched;
  const expected = {
    server: ends === 'none' ? 0 : load.requests,
    client: ends === 'both' ? load.requests : 0,
  };
  const found: string[] = [];
  for (const side of ['server', 'client'] as const) {
    if (counted[side] !== expected[side]) found.push(`${side}: ${counted[side]} instead of ${expected[side]}`);
  }
  if (incomplete !== 0) found.push(`${incomplete} incomplete`);
  if (broken.length > 0) found.push(`the law does not hold at ${broken.join(', ')}`);
  return found.map((text) => `${name}: ${text}`);
}

/** The section of docs/overhead.md. */
export function instructionsSection(boots: readonly Boot[], made: string): string {
  const wrong = boots
    .flatMap(({ sonde }) => Array.from(sonde, ([name, watched]) => disagreements(name, watched)))
    .flat();
  const agreed =
    wrong.length === 0
      ? 'Every exchange of the load was counted, complete, at every end that was watched, and the law held.'
      : `**Not all was counted**: ${[...new Set(wrong)].join('; ')}.`;
  const most = Math.max(...boots.flatMap(({ sonde }) => Array.from(sonde.values(), ({ dropped }) => dropped)));
  const dropped =
    most === 0
      ? 'Nothing was dropped.'
      : `Since its start, the warm-up included, Sonde dropped up to ${whole(most)} records or messages, and said so.`;
  return [
    `${made} ${agreed} ${dropped}`,
    costTable(boots),
    '*differ* is the largest difference between the boots.',
    'Program by program:',
    programsTable(boots),
  ].join('\n\n');
}

function costTable(boots: readonly Boot[]): string {
  const rows = namesOf(boots).map((name) => {
    const seen = boots.flatMap(({ alone, sonde }) => {
      const watched = sonde.get(name);
      return watched === undefined ? [] : [{ cost: costOf(alone.large, watched), busy: watched.load.busy }];
    });
    const costs = seen.map(({ cost }) => cost);
    const of = (pick: (cost: Cost) => number): number[] => costs.map(pick);
    const show = (values: readonly number[]): string => whole(mean(values));
    return [
      `Sonde, ${name}`,
      show(of(({ bpf }) => bpf)),
      show(of(({ own }) => own)),
      show(of(({ bpf, own }) => bpf + own)),
      show(of(({ server }) => server)),
      signed(mean(of(({ guest }) => guest))),
      `${(100 * mean(of(({ kept }) => kept))).toFixed(1)} %`,
      differences([of(({ bpf }) => bpf), of(({ own }) => own), seen.map(({ busy }) => busy)]),
    ];
  });
  const alone = boots.map((boot) => aloneOf(boot).guest);
  const server = mean(boots.map((boot) => aloneOf(boot).server));
  return table(
    [
      'instructions an exchange',
      'BPF',
      'own process',
      'together',
      'nginx',
      'whole guest',
      'kept',
      'differ: BPF, own, guest',
    ],
    [
      ['without Sonde', '', '', '', whole(server), whole(mean(alone)), '', differences([alone])],
      ...rows,
      ...PEERS.map((row) => row.concat('')),
    ],
  );
}

/** What each of Sonde's programs takes, and the empty ones at the same hooks. */
function programsTable(boots: readonly Boot[]): string {
  const rows = namesOf(boots).flatMap((name) => {
    const runs = boots.flatMap(({ sonde }) => sonde.get(name) ?? []);
    const kinds: readonly (readonly [string, (watched: Watched) => readonly ProgramRuns[]])[] = [
      ['', ({ programs }) => programs],
      ['empty at ', ({ empty }) => empty],
    ];
    return kinds.flatMap(([prefix, pick]) => {
      const names = new Set(runs.flatMap((watched) => pick(watched).map((program) => program.name)));
      return Array.from(names, (program) => {
        const of = (key: 'ns' | 'runs'): number =>
          mean(
            runs.map(
              (watched) =>
                sumOf(
                  pick(watched).filter((one) => one.name === program),
                  key,
                ) / watched.programsRequests,
            ),
          );
        return { name, program: `${prefix}${program}`, instructions: of('ns'), runs: of('runs') };
      });
    });
  });
  return table(
    ['seen', 'attached to', 'instructions an exchange', 'runs an exchange', 'instructions a run'],
    rows
      .filter(({ instructions }) => instructions >= 0.5)
      .map(({ name, program, instructions, runs }) => [
        name,
        program,
        whole(instructions),
        runs.toFixed(3),
        whole(instructions / runs),
      ]),
  );
}

/** What was varied in any boot. */
const namesOf = (boots: readonly Boot[]): string[] => [...new Set(boots.flatMap(({ sonde }) => [...sonde.keys()]))];
const sumOf = (programs: readonly ProgramRuns[], key: 'ns' | 'runs'): number =>
  programs.reduce((sum, program) => sum + program[key], 0);
const instructionsOf = (programs: readonly ProgramRuns[]): number => sumOf(programs, 'ns');
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const whole = (value: number): string => Math.round(value).toLocaleString('en');
const signed = (value: number): string => (value < 0 ? '−' : '+') + whole(Math.abs(value));

/** (largest − smallest) / mean of each list, in percent. */
function differences(lists: readonly (readonly number[])[]): string {
  if (lists[0].length < 2) return '';
  return lists.map((values) => percent((Math.max(...values) - Math.min(...values)) / mean(values))).join(', ');
}
const percent = (ratio: number): string => `${(100 * ratio).toFixed(2)} %`;
