import type { Address } from '../../config/units.ts';

/** What listens on every address is reached on this host's own. */
export function reachable({ host, port }: Address): Address {
  return { host: host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host, port };
}
