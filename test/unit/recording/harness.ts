import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventBatch, EventConsumer } from '../../../src/model/event-batch.ts';
import { HeaderError } from '../../../src/recording/header.ts';
import { openRecording } from '../../../src/recording/reader.ts';
import type { Damage } from '../../../src/recording/reader.ts';
import { createRecorder } from '../../../src/recording/recorder.ts';
import type { Recorder, RecorderOptions } from '../../../src/recording/recorder.ts';
import { createRecordingReceiver } from '../../../src/receiver/replay/recording-receiver.ts';

/** What a receiver did: what a replay is to do again. */
export type Call =
  | { readonly kind: 'records'; readonly bytes: string }
  | { readonly kind: 'tick' | 'flush'; readonly now: number };

export class CallLog implements EventConsumer {
  readonly calls: Call[] = [];

  consume({ bytes, length }: EventBatch): void {
    this.calls.push({ kind: 'records', bytes: Buffer.from(bytes.subarray(0, length)).toString('hex') });
  }

  tick(now: number): void {
    this.calls.push({ kind: 'tick', now });
  }

  flush(now: number): void {
    this.calls.push({ kind: 'flush', now });
  }
}

/** Calls as one text, in which it does not matter how records were cut into batches. */
export function flat(calls: readonly Call[]): string {
  return calls.map((call) => ('bytes' in call ? call.bytes : `|${call.kind} ${call.now}|`)).join('');
}

export function temporaryFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'sonde-recording-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export function recorderTo(path: string, options: Partial<RecorderOptions> = {}): Recorder {
  return createRecorder({
    path,
    limits: { maxFileBytes: 1 << 30, maxFiles: 1, minFreeBytes: 0 },
    redaction: 'none',
    program: 'test',
    origin: 1000n,
    anchors: () => [{ since: 0n, offset: 1_760_000_000_000_000_000n }],
    tickNs: () => 4e6,
    network: {},
    stages: () => [],
    onEnd: () => {},
    ...options,
  });
}

export interface Read {
  readonly calls: readonly Call[];
  readonly damage: readonly Damage[];
  /** Why nothing could be read. */
  readonly refused: string | null;
}

/** Reads files, one recording, as a replay does. */
export async function readBack(files: readonly Uint8Array[]): Promise<Read> {
  const log = new CallLog();
  const damage: Damage[] = [];
  let receiver: ReturnType<typeof createRecordingReceiver> | undefined;
  try {
    for (const file of files) {
      const recording = await openRecording(chunks(file), (one) => damage.push(one));
      receiver ??= createRecordingReceiver({ header: recording.header, next: log });
      await receiver.read(recording, (one) => damage.push(one));
    }
  } catch (error) {
    if (!(error instanceof HeaderError)) throw error;
    return { calls: log.calls, damage, refused: error.message };
  }
  receiver?.finish();
  return { calls: log.calls, damage, refused: null };
}

async function* chunks(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000);
}
