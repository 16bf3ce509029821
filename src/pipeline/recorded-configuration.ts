import type { LoadedConfiguration } from '../config/load.ts';
import type { Configuration } from '../config/schema.ts';

type Network = Configuration['analyzers']['network'];
type ProtocolName = keyof Network['protocols'];
type Protocol = Network['protocols'][ProtocolName];

const MAX_CONNECTIONS = 1 << 20;
const MAX_TIMEOUT_MS = 3_600_000;

/**
 * The settings of `analyzers.network` that a recording was made with, since its exchanges depend on them; what the
 * reader has set holds over them. A recording may come from anywhere: what is no setting is left out.
 */
export function recordedConfiguration(loaded: LoadedConfiguration, recorded: unknown): Configuration {
  const { configuration, origins } = loaded;
  const { network } = configuration.analyzers;
  const isFree = (key: string): boolean => (origins.get(`analyzers.network.${key}`) ?? 'default') === 'default';
  const given = asObject(recorded);
  const connections = given['max_connections'];
  const protocols = asObject(given['protocols']);
  return {
    ...configuration,
    analyzers: {
      ...configuration.analyzers,
      network: {
        ...network,
        max_connections:
          isFree('max_connections') && isWhole(connections, 1, MAX_CONNECTIONS) ? connections : network.max_connections,
        protocols: Object.fromEntries(
          Object.entries(network.protocols).map(([name, own]) => [
            name,
            recordedProtocol(own, asObject(protocols[name]), (key) => isFree(`protocols.${name}.${key}`)),
          ]),
        ) as Network['protocols'],
      },
    },
  };
}

function recordedProtocol(
  own: Protocol,
  { enabled, ports, timeout }: Readonly<Record<string, unknown>>,
  isFree: (key: string) => boolean,
): Protocol {
  return {
    ...own,
    ...(isFree('enabled') && typeof enabled === 'boolean' ? { enabled } : {}),
    ...(isFree('ports') && isPorts(ports) ? { ports } : {}),
    ...(isFree('timeout') && typeof timeout === 'number' && timeout >= 1 && timeout <= MAX_TIMEOUT_MS
      ? { timeout }
      : {}),
  };
}

function isPorts(value: unknown): value is number[] {
  return Array.isArray(value) && value.length <= 1024 && value.every((port) => isWhole(port, 1, 65_535));
}

function isWhole(value: unknown, min: number, max: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max;
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
