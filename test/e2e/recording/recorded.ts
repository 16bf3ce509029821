import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { decodeSectionHead, PREAMBLE_BYTES, SECTION, SECTION_HEAD_BYTES } from '../../../src/recording/format.ts';
import type { ExchangeLine, Sonde } from '../../traffic/sonde.ts';
import { sonde } from '../cli/sonde-process.ts';
import type { StartOptions } from '../cli/sonde-process.ts';

/** The lines that a live run printed, as they were printed, in the order of a replay. */
export function liveLines(live: Sonde): string[] {
  return inOrder([...live.ports()].flatMap((port) => live.at(port)));
}

/** Lines by time, then connection; where both are the same, as they came. */
export function inOrder(lines: readonly ExchangeLine[]): string[] {
  return lines
    .toSorted((one, other) => compare(BigInt(one.time), BigInt(other.time)) || compare(one.conn, other.conn))
    .map((line) => JSON.stringify(line));
}

function compare<T extends bigint | string>(one: T, other: T): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

export interface Replayed {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly lines: readonly string[];
}

/** `sonde replay`. */
export async function replay(files: readonly string[], options: StartOptions = {}): Promise<Replayed> {
  const ended = await sonde(['replay', ...files], options);
  return { ...ended, lines: ended.stdout.split('\n').filter((line) => line !== '') };
}

export function parsed(lines: readonly string[]): ExchangeLine[] {
  return lines.map((line) => JSON.parse(line) as ExchangeLine);
}

export interface Section {
  readonly type: number;
  /** Of its head, in the file. */
  readonly offset: number;
  /** Head and what is stored. */
  readonly length: number;
  /** What it holds, decompressed. */
  readonly content: Buffer;
}

/** The sections of a whole recording: header, blocks, index. */
export function sectionsOf(path: string): Section[] {
  const file = readFileSync(path);
  const sections: Section[] = [];
  for (let offset = PREAMBLE_BYTES; offset < file.length; ) {
    const head = decodeSectionHead(file.subarray(offset, offset + SECTION_HEAD_BYTES));
    if (head === null) throw new Error(`no section at ${offset}`);
    const end = offset + SECTION_HEAD_BYTES + head.stored;
    const stored = file.subarray(offset + SECTION_HEAD_BYTES, end);
    const content = head.type === SECTION.header ? stored : gunzipSync(stored);
    sections.push({ type: head.type, offset, length: end - offset, content });
    if (head.type === SECTION.index) break;
    offset = end;
  }
  return sections;
}
