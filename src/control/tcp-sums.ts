import type { Labels } from '../model/label-sets.ts';
import { GROUP } from '../model/names.ts';
import type { SeriesField, SeriesSnapshot } from '../model/series.ts';

/** What the network did to the connections of a service, or of a service with one peer. */
export interface TcpSums {
  /** Open now. */
  connections: number;
  /** Since the start: segments sent again, resets of either side, connects that failed. */
  retransmits: number;
  resets: number;
  failed_connects: number;
  /** Round trips by `bounds.rtt_ns`, and those beyond the last. */
  readonly rtt: number[];
}

/** The bounds of the round trips; empty if the store keeps none. */
export function rttBounds(snapshot: SeriesSnapshot): readonly number[] {
  return fieldOf(snapshot, GROUP.tcpQuality, 'rtt')?.bounds ?? [];
}

export function noTcp(bounds: readonly number[]): TcpSums {
  return {
    connections: 0,
    retransmits: 0,
    resets: 0,
    failed_connects: 0,
    rtt: Array.from({ length: bounds.length + 1 }, () => 0),
  };
}

/** Adds every series about TCP to the sums that `find` gives for its labels. */
export function addTcp(snapshot: SeriesSnapshot, find: (labels: Labels) => readonly TcpSums[]): void {
  const each = (
    group: string,
    metric: string,
    add: (sums: TcpSums, value: (column: number) => number, field: SeriesField, labels: Labels) => void,
  ): void => {
    const found = snapshot.groups.find(({ name }) => name === group);
    const field = fieldOf(snapshot, group, metric);
    if (found === undefined || field === undefined) {
      return;
    }
    for (const { values, labels } of found.pages) {
      for (const [row, set] of labels.entries()) {
        if (set !== undefined) {
          const base = row * found.layout.stride;
          for (const sums of find(set)) {
            add(sums, (column) => values[base + column], field, set);
          }
        }
      }
    }
  };
  each(GROUP.tcpConnection, 'connections', (sums, value, field) => {
    sums.connections += value(field.level);
  });
  each(GROUP.tcpRetransmit, 'segments', (sums, value, field) => {
    sums.retransmits += value(field.sum);
  });
  each(GROUP.tcpReset, 'resets', (sums, value, field) => {
    sums.resets += value(field.sum);
  });
  each(GROUP.tcpConnect, 'connects', (sums, value, field, labels) => {
    sums.failed_connects += labels.result === 'ok' ? 0 : value(field.sum);
  });
  each(GROUP.tcpQuality, 'rtt', (sums, value, field) => {
    for (let bucket = 0; bucket <= field.bounds.length; bucket++) {
      sums.rtt[bucket] = sums.rtt[bucket] + value(field.buckets + bucket);
    }
  });
}

function fieldOf(snapshot: SeriesSnapshot, group: string, metric: string): SeriesField | undefined {
  const layout = snapshot.groups.find(({ name }) => name === group)?.layout;
  return layout?.fields.find((field) => field.metric === metric);
}
