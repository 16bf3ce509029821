import { hostname } from 'node:os';
import type { Status } from '../../control/status.ts';
import type { Stage } from '../../model/law.ts';
import type { SeriesSource } from '../../model/series.ts';
import { serviceRows } from './model.ts';
import { renderScreen } from './screen.ts';
import { tallySnapshot } from './tally.ts';
import type { Tallies } from './tally.ts';
import type { Terminal } from './terminal.ts';

export interface LiveViewOptions {
  readonly terminal: Terminal;
  readonly store: SeriesSource;
  readonly stages: readonly Stage[];
  readonly status: () => Status;
  /** Where the metrics are, to show people; undefined if that exporter is off. */
  readonly metricsUrl: string | undefined;
  /** Last lines of the log. */
  readonly notes: () => readonly string[];
  /** Whether `--demo` makes traffic. */
  readonly demo: boolean;
  /** ms on a clock that only grows. */
  readonly now?: () => number;
}

/** The view that `npm start` shows: refreshed each second on a terminal, a table every few seconds elsewhere. */
export interface LiveView {
  start(): void;
  /** Gives the terminal back and leaves the last state on it. */
  stop(): void;
}

const REFRESH_MS = 1000;
const PLAIN_REFRESH_MS = 5000;
const SPAN_MS = 5000;

export function createLiveView(options: LiveViewOptions): LiveView {
  const { terminal } = options;
  const now = options.now ?? (() => performance.now());
  const started = now();
  const history: Tallies[] = [];
  let last:
    | {
        readonly time: number;
        readonly cpuMs: number;
        readonly kernelNs: number | null;
        readonly shown: { readonly cpuRatio: number; readonly kernelRatio: number | null };
      }
    | undefined;
  let timer: NodeJS.Timeout | undefined;

  const lines = (): string[] => {
    const time = now();
    const snapshot = options.store.snapshot();
    const after = tallySnapshot(snapshot, time);
    snapshot.release();
    history.push(after);
    while (history.length > 2 && history[1].time <= time - SPAN_MS) {
      history.shift();
    }
    const before = history.length > 1 ? history[0] : undefined;
    const status = options.status();
    return renderScreen(
      {
        title: title(status, options.metricsUrl),
        services: serviceRows(before, after, started),
        stages: options.stages.map((stage) => ({ name: stage.name, count: stage.read() })),
        completeness: after.completeness,
        cost: costSince(status, time),
        spanSeconds: Math.round(((before === undefined ? time - started : time - before.time) || 1000) / 1000),
        notes: terminal.inPlace ? options.notes().slice(-3) : [],
        idle: options.demo ? DEMO_STARTING : IDLE,
      },
      { ...terminal.size(), colour: terminal.colour },
    );
  };

  /** Share of a core since the refresh before, not since the start: what it takes now. */
  const costSince = (status: Status, time: number) => {
    const rssBytes = status.cost.rss_bytes;
    const passed = last === undefined ? 0 : time - last.time;
    // The last screen comes right after the one before: too short a time to measure.
    if (last !== undefined && passed < REFRESH_MS / 2) return { ...last.shown, rssBytes };
    const usage = process.cpuUsage();
    const cpuMs = (usage.user + usage.system) / 1000;
    const kernelNs = status.cost.kernel_ns;
    const kernel = last === undefined || last.kernelNs === null || kernelNs === null ? null : kernelNs - last.kernelNs;
    const shown = {
      cpuRatio: last === undefined ? status.cost.cpu_ratio : (cpuMs - last.cpuMs) / passed,
      kernelRatio: kernel === null ? null : kernel / 1e6 / passed,
    };
    last = { time, cpuMs, kernelNs, shown };
    return { ...shown, rssBytes };
  };

  const refresh = (): void => terminal.show(lines());
  return {
    start() {
      if (terminal.inPlace) {
        refresh();
      }
      timer = setInterval(refresh, terminal.inPlace ? REFRESH_MS : PLAIN_REFRESH_MS);
    },
    stop() {
      if (timer !== undefined) {
        clearInterval(timer);
        timer = undefined;
        terminal.close(lines());
      }
    },
  };
}

const IDLE = [
  'No request has been seen yet. Sonde watches every TCP socket of this host; make some traffic:',
  '',
  '  python3 -m http.server 8000 --bind 127.0.0.1      in one terminal',
  '  curl http://127.0.0.1:8000/                       in another',
  '',
  'or end this and let Sonde make some: npm start -- --demo',
];

const DEMO_STARTING = ['The demo service is starting…'];

function title(status: Status, metricsUrl: string | undefined): string {
  const seconds = Math.floor(status.uptime_s);
  const time = seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `sonde on ${hostname()}, ${time}${metricsUrl === undefined ? '' : `   ${metricsUrl}`}   Ctrl-C ends`;
}
