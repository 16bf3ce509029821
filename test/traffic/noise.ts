import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runProcess, untilLine } from './process.ts';
import type { Scene } from './scene.ts';

export interface Noise {
  /** Stops it and says how many round trips of each kind there were. */
  end(): Promise<{ unix: number; udp: number; tls: number }>;
}

/** Starts traffic over a UNIX socket, UDP and TLS (programs/noise.mjs), and waits until all three flow. */
export async function startNoise(scene: Scene, { port }: { port: number }): Promise<Noise> {
  const key = join(scene.directory, 'noise.key');
  const certificate = join(scene.directory, 'noise.pem');
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await runProcess(scene, {
    command: 'openssl',
    args: [...request, '-keyout', key, '-out', certificate, '-days', '1', '-subj', '/CN=localhost'],
  });
  let trips = '';
  const { process: running } = await untilLine(
    scene,
    {
      command: process.execPath,
      args: [
        fileURLToPath(new URL('programs/noise.mjs', import.meta.url)),
        scene.directory,
        String(port),
        key,
        certificate,
      ],
    },
    (line) => line === 'running' || undefined,
    (line) => {
      trips = line;
    },
  );
  return {
    end: async () => {
      await running.end();
      return JSON.parse(trips) as { unix: number; udp: number; tls: number };
    },
  };
}
