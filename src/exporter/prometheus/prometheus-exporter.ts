import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SondeError } from '../../model/errors.ts';
import type { LabelSets } from '../../model/label-sets.ts';
import type { Stage } from '../../model/law.ts';
import type { NetworkCounts } from '../../model/network-counts.ts';
import { isOwnHost } from '../../model/own-host.ts';
import type { SeriesSource } from '../../model/series.ts';
import type { Naming } from '../naming/naming.ts';
import { otelNaming } from '../naming/otel.ts';
import type { OwnSample } from '../naming/own-metrics.ts';
import { DeliveryCount } from './delivery-count.ts';
import { PacedResponse } from './paced-response.ts';
import type { WriteResult } from './paced-response.ts';
import { writePage } from './page.ts';
import type { Reading } from './page.ts';
import { CONTENT_TYPE } from './text-format.ts';

/** The part of prom-client's Registry that is used: the program's metrics about itself. */
export interface SelfRegistry {
  metrics(): Promise<string>;
}

export interface PrometheusExporterOptions {
  readonly store: SeriesSource;
  /** Stages of the law that the page shows; the exporter's own is added. */
  readonly stages: readonly Stage[];
  /** How many label sets there are, and how many found no room. */
  readonly labels: Pick<LabelSets, 'size' | 'overflowed'>;
  /** What the analyzer counts beside the law. Without it the page does not show it. */
  readonly network?: () => NetworkCounts;
  /** What Sonde itself costs; asked at each scrape. */
  readonly own?: () => readonly OwnSample[];
  /** Port 0 takes any free one. Default 127.0.0.1:9500. */
  readonly listen?: { readonly host: string; readonly port: number };
  /** Default otelNaming. */
  readonly naming?: Naming;
  /** Appended to the page. */
  readonly registry?: SelfRegistry;
  /** At most so many pages are written at a time; further scrapers get 503. Default 8. */
  readonly maxScrapes?: number;
  /** At most so many connections; further ones are closed. Default 64. */
  readonly maxConnections?: number;
  /** A scraper that reads nothing for so long is cut off, ms. Default 10,000. */
  readonly readTimeoutMs?: number;
}

export interface PrometheusExporter {
  /** @throws SondeError SONDE_PORT_TAKEN, SONDE_PORT_REFUSED */
  start(): Promise<{ readonly host: string; readonly port: number }>;
  /** Lets pages under way end for a second, then closes. */
  stop(): Promise<void>;
  /** Stage `export.prometheus` of the law; unit: samples on pages. */
  readonly stage: Stage;
}

const DEFAULT_LISTEN = { host: '127.0.0.1', port: 9500 };
const STOP_GRACE_MS = 1000;

/** Serves `GET /metrics` in Prometheus' text format, in pieces, from the one store of series. */
export function createPrometheusExporter(options: PrometheusExporterOptions): PrometheusExporter {
  return new PageServer(options);
}

class PageServer implements PrometheusExporter {
  readonly stage: Stage;
  readonly #options: PrometheusExporterOptions;
  readonly #naming: Naming;
  readonly #stages: readonly Stage[];
  readonly #count = new DeliveryCount();
  #server: Server | undefined;
  /** Only this host can connect, so nobody may come by another name. */
  #local = true;

  constructor(options: PrometheusExporterOptions) {
    this.#options = options;
    this.#naming = options.naming ?? otelNaming;
    this.stage = this.#count.stage;
    this.#stages = [...options.stages, this.stage];
  }

  async start(): Promise<{ host: string; port: number }> {
    const { host, port } = this.#options.listen ?? DEFAULT_LISTEN;
    const server = createServer((request, response) => void this.#answer(request, response));
    server.maxConnections = this.#options.maxConnections ?? 64;
    server.on('drop', () => this.#count.turnedAway('queue_full'));
    server.headersTimeout = 5000;
    server.requestTimeout = 10_000;
    // Longer than the usual scrape interval of a minute, so that a scraper keeps its connection.
    server.keepAliveTimeout = 75_000;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, `${host}:${port}`)));
      server.listen({ host, port }, resolve);
    });
    server.removeAllListeners('error');
    this.#server = server;
    const address = server.address() as AddressInfo;
    this.#local = address.address === '::1' || address.address.startsWith('127.');
    return { host: address.address, port: address.port };
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
    server.closeIdleConnections();
    const grace = setTimeout(() => server.closeAllConnections(), this.#count.scrapes > 0 ? STOP_GRACE_MS : 0);
    await closed;
    clearTimeout(grace);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // What a scraper sends along is not wanted, and its errors end the response by themselves.
    request.resume();
    response.on('error', () => {});
    const path = request.url?.split('?', 1)[0];
    if (this.#local && !isOwnHost(request.headers.host)) {
      refuse(response, 403, 'The Host header names neither an address nor localhost.');
    } else if (path !== '/metrics') {
      refuse(response, 404, 'Metrics are at /metrics.');
    } else if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      refuse(response, 405, 'Only GET is offered.');
    } else if (this.#count.scrapes >= (this.#options.maxScrapes ?? 8)) {
      this.#count.turnedAway('refused');
      response.setHeader('Retry-After', '1');
      refuse(response, 503, 'Too many scrapes at a time.');
    } else if (request.method === 'HEAD') {
      response.writeHead(200, { 'Content-Type': CONTENT_TYPE }).end();
    } else {
      await this.#scrape(response);
    }
  }

  async #scrape(response: ServerResponse): Promise<void> {
    let reading: Reading;
    try {
      reading = this.#read();
    } catch {
      this.#count.turnedAway('failed');
      refuse(response, 500, 'The numbers cannot be read.');
      return;
    }
    const count = this.#count.begin();
    try {
      response.writeHead(200, { 'Content-Type': CONTENT_TYPE });
      const result = await this.#write(reading, response, (samples) => count.add(samples));
      if (result === 'written') {
        count.delivered();
      } else {
        count.dropped(result);
        response.destroy();
      }
    } catch {
      count.dropped('failed');
      response.destroy();
    } finally {
      reading.series.release();
    }
  }

  async #write(reading: Reading, response: ServerResponse, count: (samples: number) => void): Promise<WriteResult> {
    const paced = new PacedResponse(response, this.#options.readTimeoutMs ?? 10_000);
    for (const { text, samples } of writePage(reading, this.#naming)) {
      count(samples);
      const result = await paced.write(text);
      if (result !== 'written') return result;
    }
    const own = (await this.#options.registry?.metrics()) ?? '';
    count(samplesIn(own));
    return paced.end(own);
  }

  /** Reads everything that the page shows in one go: nothing can come between the terms of the law and the series. */
  #read(): Reading {
    return {
      series: this.#options.store.snapshot(),
      stages: this.#stages.map((stage) => ({ name: stage.name, count: stage.read() })),
      labelSets: this.#options.labels.size,
      labelSetsOverflowed: this.#options.labels.overflowed,
      network: this.#options.network?.() ?? null,
      own: this.#options.own?.() ?? [],
    };
  }
}

function samplesIn(text: string): number {
  return text.match(/^[^#\n]/gm)?.length ?? 0;
}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
}

function listenError(error: NodeJS.ErrnoException, address: string): Error {
  if (error.code === 'EADDRINUSE') {
    return new SondeError('SONDE_PORT_TAKEN', {
      detail: `${address} (exporters.prometheus.listen) is already in use`,
      cause: error,
    });
  }
  return new SondeError('SONDE_PORT_REFUSED', {
    detail: `${address} (exporters.prometheus.listen) cannot be listened on: ${error.code ?? error.message}`,
    cause: error,
  });
}
