import type { ClockAnchor } from '../model/clock.ts';
import type { ProcessNote } from '../model/process-note.ts';

/** What one stage of the law had counted. */
export interface LossNote {
  readonly stage: string;
  readonly produced: number;
  readonly delivered: number;
  readonly in_flight: number;
  readonly dropped: Readonly<Record<string, number>>;
  readonly skipped: Readonly<Record<string, number>>;
}

/** Side entries of a recording, each before the records that it is needed for. */
export type Note =
  /** The wall clock from here on: all anchors that hold. */
  | { readonly clock: readonly AnchorNote[] }
  /** A process as it was looked up. */
  | { readonly process: ProcessNote }
  | SteerNote
  /** Counts of the stages, every ten seconds and at the end. */
  | { readonly loss: readonly LossNote[] }
  /** Records that the recorder itself lost here. */
  | { readonly gap: { readonly records: number; readonly reason: string } };

/** What was done to the analyzers from outside, which the exchanges depend on. */
export type SteerNote =
  /** New connections are taken up, or left alone for want of memory. */
  | { readonly admit: boolean }
  | { readonly protocol: string; readonly enabled: boolean }
  /** Null: the protocol's own. */
  | { readonly settings: string; readonly ports: readonly number[] | null; readonly timeout_ns: number | null }
  | { readonly end_datagrams: true }
  /** Index and generation of the connection. */
  | { readonly ignore: number; readonly generation: number; readonly ignored: boolean };

/** ns as text: JSON numbers are not exact. */
export type AnchorNote = readonly [since: string, offset: string];

export function anchorNotes(anchors: readonly ClockAnchor[]): AnchorNote[] {
  return anchors.map(({ since, offset }) => [String(since), String(offset)]);
}

const NS = /^-?\d{1,20}$/;
const MAX_ANCHORS = 64;

/** Null if these are none. */
export function readAnchors(value: unknown): ClockAnchor[] | null {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_ANCHORS) return null;
  const anchors: ClockAnchor[] = [];
  for (const one of value as unknown[]) {
    if (!Array.isArray(one) || one.length !== 2) return null;
    const [since, offset] = one as unknown[];
    if (typeof since !== 'string' || typeof offset !== 'string' || !NS.test(since) || !NS.test(offset)) return null;
    anchors.push({ since: BigInt(since), offset: BigInt(offset) });
  }
  return anchors;
}

const MAX_TEXT = 4096;

/** Null if this is none. */
export function readProcess(value: unknown): ProcessNote | null {
  if (typeof value !== 'object' || value === null) return null;
  const {
    pid,
    start_time: startTime,
    comm,
    executable,
    container_id: container,
    service_name: service,
  } = value as Record<string, unknown>;
  if (!isText(pid) || !isText(startTime) || !isText(comm) || !isText(service)) return null;
  if ((executable !== null && !isText(executable)) || (container !== null && !isText(container))) return null;
  return { pid, start_time: startTime, comm, executable, container_id: container, service_name: service };
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_TEXT;
}
