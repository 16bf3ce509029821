import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunningProcess } from '../process.ts';
import type { Scene } from '../scene.ts';
import { startDaemon } from './daemon.ts';

export interface NginxOptions {
  readonly port: number;
  readonly workers?: number;
  readonly sendfile?: boolean;
  /** A listening socket for each worker (SO_REUSEPORT) instead of one that they share. */
  readonly reuseport?: boolean;
  /** Passes everything on to this origin, over kept-alive connections. */
  readonly upstream?: string;
  /** Files to serve: name → size in bytes. */
  readonly files?: Readonly<Record<string, number>>;
  /** Off for load without a number to compare with. */
  readonly log?: boolean;
}

/** One line of nginx's own account of a request. */
export interface NginxEntry {
  readonly status: string;
  readonly requestBytes: number;
  readonly responseBytes: number;
}

export interface Nginx {
  readonly process: RunningProcess;
  readonly url: string;
  /** What nginx says that it served, by its access log. */
  entries(): Promise<NginxEntry[]>;
}

/** Starts Debian's nginx with a configuration of its own, listening on 127.0.0.1 and ::1. */
export async function startNginx(scene: Scene, options: NginxOptions): Promise<Nginx> {
  const { port, files = { 'index.html': 612 }, log = true } = options;
  const directory = join(scene.directory, `nginx-${port}`);
  await mkdir(join(directory, 'www'), { recursive: true });
  for (const [name, size] of Object.entries(files)) {
    await writeFile(join(directory, 'www', name), Buffer.alloc(size, 'x'));
  }
  const configuration = join(directory, 'nginx.conf');
  await writeFile(configuration, render(directory, options, log));
  const process = await startDaemon(
    scene,
    {
      command: '/usr/sbin/nginx',
      args: ['-p', directory, '-e', join(directory, 'error.log'), '-c', configuration],
    },
    port,
  );
  return {
    process,
    url: `http://127.0.0.1:${port}`,
    entries: async () => parse(await readFile(join(directory, 'access.log'), 'latin1')),
  };
}

function render(directory: string, options: NginxOptions, log: boolean): string {
  const { port, workers = 1, sendfile = false, reuseport = false, upstream } = options;
  const shared = reuseport ? ' reuseport' : '';
  const proxied = `proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering on;`;
  return `
user root;
daemon off;
worker_processes ${workers};
pid ${directory}/pid;
error_log ${directory}/error.log warn;
events { worker_connections 4096; }
http {
  log_format bytes '$status $request_length $bytes_sent';
  access_log ${log ? `${directory}/access.log bytes` : 'off'};
  sendfile ${sendfile ? 'on' : 'off'};
  tcp_nopush off;
  keepalive_requests 100000000;
  client_max_body_size 16m;
  client_body_temp_path ${directory}/body;
  proxy_temp_path ${directory}/proxy;
  fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi;
  scgi_temp_path ${directory}/scgi;
  ${upstream === undefined ? '' : `upstream up { server ${upstream}; keepalive 64; keepalive_requests 100000000; }`}
  server {
    listen 127.0.0.1:${port}${shared};
    listen [::1]:${port}${shared};
    root ${directory}/www;
    location / { ${upstream === undefined ? '' : proxied} }
    location /missing { return 404; }
    location /empty { return 204; }
    location /broken { return 503; }
  }
}
`;
}

function parse(log: string): NginxEntry[] {
  return log
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [status = '', request, response] = line.split(' ');
      return { status, requestBytes: Number(request), responseBytes: Number(response) };
    });
}
