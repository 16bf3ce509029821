import { once } from 'node:events';
import { createServer } from 'node:net';
import * as z from 'zod/mini';
import type { Configuration } from '../../config/schema.ts';
import { formatAddress } from '../../config/units.ts';
import type { Address } from '../../config/units.ts';
import { createControlClient } from '../view/control-client.ts';
import { reachable } from '../view/remote-address.ts';
import { flawed, passed } from './check.ts';
import type { HostCheck } from './check.ts';

const healthSchema = z.strictObject({ status: z.literal('ok') });

/** Whether `sonde run` could listen where it is to. A probe that runs already is no flaw. */
export async function checkPorts({
  control,
  exporters,
}: Pick<Configuration, 'control' | 'exporters'>): Promise<HostCheck[]> {
  const running = await isProbe(control.listen);
  const wanted: readonly (readonly [string, Address])[] = [
    ...(exporters.prometheus.enabled ? [['exporters.prometheus.listen', exporters.prometheus.listen] as const] : []),
    ['control.listen', control.listen],
  ];
  return Promise.all(
    wanted.map(async ([key, address]) => {
      const where = `${formatAddress(address)} (${key})`;
      const problem = await tryToListen(address);
      if (problem === undefined) {
        return passed('port', `${where} is free`);
      }
      return running && problem === 'EADDRINUSE'
        ? passed('port', `${where} is taken, and a probe runs already`)
        : flawed(
            'port',
            problem === 'EADDRINUSE' ? `${where} is taken` : `${where} cannot be listened on: ${problem}`,
            `Stop what listens there, or set ${key} to another address.`,
          );
    }),
  );
}

/** The error's code, or undefined if one can listen there. */
async function tryToListen({ host, port }: Address): Promise<string | undefined> {
  const server = createServer();
  try {
    server.listen({ host, port });
    await once(server, 'listening');
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? (error as Error).message;
  } finally {
    server.close();
  }
}

async function isProbe(listen: Address): Promise<boolean> {
  if (listen.port === 0) {
    return false;
  }
  const client = createControlClient({
    url: `http://${formatAddress(reachable(listen))}`,
    token: undefined,
    timeoutMs: 1000,
  });
  try {
    await client.get('/healthz', healthSchema);
    return true;
  } catch {
    return false;
  } finally {
    client.close();
  }
}
