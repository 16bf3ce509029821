import type { Metric } from './metric.ts';

/** Metrics about what Sonde itself costs and how it keeps to its limits. */
export const OWN_METRICS = {
  governorLevel: {
    name: 'sonde_governor_level',
    type: 'gauge',
    help: 'How much the governor sheds: 0 nothing, up to 7. Above 1 not every connection is watched.',
    labels: [],
  },
  governorSteps: {
    name: 'sonde_governor_steps_total',
    type: 'counter',
    help: 'Steps of the governor, up or down, because of cpu or memory.',
    labels: ['direction', 'reason'],
  },
  governorWatched: {
    name: 'sonde_governor_watched_ratio',
    type: 'gauge',
    help: 'Share of the messages whose connections are watched; the others are counted.',
    labels: [],
  },
  cpuRatio: {
    name: 'sonde_cpu_ratio',
    type: 'gauge',
    help: 'Share of one core taken over the last second: by this process, and by its programs in the kernel (estimated).',
    labels: ['where'],
  },
  kernelSeconds: {
    name: 'sonde_kernel_seconds_total',
    type: 'counter',
    help: 'Time of the programs in the kernel, estimated: runs of the socket hooks times what all programs took for each of them when last measured.',
    labels: [],
  },
  measuredRuns: {
    name: 'sonde_bpf_measured_runs_total',
    type: 'counter',
    help: 'Runs of a program that were measured: the kernel measures for a moment now and then.',
    labels: ['program'],
  },
  measuredSeconds: {
    name: 'sonde_bpf_measured_seconds_total',
    type: 'counter',
    help: 'Time of the runs that were measured; divided by their number, what a run takes.',
    labels: ['program'],
  },
  stageSeconds: {
    name: 'sonde_stage_cpu_seconds_total',
    type: 'counter',
    help: 'Time of this process by stage, estimated from a share of the batches: receiver (reading the rings), analyzer, processors (with exporters that take exchanges), windows (and timeouts), other (all the rest of its CPU time).',
    labels: ['stage'],
  },
  memory: {
    name: 'sonde_memory_bytes',
    type: 'gauge',
    help: 'Memory by part: maps (of the kernel, rings included), heap and buffers of JavaScript, series (part of the buffers), resident (the whole process).',
    labels: ['part'],
  },
  connections: {
    name: 'sonde_connections_tracked',
    type: 'gauge',
    help: 'Connections that are followed.',
    labels: [],
  },
} as const satisfies Record<string, Metric>;

/** A value of one of them at this moment. */
export interface OwnSample {
  readonly metric: keyof typeof OWN_METRICS;
  readonly labels?: readonly (readonly [string, string])[];
  readonly value: number;
}
