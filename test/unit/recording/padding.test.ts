import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { EventBatch } from '../../../src/model/event-batch.ts';
import { KIND, RECORD } from '../../../src/model/record.gen.ts';
import { OpenConnections } from '../../../src/recording/open-connections.ts';
import { readBack, recorderTo, temporaryFolder } from './harness.ts';

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

const OLD = 0x53;
const HEAD_BYTES = 24;

interface Layout {
  readonly kind: number;
  readonly length: number;
  readonly captured: number;
  /** Where bpf/include/record.h has no field: [from, to). */
  readonly padding: readonly (readonly [number, number])[];
}

const layouts: Readonly<Record<string, Layout>> = {
  message: { kind: KIND.message, length: 128, captured: 5, padding: [[69, 128]] },
  'message without payload': { kind: KIND.message, length: 64, captured: 0, padding: [] },
  open: { kind: KIND.open, length: 192, captured: 0, padding: [[130, 192]] },
  owner: { kind: KIND.owner, length: 64, captured: 0, padding: [[56, 64]] },
  totals: {
    kind: KIND.totals,
    length: 128,
    captured: 0,
    padding: [
      [60, 64],
      [72, 128],
    ],
  },
  close: {
    kind: KIND.close,
    length: 128,
    captured: 0,
    padding: [
      [60, 64],
      [72, 128],
    ],
  },
  datagram: {
    kind: KIND.datagram,
    length: 192,
    captured: 40,
    padding: [
      [109, 128],
      [168, 192],
    ],
  },
  tcp: { kind: KIND.tcp, length: 192, captured: 0, padding: [[161, 192]] },
  'TCP event': { kind: KIND.tcpEvent, length: 128, captured: 0, padding: [[82, 128]] },
  listener: {
    kind: KIND.listener,
    length: 128,
    captured: 0,
    padding: [
      [55, 56],
      [88, 128],
    ],
  },
  'a kind that is not known': { kind: 200, length: 128, captured: 0, padding: [[HEAD_BYTES, 128]] },
};

/** A record in a place of the ring that is full of what was there before; the program wrote its head. */
function recordOf({ kind, length, captured }: Layout): EventBatch {
  const bytes = new Uint8Array(length).fill(OLD);
  const view = new DataView(bytes.buffer);
  view.setUint32(RECORD.head.length, length, true);
  bytes[RECORD.head.kind] = kind;
  view.setUint16(RECORD.head.captured, captured, true);
  return { bytes, words: new Uint32Array(bytes.buffer), halves: new Uint16Array(bytes.buffer), length };
}

async function recorded(batch: EventBatch, redaction: 'none' | 'bodies'): Promise<Buffer> {
  const path = join(folder.path, `${redaction}.sonde`);
  const recorder = recorderTo(path, { redaction });
  const tap = recorder.tap({ consume() {}, tick() {}, flush() {} });
  await recorder.start();
  tap.consume(batch);
  tap.flush(1);
  await recorder.stop();
  const [call] = (await readBack([readFileSync(path)])).calls;
  return Buffer.from(call?.kind === 'records' ? call.bytes : '', 'hex');
}

test.each(Object.entries(layouts))('%s: what the kernel did not write is zeroed, the rest stays', async (_, layout) => {
  const batch = recordOf(layout);
  const expected = Buffer.from(batch.bytes);
  for (const [from, to] of layout.padding) expected.fill(0, from, to);
  expect(await recorded(batch, 'none')).toEqual(expected);
  const redacted = await recorded(batch, 'bodies');
  for (const [from, to] of layout.padding) expect(redacted.subarray(from, to)).toEqual(Buffer.alloc(to - from));
  expect(batch.bytes.filter((byte) => byte === OLD).length, 'the batch itself is not touched').toBeGreaterThan(20);
});

test('a record that is cut short is cleaned within its own length', async () => {
  const cut = recordOf({ kind: KIND.open, length: 144, captured: 0, padding: [] });
  const bytes = await recorded(cut, 'none');
  expect(bytes.subarray(HEAD_BYTES, 130)).toEqual(Buffer.alloc(130 - HEAD_BYTES, OLD));
  expect(bytes.subarray(130)).toEqual(Buffer.alloc(144 - 130));
});

test('a connection that is named again in the next file brings nothing else with it', () => {
  const connections = new OpenConnections();
  connections.take(recordOf(layouts['open']), 0);
  connections.blockMade(1);
  const [block] = connections.blocks(0, 1 << 20);
  const record = Buffer.from(block.subarray(block.length - RECORD.size.open));
  expect(record.subarray(HEAD_BYTES, 130)).toEqual(Buffer.alloc(130 - HEAD_BYTES, OLD));
  expect(record.subarray(130)).toEqual(Buffer.alloc(192 - 130));
});
