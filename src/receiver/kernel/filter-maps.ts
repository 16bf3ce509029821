import type { Probe } from './addon.ts';

/** Numbers to look at and numbers to leave out; both empty: all. */
export interface NumberFilter {
  readonly include: readonly number[];
  readonly exclude: readonly number[];
}

/** `capture.filter`: a socket is left out if any of its keys is excluded, or if a list that includes has none of them. */
export interface CaptureFilter {
  /** Local or remote. */
  readonly ports: NumberFilter;
  /** Process ids as the kernel's first namespace counts them. */
  readonly pids: NumberFilter;
  /** Ids of cgroups v2. */
  readonly cgroups: NumberFilter;
}

/** Values of the maps; bpf/include/filter.h. */
const INCLUDE = 1;
const EXCLUDE = 2;

const LISTS = [
  { key: 'ports', map: 'filter_ports', bytes: 2, used: 1, includes: 2 },
  { key: 'pids', map: 'filter_tgids', bytes: 4, used: 4, includes: 8 },
  { key: 'cgroups', map: 'filter_cgroups', bytes: 8, used: 16, includes: 32 },
] as const;

/** The bits of the constant `filter_use`: which lists there are, and which of them include. */
export function filterUse(filter: CaptureFilter): number {
  let bits = 0;
  for (const { key, used, includes } of LISTS) {
    const { include, exclude } = filter[key];
    if (include.length + exclude.length > 0) bits |= used;
    if (include.length > 0) bits |= includes;
  }
  return bits;
}

/** Writes the lists into the kernel's maps. */
export function writeFilters(probe: Pick<Probe, 'mapUpdate'>, filter: CaptureFilter): void {
  for (const { key, map, bytes } of LISTS) {
    for (const number of filter[key].include) probe.mapUpdate(map, encode(number, bytes), Uint8Array.of(INCLUDE));
    for (const number of filter[key].exclude) probe.mapUpdate(map, encode(number, bytes), Uint8Array.of(EXCLUDE));
  }
}

function encode(number: number, bytes: 2 | 4 | 8): Uint8Array {
  const whole = new Uint8Array(8);
  new DataView(whole.buffer).setBigUint64(0, BigInt(number), true);
  return whole.slice(0, bytes);
}
