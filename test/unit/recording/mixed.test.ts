import { createReadStream, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { OrderedExchanges } from '../../../src/cli/replay/ordered-exchanges.ts';
import { loadConfiguration } from '../../../src/config/load.ts';
import type { ExchangeLine } from '../../../src/model/exchange-line.ts';
import type { Stage } from '../../../src/model/law.ts';
import { createRecordingPipeline } from '../../../src/pipeline/recording-pipeline.ts';
import { openRecording } from '../../../src/recording/reader.ts';
import type { Damage } from '../../../src/recording/reader.ts';

const fixture = (name: string): string => fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url));
const RECORDING = fixture('mixed.sonde');
const EXPECTED = fixture('mixed.ndjson.gz');

interface Replay {
  readonly lines: readonly string[];
  readonly damage: readonly Damage[];
  readonly stages: readonly Stage[];
}

async function replay(): Promise<Replay> {
  const exchanges = new OrderedExchanges({});
  const damage: Damage[] = [];
  const recording = await openRecording(createReadStream(RECORDING), (one) => damage.push(one));
  const { receiver, stages } = createRecordingPipeline({
    loaded: loadConfiguration({ file: undefined, environment: { SONDE_CONFIG: '/dev/null' } }),
    header: recording.header,
    onExchange: (line) => exchanges.add(line),
  });
  await receiver.read(recording, (one) => damage.push(one));
  receiver.finish();
  const lines = [...exchanges.lines()];
  exchanges.close();
  return { lines, damage, stages };
}

const expected = gunzipSync(readFileSync(EXPECTED)).toString('utf8').trimEnd().split('\n');

test('a recording of real mixed traffic yields the exchanges of the run that made it, each time', async () => {
  const { lines, damage, stages } = await replay();
  expect(damage).toEqual([]);
  expect(lines).toEqual(expected);
  expect((await replay()).lines).toEqual(expected);
  for (const stage of stages) {
    const { produced, delivered, inFlight, dropped } = stage.read();
    expect({ inFlight, dropped: Object.values(dropped).filter((count) => count > 0) }).toEqual({
      inFlight: 0,
      dropped: [],
    });
    expect(produced).toBe(delivered);
  }
});

test('it is of many servers, seen from both ends, over both address families', () => {
  const lines = expected.map((line) => JSON.parse(line) as ExchangeLine);
  const servers = lines.filter(({ role }) => role === 'server').map(({ comm }) => comm);
  for (const comm of ['nginx', 'node', 'python3', 'apache2', 'redis-server', 'postgres', 'mariadbd', 'dnsmasq']) {
    expect(servers).toContain(comm);
  }
  expect(lines.filter(({ role }) => role === 'client').length).toBeGreaterThan(300);
  expect(lines.some(({ dst }) => dst.startsWith('[::1]:'))).toBe(true);
  for (const error of ['reset', 'closed', 'status']) expect(lines.map((line) => line.error)).toContain(error);
  // Nothing but addresses of the loopback device is in it, and what a socket that is bound to all of them tells.
  for (const { src, dst } of lines) {
    for (const end of [src, dst]) expect(end).toMatch(/^(127\.0\.0\.1|0\.0\.0\.0|\[::1\]):\d+$/);
  }
});

test('recording and expectation stay small', () => {
  expect(statSync(RECORDING).size + statSync(EXPECTED).size).toBeLessThanOrEqual(300_000);
});
