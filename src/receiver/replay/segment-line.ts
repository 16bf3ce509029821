import { parseSocketAddress } from './socket-address.ts';
import type { SocketAddress } from './socket-address.ts';

/** What a line says of its connection; each may be absent. */
export interface LineEnds {
  readonly role: 'client' | 'server' | null;
  readonly source: SocketAddress | null;
  readonly destination: SocketAddress | null;
  readonly pid: number | null;
  readonly comm: string | null;
}

/** A segment line (docs/exchanges.md): bytes that passed, or an event of the connection's life. */
export interface SegmentLine extends LineEnds {
  readonly kind: 'segment';
  readonly time: bigint;
  readonly conn: string;
  readonly sends: boolean;
  readonly udp: boolean;
  /** Bytes of the segment; more than `payload` holds if it was cut. */
  readonly size: number;
  readonly payload: Buffer;
}

export interface EventLine extends LineEnds {
  readonly kind: 'event';
  readonly time: bigint;
  readonly conn: string;
  readonly event: (typeof EVENTS)[number];
}

export const EVENTS = ['open', 'close', 'reset', 'connect_failed'] as const;

const LONGEST_CONN = 1024;
const LONGEST_COMM = 1024;
const LARGEST_SIZE = 2 ** 31 - 1;
const LARGEST_PID = 2 ** 32 - 1;

/** Why a line cannot be used; the message is for people. */
export class LineError extends Error {}

/** Reads one line. @throws LineError that says what is wrong with it */
export function parseLine(text: string): SegmentLine | EventLine {
  const line = parseObject(text);
  const time = readTime(line['time']);
  const conn = readConn(line['conn']);
  const ends: LineEnds = {
    role: readChoice(line, 'role', ['client', 'server'] as const),
    source: readAddress(line, 'src'),
    destination: readAddress(line, 'dst'),
    pid: readInteger(line, 'pid', LARGEST_PID),
    comm: readText(line, 'comm', LONGEST_COMM),
  };
  if (ends.source !== null && ends.destination !== null && ends.source.family !== ends.destination.family) {
    throw new LineError('src and dst are of different families');
  }
  if (line['event'] !== undefined) {
    const event = readChoice(line, 'event', EVENTS);
    if (event === null) throw new LineError('event is null');
    return { kind: 'event', time, conn, event, ...ends };
  }
  const direction = readChoice(line, 'direction', ['send', 'recv'] as const);
  if (direction === null) throw new LineError('direction is missing');
  const transport = readChoice(line, 'transport', ['tcp', 'udp'] as const) ?? 'tcp';
  const payload = readPayload(line['payload']);
  const size = readInteger(line, 'size', LARGEST_SIZE) ?? payload.length;
  if (size < payload.length) throw new LineError(`size is ${size}, but the payload has ${payload.length} bytes`);
  if (transport === 'udp' && payload.length > 65_535) throw new LineError('payload is longer than a datagram can be');
  return { kind: 'segment', time, conn, sends: direction === 'send', udp: transport === 'udp', size, payload, ...ends };
}

type JsonObject = Readonly<Record<string, unknown>>;

function parseObject(text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new LineError(`not JSON: ${error instanceof Error ? shorten(error.message) : String(error)}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new LineError('not a JSON object');
  return value as JsonObject;
}

function readTime(value: unknown): bigint {
  if (value === undefined) throw new LineError('time is missing');
  if (typeof value !== 'string') throw new LineError('time is not a string of ns since the epoch');
  if (!/^\d{1,19}$/.test(value)) throw new LineError(`time ${quote(value)} is not a number of ns since the epoch`);
  return BigInt(value);
}

function readConn(value: unknown): string {
  if (value === undefined) throw new LineError('conn is missing');
  if (typeof value !== 'string') throw new LineError('conn is not a string');
  if (value === '') throw new LineError('conn is empty');
  if (value.length > LONGEST_CONN) throw new LineError(`conn is longer than ${LONGEST_CONN} characters`);
  return value;
}

function readPayload(value: unknown): Buffer {
  if (value === undefined) throw new LineError('payload is missing');
  if (typeof value !== 'string') throw new LineError('payload is not a string');
  const digits = value.replace(/={1,2}$/, '');
  const isPadded = digits.length !== value.length;
  if (!/^[A-Za-z0-9+/]*$/.test(digits) || digits.length % 4 === 1 || (isPadded && value.length % 4 !== 0)) {
    throw new LineError('payload is not base64');
  }
  return Buffer.from(digits, 'base64');
}

function readChoice<T extends string>(line: JsonObject, key: string, choices: readonly T[]): T | null {
  const value = line[key];
  if (value === undefined || value === null) return null;
  const choice = choices.find((one) => one === value);
  if (choice === undefined) throw new LineError(`${key} is none of ${choices.join(', ')}`);
  return choice;
}

function readAddress(line: JsonObject, key: string): SocketAddress | null {
  const text = readText(line, key, 80);
  if (text === null || text === '') return null;
  const address = parseSocketAddress(text);
  if (address === null) throw new LineError(`${key} ${quote(text)} is not ip:port`);
  return address;
}

function readText(line: JsonObject, key: string, longest: number): string | null {
  const value = line[key];
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string') throw new LineError(`${key} is not a string`);
  if (value.length > longest) throw new LineError(`${key} is longer than ${longest} characters`);
  return value;
}

function readInteger(line: JsonObject, key: string, largest: number): number | null {
  const value = line[key];
  if (value === undefined || value === null) return null;
  if (typeof value !== 'number' || !Number.isInteger(value)) throw new LineError(`${key} is not a whole number`);
  if (value < 0 || value > largest) throw new LineError(`${key} is not between 0 and ${largest}`);
  return value;
}

function quote(text: string): string {
  return JSON.stringify(shorten(text));
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
