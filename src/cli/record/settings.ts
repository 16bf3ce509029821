import { Option, InvalidArgumentError } from 'commander';
import { parseSize } from '../../config/units.ts';
import { SondeError } from '../../model/errors.ts';
import type { Redaction } from '../../recording/header.ts';
import { takenPart } from '../../recording/part-names.ts';
import type { PartLimits } from '../../recording/part-writer.ts';

/** What is recorded where. */
export interface RecordSettings {
  readonly path: string;
  readonly limits: PartLimits;
  readonly redaction: Redaction;
}

/** The options of a recording, as the command line has them. */
export interface RecordFlags {
  readonly redact?: boolean;
  readonly redactPaths?: boolean;
  readonly maxSize?: number;
  readonly maxFiles?: number;
  readonly minFree?: number;
}

const MAX_FILE_BYTES = 2 ** 30;
const MIN_FREE_BYTES = 2 ** 29;
const LEAST_FILE_BYTES = 64 << 10;
const MOST_FILES = 10_000;

/** The options that `sonde record` and `sonde run --record` share. */
export function recordOptions(): Option[] {
  return [
    new Option('--redact', 'mask bodies and all header values but a few; lengths and framing stay'),
    new Option('--redact-paths', 'mask paths too; implies --redact'),
    new Option('--max-size <size>', 'no file grows beyond it (default: 1GiB)').argParser(fileSize),
    new Option(
      '--max-files <n>',
      'at most so many files, the oldest makes room (default: 1, which ends when it is full)',
    ).argParser(fileCount),
    new Option('--min-free <size>', 'end before the file system has less than this free (default: 512MiB)').argParser(
      freeSize,
    ),
  ];
}

export function recordSettings(path: string, flags: RecordFlags): RecordSettings {
  return {
    path,
    limits: {
      maxFileBytes: flags.maxSize ?? MAX_FILE_BYTES,
      maxFiles: flags.maxFiles ?? 1,
      minFreeBytes: flags.minFree ?? MIN_FREE_BYTES,
    },
    redaction: flags.redactPaths === true ? 'paths' : flags.redact === true ? 'bodies' : 'none',
  };
}

/** @throws SondeError if a file of an earlier recording would be in the way of a later part */
export function checkRecording(settings: RecordSettings | undefined): void {
  if (settings === undefined || settings.limits.maxFiles === 1) {
    return;
  }
  const taken = takenPart(settings.path);
  if (taken !== undefined) {
    throw new SondeError('SONDE_FILE_TAKEN', {
      detail: `${taken} is there already, and a recording to ${settings.path} may need that name`,
      remedy: 'Give another path, or remove it.',
    });
  }
}

/** What a person is told when the file cannot be made; other errors as they are. */
export function asRecordingError(error: unknown, settings: RecordSettings | undefined): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException;
  const isAbout = syscall === 'open' || syscall === 'statfs' || code === 'ENOSPC';
  if (settings === undefined || error instanceof SondeError || !isAbout) {
    return error;
  }
  const why: Readonly<Record<string, string>> = {
    EEXIST: 'is there already, and a recording never writes over a file',
    ENOENT: 'cannot be made: its folder does not exist',
    ENOSPC: 'cannot be made: the file system has too little room (--min-free)',
  };
  return new SondeError('SONDE_FILE_TAKEN', {
    detail: `${settings.path} ${why[code ?? ''] ?? `cannot be made (${code ?? String(error)})`}`,
    cause: error,
  });
}

function fileSize(text: string): number {
  return sizeFrom(text, LEAST_FILE_BYTES);
}

function freeSize(text: string): number {
  return sizeFrom(text, 0);
}

function sizeFrom(text: string, least: number): number {
  const bytes = parseSize(text);
  if (bytes === undefined || bytes < least) {
    throw new InvalidArgumentError(`Give a size${least > 0 ? ` of ${least} bytes or more` : ''}, such as 100MiB.`);
  }
  return bytes;
}

function fileCount(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > MOST_FILES) {
    throw new InvalidArgumentError(`Give a number from 1 to ${MOST_FILES}.`);
  }
  return value;
}
