import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { checkPorts } from '../../../src/cli/doctor/port-checks.ts';
import { loadConfiguration } from '../../../src/config/load.ts';
import { createControlServer } from '../../../src/control/control-server.ts';
import { healthRoutes } from '../../../src/control/routes/health.ts';

function configured(metrics: number, control: number) {
  return loadConfiguration({
    file: '/dev/null',
    environment: {
      SONDE_EXPORTERS_PROMETHEUS_LISTEN: `127.0.0.1:${metrics}`,
      SONDE_CONTROL_LISTEN: `127.0.0.1:${control}`,
    },
  }).configuration;
}

test('free ports are fine', async () => {
  const checks = await checkPorts(configured(0, 0));
  expect(checks.map(({ name, ok }) => [name, ok])).toEqual([
    ['port', true],
    ['port', true],
  ]);
});

test('a port that something else has is named, with the key to change', async () => {
  const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    const [metrics] = await checkPorts(configured(port, 0));
    const [, control] = await checkPorts(configured(0, port));
    expect(metrics).toMatchObject({ ok: false, needed: false });
    expect(metrics?.found).toBe(`127.0.0.1:${port} (exporters.prometheus.listen) is taken`);
    expect(control?.remedy).toContain('set control.listen to another address');
  } finally {
    server.close();
  }
});

test('a port that a running probe has is no flaw', async () => {
  const server = createControlServer({
    listen: { host: '127.0.0.1', port: 0 },
    routes: healthRoutes({ ready: () => true }),
  });
  await server.start();
  try {
    const port = Number(new URL(server.url()).port);
    const [, control] = await checkPorts(configured(0, port));
    expect(control).toMatchObject({ ok: true, remedy: null });
    expect(control?.found).toContain('a probe runs already');
  } finally {
    await server.stop();
  }
});

test('an address of another host cannot be listened on', async () => {
  const configuration = configured(0, 0);
  const [metrics] = await checkPorts({
    ...configuration,
    exporters: {
      ...configuration.exporters,
      prometheus: { ...configuration.exporters.prometheus, listen: { host: '192.0.2.1', port: 0 } },
    },
  });
  expect(metrics?.found).toContain('EADDRNOTAVAIL');
});
