import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunningProcess } from '../process.ts';
import type { Scene } from '../scene.ts';
import { startDaemon } from './daemon.ts';

export interface ApacheOptions {
  readonly port: number;
  /** `prefork`: a process a connection; `event`: threads. */
  readonly mpm: 'prefork' | 'event';
}

export interface Apache {
  readonly process: RunningProcess;
  readonly url: string;
  /** Bytes received and sent for each request, as mod_logio counted them on the wire. */
  entries(): Promise<{ status: string; requestBytes: number; responseBytes: number }[]>;
}

const MODULES = '/usr/lib/apache2/modules';

/** Starts Debian's Apache httpd with a configuration of its own, on 127.0.0.1; it serves `/index.html`, 1,000 bytes. */
export async function startApache(scene: Scene, { port, mpm }: ApacheOptions): Promise<Apache> {
  const directory = join(scene.directory, `apache-${port}`);
  await mkdir(join(directory, 'www'), { recursive: true });
  await writeFile(join(directory, 'www', 'index.html'), Buffer.alloc(1_000, 'x'));
  const configuration = join(directory, 'httpd.conf');
  await writeFile(
    configuration,
    `
ServerRoot ${directory}
ServerName localhost
DefaultRuntimeDir ${directory}
PidFile ${directory}/pid
Listen 127.0.0.1:${port}
LoadModule mpm_${mpm}_module ${MODULES}/mod_mpm_${mpm}.so
LoadModule authz_core_module ${MODULES}/mod_authz_core.so
User www-data
Group www-data
ErrorLog ${directory}/error.log
LogFormat "%>s %I %O" bytes
CustomLog ${directory}/access.log bytes
StartServers 2
KeepAlive On
MaxKeepAliveRequests 0
DocumentRoot ${directory}/www
<Directory ${directory}/www>
  Require all granted
</Directory>
`,
  );
  await openToOthers(scene.directory, directory);
  const process = await startDaemon(
    scene,
    {
      command: '/usr/sbin/apache2',
      args: ['-f', configuration, '-D', 'FOREGROUND'],
    },
    port,
  );
  return {
    process,
    url: `http://127.0.0.1:${port}`,
    entries: async () => {
      const log = await readFile(join(directory, 'access.log'), 'latin1');
      return log
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => {
          const [status = '', request, response] = line.split(' ');
          return { status, requestBytes: Number(request), responseBytes: Number(response) };
        });
    },
  };
}

/** Apache's workers leave root: they must be able to walk to the files. */
async function openToOthers(...directories: string[]): Promise<void> {
  for (const directory of directories) await chmod(directory, 0o755);
}
