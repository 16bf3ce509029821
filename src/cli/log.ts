import { pino } from 'pino';
import type { Logger } from 'pino';

export type { Logger } from 'pino';

/** Takes finished text. */
export interface TextSink {
  write(text: string): void;
}

export interface LogOptions {
  readonly level: string;
  readonly sink: TextSink;
  /** One line of text for people in place of NDJSON. */
  readonly pretty: boolean;
}

/** The log: NDJSON, or one plain line for each entry where a person reads it. */
export function createLog(options: LogOptions): Logger {
  const { level, sink, pretty } = options;
  const stream = pretty ? { write: (line: string) => sink.write(`${prettyLine(line)}\n`) } : sink;
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, stream);
}

const LEVELS: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};

/** `12:00:01 warn  the message key=value` */
export function prettyLine(line: string): string {
  const { level, time, msg, err, ...rest } = JSON.parse(line) as Record<string, unknown>;
  const clock = typeof time === 'string' ? time.slice(11, 19) : '';
  const extra = Object.entries(rest).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const failure = err === undefined ? [] : [(err as { message?: string }).message ?? ''];
  return [clock, (LEVELS[level as number] ?? '').padEnd(5), typeof msg === 'string' ? msg : '', ...failure, ...extra]
    .join(' ')
    .trimEnd();
}
