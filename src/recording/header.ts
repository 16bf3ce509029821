import { arch, cpus, endianness, platform, release } from 'node:os';
import type { ClockAnchor } from '../model/clock.ts';
import type { ProcessNote } from '../model/process-note.ts';
import { currentLayout, LayoutError, planTranslation } from './layout.ts';
import type { Translation } from './layout.ts';
import { anchorNotes, readAnchors, readProcess } from './note.ts';

/** What is masked in a recording; see Redactor. */
export type Redaction = 'none' | 'bodies' | 'paths';

/** What a recording says of itself, whatever part of it is read. */
export interface RecordingHeader {
  /** The same in all files of one recording. */
  readonly recording: string;
  /** From 1, in the order of time. */
  readonly part: number;
  /** RFC 3339. */
  readonly created: string;
  /** Version of the program. */
  readonly program: string;
  readonly redaction: Redaction;
  /** CLOCK_MONOTONIC ns that is 0 in records and ticks. */
  readonly origin: bigint;
  readonly clock: readonly ClockAnchor[];
  /** Length of a kernel tick, ns. */
  readonly tickNs: number;
  /** Settings of `analyzers.network` that the exchanges depend on; as they were, not yet checked. */
  readonly network: unknown;
  /** Processes that were known when this part began. */
  readonly processes: readonly ProcessNote[];
}

/** The header as JSON. */
export function encodeHeader(header: RecordingHeader): Buffer {
  const { origin, clock, tickNs, network, ...rest } = header;
  return Buffer.from(
    JSON.stringify({
      format: 'sonde recording',
      ...rest,
      byte_order: endianness(),
      host: { platform: platform(), kernel: release(), arch: arch(), cpus: cpus().length, node: process.version },
      origin: String(origin),
      clock: anchorNotes(clock),
      tick_ns: tickNs,
      network,
      layout: currentLayout(),
    }),
  );
}

/** Why a header is of no use; the message is for people. */
export class HeaderError extends Error {}

const MAX_PROCESSES = 65_536;

/** @throws HeaderError */
export function decodeHeader(bytes: Buffer): { header: RecordingHeader; translation: Translation } {
  const value = parse(bytes);
  if (value['byte_order'] !== 'LE') {
    throw new HeaderError(
      `it was recorded in byte order ${String(value['byte_order'])}, which this version cannot read`,
    );
  }
  const origin = value['origin'];
  const clock = readAnchors(value['clock']);
  const tickNs = value['tick_ns'];
  const { recording, part, created, program, redaction } = value;
  if (typeof origin !== 'string' || !/^\d{1,20}$/.test(origin) || clock === null) {
    throw new HeaderError('its header names no clock');
  }
  if (typeof tickNs !== 'number' || !(tickNs > 0 && tickNs < 1e9)) throw new HeaderError('its header has no tick_ns');
  if (
    typeof recording !== 'string' ||
    recording.length > 64 ||
    typeof part !== 'number' ||
    !Number.isSafeInteger(part)
  ) {
    throw new HeaderError('its header does not name recording and part');
  }
  const processes: ProcessNote[] = [];
  const listed = value['processes'];
  if (Array.isArray(listed)) {
    for (const one of (listed as unknown[]).slice(0, MAX_PROCESSES)) {
      const note = readProcess(one);
      if (note !== null) processes.push(note);
    }
  }
  return {
    header: {
      recording,
      part,
      created: typeof created === 'string' ? created.slice(0, 64) : '',
      program: typeof program === 'string' ? program.slice(0, 64) : '',
      redaction: redaction === 'bodies' || redaction === 'paths' ? redaction : 'none',
      origin: BigInt(origin),
      clock,
      tickNs,
      network: value['network'],
      processes,
    },
    translation: translationOf(value['layout']),
  };
}

function translationOf(layout: unknown): Translation {
  try {
    return planTranslation(layout);
  } catch (error) {
    if (error instanceof LayoutError) throw new HeaderError(error.message, { cause: error });
    throw error;
  }
}

function parse(bytes: Buffer): Record<string, unknown> {
  try {
    const value = JSON.parse(bytes.toString('utf8')) as unknown;
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw new HeaderError('its header is no JSON object');
}
