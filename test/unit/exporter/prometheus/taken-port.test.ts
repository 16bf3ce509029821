import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { createPrometheusExporter } from '../../../../src/exporter/prometheus/prometheus-exporter.ts';
import { LabelSets } from '../../../../src/model/label-sets.ts';
import { createAggregateProcessor } from '../../../../src/processor/aggregate/aggregate-processor.ts';

it('says which address is taken, with a code', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const labels = new LabelSets();
  const exporter = createPrometheusExporter({
    store: createAggregateProcessor({ labels }).store,
    stages: [],
    labels,
    listen: { host: '127.0.0.1', port },
  });
  await expect(exporter.start()).rejects.toMatchObject({
    code: 'SONDE_PORT_TAKEN',
    exitCode: 4,
    message: expect.stringContaining(`127.0.0.1:${port}`) as unknown,
  });
  taken.close();
  await once(taken, 'close');
});
