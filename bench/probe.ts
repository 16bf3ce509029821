import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type BpfUsage, bpfUsageOf } from './bpf-usage.ts';
import { Child } from './child.ts';
import { fetchPage, parsePage, type Sample, sum } from './metrics-page.ts';
import { cpuOf, type CpuSeconds, memoryOf } from './process-cost.ts';

const READY = /sonde ready metrics=(\S+) control=(\S+) features=(\S+)/;
const READY_LIMIT_MS = 30_000;
const SETTLE_STEP_MS = 500;
const SETTLE_LIMIT_MS = 20_000;
/** The default window is 5 s. */
const LONGER_THAN_A_WINDOW_MS = 6500;

/** How the probe under test is started. */
export interface ProbeOptions {
  /** The program: `bin/sonde` of the checkout to measure. */
  readonly program: string;
  readonly directory: string;
  /** `capture` of its configuration. */
  readonly capture?: Readonly<Record<string, unknown>>;
  /** `analyzers` of its configuration. */
  readonly analyzers?: Readonly<Record<string, unknown>>;
  /** `limits` of its configuration. */
  readonly limits?: Readonly<Record<string, unknown>>;
}

/** HTTP exchanges that it has counted, by the side that saw them. */
export interface Counted {
  readonly server: number;
  readonly client: number;
}

/** A running probe, seen from outside: its page, its /proc entries, its file descriptors. */
export class Probe {
  /** From the start of the process to its ready line, in milliseconds. */
  readonly startMs: number;
  /** `N/M` of the ready line. */
  readonly features: string;
  readonly #child: Child;
  readonly #url: string;
  readonly #control: string;

  private constructor(child: Child, startMs: number, ready: RegExpExecArray) {
    this.#child = child;
    this.startMs = startMs;
    this.#url = ready[1];
    this.#control = ready[2];
    this.features = ready[3];
  }

  /** Starts it on free ports and resolves at its ready line. */
  static async start(options: ProbeOptions): Promise<Probe> {
    const file = join(options.directory, 'sonde.yaml');
    // JSON is YAML.
    writeFileSync(
      file,
      JSON.stringify({
        ...(options.capture === undefined ? {} : { capture: options.capture }),
        ...(options.analyzers === undefined ? {} : { analyzers: options.analyzers }),
        exporters: { prometheus: { listen: '127.0.0.1:0' } },
        ...(options.limits === undefined ? {} : { limits: options.limits }),
        control: { listen: '127.0.0.1:0' },
      }),
    );
    const start = performance.now();
    const child = new Child([options.program, 'run', '--config', file], { stdio: ['ignore', 'ignore', 'pipe'] });
    const ready = await child.says('stderr', READY, READY_LIMIT_MS);
    return new Probe(child, performance.now() - start, ready);
  }

  get pid(): number {
    return this.#child.pid;
  }

  async page(): Promise<Sample[]> {
    return parsePage(await fetchPage(this.#url));
  }

  cpu(): CpuSeconds {
    return cpuOf(this.#child.pid);
  }

  memory(): { readonly resident: number; readonly peak: number } {
    return memoryOf(this.#child.pid);
  }

  bpf(): BpfUsage {
    return bpfUsageOf(this.#child.pid);
  }

  /**
   * The page once no exchange waits for its window to close and the counts of the server at `port` have reached
   * `atLeast`. On a machine where others talk too a window always has something: then once the counts have not moved
   * for longer than a window. After 20 s the page as it is.
   */
  async settled(port: number, atLeast: Partial<Counted> = {}): Promise<Sample[]> {
    const start = performance.now();
    let last = -1;
    let since = start;
    for (;;) {
      const page = await this.page();
      const counts = countedOn(page, port);
      const now = performance.now();
      const total = counts.server + counts.client;
      if (total !== last) since = now;
      last = total;
      const reached = counts.server >= (atLeast.server ?? 0) && counts.client >= (atLeast.client ?? 0);
      const waiting = sum(page, 'sonde_in_flight', { stage: 'window' }) > 0;
      const quiet = now - since >= (waiting ? LONGER_THAN_A_WINDOW_MS : SETTLE_STEP_MS);
      if ((reached && quiet) || now - start > SETTLE_LIMIT_MS) return page;
      await delay(SETTLE_STEP_MS);
    }
  }

  /** Reads the page once a second until `signal`; how often it did, and the longest that it took, in ms. */
  async scrapeEachSecond(signal: AbortSignal): Promise<{ readonly scrapes: number; readonly slowestMs: number }> {
    let scrapes = 0;
    let slowestMs = 0;
    while (!signal.aborted) {
      const start = performance.now();
      await fetchPage(this.#url);
      scrapes++;
      slowestMs = Math.max(slowestMs, performance.now() - start);
      await delay(1000, undefined, { signal }).catch(() => undefined);
    }
    return { scrapes, slowestMs };
  }

  /** Switches a feature of the running program. */
  async switch(name: string, state: 'on' | 'off'): Promise<void> {
    const response = await fetch(new URL('/features', this.#control), {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ [name]: state }),
    });
    if (!response.ok) throw new Error(`PUT /features answered ${response.status}: ${await response.text()}`);
  }

  stop(): Promise<void> {
    return this.#child.stop();
  }
}

/**
 * HTTP exchanges with the server at `port` that a page counts. By port, because the probe sees all HTTP of the machine:
 * the bench's own scrapes, for one.
 */
export function countedOn(page: readonly Sample[], port: number): Counted {
  const labels = { server_port: String(port) };
  return {
    server: sum(page, 'http_server_request_duration_seconds_count', labels),
    client: sum(page, 'http_client_request_duration_seconds_count', labels),
  };
}

/** HTTP exchanges that a page counts in all, each side for itself. */
export function allCountedOn(page: readonly Sample[]): number {
  return sum(page, 'sonde_exchanges_total', { protocol: 'http' });
}
