import { writeFile } from 'node:fs/promises';
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { until } from './condition.ts';
import { parseMetrics, type Sample } from './metrics.ts';
import { freePorts } from './port.ts';
import { type RunningProcess, startProcess } from './process.ts';
import type { Scene } from './scene.ts';

/** One line that `exporters.stdout` prints, see docs/exchanges.md. */
export interface ExchangeLine {
  readonly time: string;
  readonly protocol: string;
  readonly role: 'client' | 'server';
  readonly src: string;
  readonly dst: string;
  readonly operation: string | null;
  readonly resource: string | null;
  readonly status: string | null;
  readonly error: string | null;
  readonly request_bytes: number;
  readonly response_bytes: number;
  readonly duration_ns: number;
  readonly ttfb_ns: number | null;
  readonly queue_ns: number | null;
  readonly connect_ns: number | null;
  readonly pid: number;
  readonly comm: string;
  readonly conn: string;
  readonly trace_id: string | null;
  readonly complete: boolean;
  readonly estimated: boolean;
  readonly attributes: Readonly<Record<string, unknown>>;
}

export interface SondeOptions {
  /** Only sockets of these ports; without it everything on the machine is seen. */
  readonly ports?: readonly number[];
  /** Print exchanges: for traffic whose single exchanges a test looks at. */
  readonly lines?: boolean;
  /** More configuration, laid over the harness's own: `capture.ring_bytes` → `{ capture: { ring_bytes: … } }`. */
  readonly capture?: Readonly<Record<string, unknown>>;
  readonly analyzers?: Readonly<Record<string, unknown>>;
  readonly limits?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
  /** More arguments of `sonde run`. */
  readonly args?: readonly string[];
}

export interface Sonde {
  readonly process: RunningProcess;
  readonly metricsUrl: string;
  readonly controlUrl: string;
  /** Exchanges printed so far whose server has this port. */
  at(port: number): ExchangeLine[];
  /** Ports of servers of which exchanges were printed. */
  ports(): Iterable<number>;
  scrape(): Promise<Sample[]>;
  /**
   * Waits until everything that happened before this call has come out: makes an exchange of its own on a fresh
   * connection and waits for its two lines, or without lines until it is counted.
   */
  settle(): Promise<void>;
  /** SIGTERM: flushes, ends and gives the exit code. All lines have been read then. */
  stop(): Promise<number | null>;
}

const PROGRAM = fileURLToPath(new URL('../../bin/sonde', import.meta.url));
const READY = /^sonde ready metrics=(\S+) control=(\S+) features=(\d+)\/(\d+)/m;

/** Starts `bin/sonde run` with ports of its own and waits for its ready line. */
export async function startSonde(scene: Scene, options: SondeOptions = {}): Promise<Sonde> {
  const [markerPort = 0] = await freePorts(1);
  const lines = options.lines ?? false;
  const file = join(scene.directory, `sonde-${markerPort}.yaml`);
  const ports = options.ports === undefined ? [] : [...options.ports, markerPort];
  await writeFile(
    file,
    stringify({
      // Ample: whether the default is enough at saturation is the bench's question; here exact counts are.
      capture: { ring_bytes: '16MiB', filter: { ports }, ...options.capture },
      analyzers: { ...options.analyzers },
      limits: { ...options.limits },
      processors: { aggregate: { window: '1s' } },
      exporters: { prometheus: { enabled: true, listen: '127.0.0.1:0' }, stdout: { enabled: lines } },
      control: { listen: '127.0.0.1:0' },
      log: { level: 'info' },
    }),
  );
  const exchanges = new Map<number, ExchangeLine[]>();
  const running = startProcess(scene, {
    command: PROGRAM,
    args: ['run', '--config', file, ...(options.args ?? [])],
    ...(options.env === undefined ? {} : { env: options.env }),
    onLine: (line) => {
      const exchange = JSON.parse(line) as ExchangeLine;
      const port = Number(exchange.dst.slice(exchange.dst.lastIndexOf(':') + 1));
      const known = exchanges.get(port);
      if (known === undefined) exchanges.set(port, [exchange]);
      else known.push(exchange);
    },
  });
  const gone = running.exited.then((code): never => {
    throw new Error(`sonde ended with ${code} before it was ready:\n${running.output.stderr}`);
  });
  gone.catch(() => undefined);
  const ready = until(() => READY.exec(running.output.stderr) ?? undefined, {
    what: 'the ready line',
    timeoutMs: 30_000,
  });
  const [, metricsUrl = '', controlUrl = ''] = await Promise.race([ready, gone]);

  const at = (port: number): ExchangeLine[] => exchanges.get(port) ?? [];
  const scrape = async (): Promise<Sample[]> => parseMetrics(await fetchText(metricsUrl));
  let marks = 0;
  return {
    process: running,
    metricsUrl,
    controlUrl,
    at,
    ports: () => exchanges.keys(),
    scrape,
    settle: async () => {
      marks += 2;
      await makeExchange(markerPort);
      const what = 'the marker exchange comes out of sonde';
      await until(async () => (lines ? at(markerPort).length : countAt(await scrape(), markerPort)) >= marks, {
        what,
        timeoutMs: 15_000,
      });
    },
    stop: async () => {
      process.kill(running.pid, 'SIGTERM');
      return await running.exited;
    },
  };
}

/** HTTP exchanges, of both roles unless one is given, that a page counts for a server's port. */
export function countAt(samples: readonly Sample[], port: number, role?: 'client' | 'server'): number {
  let sum = 0;
  for (const { name, labels, value } of samples) {
    const seen = /^http_(client|server)_request_duration_seconds_count$/.exec(name)?.[1];
    if (seen !== undefined && (role ?? seen) === seen && labels.server_port === String(port)) sum += value;
  }
  return sum;
}

function fetchText(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (data: string) => {
        text += data;
      });
      response.on('end', () => {
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(`${url}: ${response.statusCode}\n${text}`));
      });
    }).on('error', reject);
  });
}

async function makeExchange(port: number): Promise<void> {
  const server = createServer((_, response) => response.end('marker'));
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', () => resolve()));
  const { port: bound } = server.address() as AddressInfo;
  await fetchText(`http://127.0.0.1:${bound}/marker`);
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
