import { createReadStream } from 'node:fs';
import { expect, test } from 'vitest';
import { loadConfiguration } from '../../../src/config/load.ts';
import { toExchangeLine } from '../../../src/model/exchange-line.ts';
import type { ExchangeLine } from '../../../src/model/exchange-line.ts';
import type { ExchangeGroup } from '../../../src/model/exchange.ts';
import { LabelSets } from '../../../src/model/label-sets.ts';
import { createAnalysis } from '../../../src/pipeline/analysis.ts';
import { createProcessProcessor } from '../../../src/processor/process/process-processor.ts';
import { createReplayReceiver } from '../../../src/receiver/replay/replay-receiver.ts';

const FAILURES = new URL('../../fixtures/http/failures.ndjson', import.meta.url);

/** The lines of the recording when so many label sets may live. */
async function lines(maxSets: number): Promise<ExchangeLine[]> {
  const labels = new LabelSets({ maxSets });
  const seen: ExchangeLine[] = [];
  const { configuration } = loadConfiguration({ environment: {}, defaultFile: '/nonexistent/sonde.yaml' });
  const processes = createProcessProcessor({
    labels,
    next: {
      consume: (group) => seen.push(toExchangeLine(group as ExchangeGroup, labels.labels(group.labels), String)),
    },
  });
  const analysis = createAnalysis({ configuration, labels, next: processes });
  const receiver = createReplayReceiver({
    next: analysis.events,
    onBadLine: ({ reason }) => expect.fail(reason),
    maxConnections: 64,
  });
  await receiver.read(createReadStream(FAILURES), 'failures');
  receiver.finish();
  expect(labels.overflowed > 0).toBe(maxSets === 0);
  return seen;
}

test('where no label set finds room, the lines say the same', async () => {
  const usual = await lines(1000);
  expect(new Set(usual.map(({ error }) => error))).toContain('reset');
  expect(usual.map(({ operation }) => operation)).toContain('GET');
  expect(await lines(0)).toEqual(usual);
});
