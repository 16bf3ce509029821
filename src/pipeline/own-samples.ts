import type { OwnSample } from '../exporter/naming/own-metrics.ts';
import type { Governor } from '../governor/governor.ts';
import type { KernelReceiver } from '../receiver/kernel/kernel-receiver.ts';
import type { StageClock } from './stage-clock.ts';

export interface OwnSampleSources {
  readonly governor: Governor;
  readonly receiver: KernelReceiver;
  readonly clock: StageClock;
  /** Connections that are followed. */
  readonly connections: () => Iterable<unknown>;
  /** Memory of the series, bytes. */
  readonly seriesBytes: () => number;
}

/** What Sonde costs at this moment; read at a scrape only. */
export function readOwnSamples(sources: OwnSampleSources): OwnSample[] {
  const { governor, receiver, clock } = sources;
  const { level, steps, watched, cost } = governor.state();
  const { user, system } = process.cpuUsage();
  const stages = { receiver: receiver.drainSeconds(), ...clock.seconds };
  const staged = Object.values(stages).reduce((sum, seconds) => sum + seconds, 0);
  const memory = process.memoryUsage();
  let connections = 0;
  for (const _ of sources.connections()) connections += 1;
  const programs = receiver.programs();
  const maps = receiver.mapBytes();
  return [
    { metric: 'governorLevel', value: level },
    ...(['cpu', 'memory'] as const).flatMap((reason) =>
      (['up', 'down'] as const).map((direction): OwnSample => {
        const labels = [['direction', direction] as const, ['reason', reason] as const];
        return { metric: 'governorSteps', labels, value: steps[reason][direction] };
      }),
    ),
    { metric: 'governorWatched', value: watched },
    labelled('cpuRatio', 'where', 'process', cost.process),
    labelled('cpuRatio', 'where', 'kernel', cost.kernel),
    { metric: 'kernelSeconds', value: governor.kernelCost.totalNs / 1e9 },
    ...programs.map(({ name, runs }) => labelled('measuredRuns', 'program', name, runs)),
    ...programs.map(({ name, runTimeNs }) => labelled('measuredSeconds', 'program', name, runTimeNs / 1e9)),
    ...Object.entries(stages).map(([stage, seconds]) => labelled('stageSeconds', 'stage', stage, seconds)),
    labelled('stageSeconds', 'stage', 'other', Math.max(0, (user + system) / 1e6 - staged)),
    ...(maps === null ? [] : [labelled('memory', 'part', 'maps', maps)]),
    labelled('memory', 'part', 'heap', memory.heapUsed),
    labelled('memory', 'part', 'buffers', memory.arrayBuffers),
    labelled('memory', 'part', 'series', sources.seriesBytes()),
    labelled('memory', 'part', 'resident', memory.rss),
    { metric: 'connections', value: connections },
  ];
}

function labelled(metric: OwnSample['metric'], name: string, label: string, value: number): OwnSample {
  return { metric, labels: [[name, label]], value };
}
