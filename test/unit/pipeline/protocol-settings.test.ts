import { expect, test } from 'vitest';
import { loadConfiguration } from '../../../src/config/load.ts';
import { protocolSettings } from '../../../src/pipeline/analysis.ts';

const settings = (environment: Record<string, string>) =>
  protocolSettings(loadConfiguration({ environment, defaultFile: '/nonexistent/sonde.yaml' }).configuration);

test('a protocol keeps its own ports and timeout unless others are given', () => {
  expect(settings({})).toMatchObject({ http: { enabled: true }, generic: { enabled: true } });
  expect(Object.keys(settings({}).generic ?? {})).toEqual(['enabled']);
  const given = settings({
    SONDE_ANALYZERS_NETWORK_PROTOCOLS_GENERIC_TIMEOUT: '60s',
    SONDE_ANALYZERS_NETWORK_PROTOCOLS_HTTP_PORTS: '8080',
  });
  expect(given.generic).toEqual({ enabled: true, timeoutNs: 60e9 });
  expect(given.http).toEqual({ enabled: true, ports: [8080] });
});
