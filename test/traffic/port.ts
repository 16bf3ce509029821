import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { until } from './condition.ts';

/**
 * Ports that nothing uses, below the range from which the kernel takes ports of outgoing connections: a filter
 * for such a port sees no connection of anyone else.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (!ports.has(port) && (await isFree(port))) ports.add(port);
  }
  return [...ports];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '::' }, () => server.close(() => resolve(true)));
  });
}

/** Waits until a TCP socket listens on the port, without connecting to it. */
export async function untilListening(port: number, timeoutMs = 5_000): Promise<void> {
  await until(() => isListening(port), { what: `something listens on port ${port}`, timeoutMs });
}

async function isListening(port: number): Promise<boolean> {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of (await readFile(table, 'latin1')).split('\n')) {
      const [, address, , state] = line.trim().split(/\s+/);
      if (state === '0A' && address?.endsWith(local)) return true;
    }
  }
  return false;
}
