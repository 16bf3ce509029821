import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Child } from './child.ts';
import { cpuOf, type CpuSeconds, processTree } from './process-cost.ts';
import { freePort } from './workplace.ts';

/** Size of the page that most loads ask for, in bytes. */
export const PAGE_BYTES = 612;

/** Sizes of `/SIZE.bin`, in bytes, by the name that a load asks for. */
export const PAYLOADS = { '100': 100, '1k': 1024, '16k': 16_384, '256k': 262_144, '1m': 1_048_576 } as const;

const CONNECT_RETRY_MS = 10;

function configuration(directory: string, port: number): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `  ${kind}_temp_path ${directory}/${kind};`)
    .join('\n');
  return `worker_processes 1;
worker_cpu_affinity 10;
worker_rlimit_nofile 16384;
daemon off;
pid ${directory}/nginx.pid;
error_log ${directory}/error.log warn;
events { worker_connections 12000; multi_accept on; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  tcp_nodelay on;
  keepalive_timeout 300;
  keepalive_requests 1000000000;
  open_file_cache max=1000;
  open_file_cache_valid 60s;
${temporary}
  server {
    listen 127.0.0.1:${port} backlog=16384;
    root ${directory}/www;
    location /s/ { try_files /index.html =404; }
  }
}
`;
}

/** nginx with one worker on CPU 1, on a free port of 127.0.0.1, serving a page of 612 bytes and the payload sizes. */
export class Nginx {
  readonly port: number;
  readonly #child: Child;

  private constructor(child: Child, port: number) {
    this.#child = child;
    this.port = port;
  }

  /** Starts it below `directory` and resolves once it accepts. */
  static async start(directory: string): Promise<Nginx> {
    const home = join(directory, 'nginx');
    mkdirSync(join(home, 'www'), { recursive: true });
    writeFileSync(join(home, 'www/index.html'), `<html>${'x'.repeat(PAGE_BYTES - 14)}</html>\n`);
    for (const [name, size] of Object.entries(PAYLOADS))
      writeFileSync(join(home, `www/${name}.bin`), Buffer.alloc(size, 'x'));
    const port = await freePort();
    writeFileSync(join(home, 'nginx.conf'), configuration(home, port));
    const child = new Child(['nginx', '-p', home, '-c', join(home, 'nginx.conf')]);
    const nginx = new Nginx(child, port);
    while (!(await accepts(port))) {
      if (!child.running) throw new Error(`nginx did not start: ${child.errors}`);
      await delay(CONNECT_RETRY_MS);
    }
    return nginx;
  }

  url(path = '/'): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  /** The process that serves. */
  get worker(): number {
    return processTree(this.#child.pid)[1];
  }

  cpu(): CpuSeconds {
    return cpuOf(this.#child.pid);
  }

  stop(): Promise<void> {
    return this.#child.stop();
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
