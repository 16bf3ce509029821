import { closeSync, openSync } from 'node:fs';
import { hostname } from 'node:os';
import type { LoadedConfiguration } from '../../config/load.ts';
import { loadConfiguration } from '../../config/load.ts';
import { createExchangeFeed } from '../../control/exchange-feed.ts';
import { SondeError } from '../../model/errors.ts';
import { createLifecycle } from '../../pipeline/lifecycle.ts';
import { countFeatures } from '../../pipeline/features.ts';
import { createKernelPipeline } from '../../pipeline/kernel-pipeline.ts';
import { createControlInterface } from '../control-interface.ts';
import type { Demo } from '../demo/start-demo.ts';
import type { Environment } from '../environment.ts';
import { exitOnInternalErrors } from '../internal-errors.ts';
import { lawLines } from '../law-lines.ts';
import { createLog } from '../log.ts';
import { createRecentLines } from '../recent-lines.ts';
import { asRecordingError, checkRecording } from '../record/settings.ts';
import type { RecordSettings } from '../record/settings.ts';
import { listenForStop } from '../stop-signal.ts';
import { programVersion } from '../version.ts';
import { DEMO_STARTING, IDLE } from '../view/idle.ts';
import { createLiveView } from '../view/live-view.ts';
import type { LiveView } from '../view/live-view.ts';
import { createLocalSource } from '../view/local-source.ts';
import { followExchanges } from '../view/remote-source.ts';
import { openTerminal } from '../view/terminal.ts';

export interface RunOptions {
  readonly configFile: string | undefined;
  /** End after so many seconds; undefined: at a signal. */
  readonly forSeconds: number | undefined;
  /** Shows the view; `once`: where it is piped, one table and that is all. */
  readonly view: boolean | 'once';
  readonly demo: boolean;
  /** What was seen goes to a file too. */
  readonly record?: RecordSettings | undefined;
  readonly environment: Environment;
}

/** Window of the live view, ms, unless one is configured: what it shows should be a second old, not five. */
const VIEW_WINDOW_MS = 1000;

/** `sonde run`. Resolves when it has ended in order. @throws SondeError with what stands in the way */
export async function run(options: RunOptions): Promise<number> {
  const loaded = loadConfiguration({ file: options.configFile, environment: options.environment });
  const { configuration } = loaded;
  const shown = options.view !== false;
  if (shown && configuration.exporters.stdout.enabled) {
    throw new SondeError('SONDE_USAGE', {
      detail: '--view and exporters.stdout cannot both have standard output',
      remedy: 'Leave one of them out.',
    });
  }
  const { prometheus, stdout } = configuration.exporters;
  if (!prometheus.enabled && !stdout.enabled && !shown && options.record === undefined) {
    throw new SondeError('SONDE_CONFIGURATION', {
      detail: 'no exporter is on, so nothing would come out',
      remedy: 'Set exporters.prometheus.enabled or exporters.stdout.enabled to true, or give --view or --record.',
    });
  }
  let reload: (() => void) | undefined;
  const signal = listenForStop({
    // Who looks at a view has closed the terminal.
    onHangup() {
      if (shown || reload === undefined || terminalIsGone()) {
        return false;
      }
      reload();
      return true;
    },
  });
  const terminal = openTerminal({ output: process.stdout, input: process.stdin }, options.environment);
  const stderrIsTerminal = process.stderr.isTTY;
  // Log lines on the same terminal would tear the view: while it is shown they appear in it.
  const recent = createRecentLines((text) => process.stderr.write(text));
  const log = createLog({ level: configuration.log.level, sink: recent, pretty: stderrIsTerminal });
  for (const warning of loaded.warnings) {
    log.warn(warning);
  }

  const version = programVersion();
  const feed = createExchangeFeed({
    toLine: (exchange) => pipeline.exchangeLine(exchange),
    labelsOf: (exchange) => pipeline.labels.labels(exchange.labels),
  });
  const pipeline = createKernelPipeline({
    exchanges: feed,
    configuration,
    version,
    onError: (component, error) => log.error({ component, err: error }, 'cannot go on'),
    onGovernorStep: ({ resource, direction, level, text }) =>
      log[direction === 'up' ? 'warn' : 'info']({ resource, level }, `governor: ${text}`),
    ...(shown && isDefaultWindow(loaded) ? { windowMs: VIEW_WINDOW_MS } : {}),
    onNotice: (component, text) => log.warn({ component }, text),
    ...(options.record === undefined
      ? {}
      : {
          record: {
            ...options.record,
            onEnd: (reason: string, detail: string) => log.warn({ component: 'record', reason }, detail),
          },
        }),
  });
  let ready = false;
  const { server: control, ...steering } = createControlInterface({
    version,
    pipeline,
    loaded,
    environment: options.environment,
    feed,
    ready: () => ready,
    log,
  });
  const { status, reloader, token } = steering;
  checkRecording(options.record);
  const lifecycle = createLifecycle({
    components: [...pipeline.components, { name: 'exchanges', stop: () => feed.stop() }, control],
    onStopError: (component, error) => log.error({ component, err: error }, 'did not stop in order'),
  });

  let unwatch: (() => void) | undefined;
  let demo: Demo | undefined;
  let view: LiveView | undefined;
  const giveTerminalBack = (): void => view?.abandon();
  process.on('exit', giveTerminalBack);
  const leaveInternalErrors = exitOnInternalErrors({
    giveTerminalBack() {
      giveTerminalBack();
      recent.hold(false);
    },
    write: (text) => process.stderr.write(text),
  });
  if (shown) {
    // `sonde run --view | head`: nobody looks any more.
    process.stdout.on('error', () => signal.stop());
  }
  const deadline = new AbortController();
  try {
    await lifecycle.start().catch((error: unknown) => {
      throw asRecordingError(error, options.record);
    });
    ready = true;
    reload = () => void reloader.reload('SIGHUP');
    unwatch = steering.watch();
    const metrics = pipeline.metricsUrl();
    process.stderr.write(
      `sonde ready metrics=${metrics ?? 'off'} control=${control.url()} features=${countFeatures(pipeline.features())}\n`,
    );
    if (options.demo) {
      const { startDemo } = await import('../demo/start-demo.ts');
      demo = await startDemo();
      log.info({ port: demo.port }, 'the demo service and its client run');
    }
    if (shown) {
      recent.hold(terminal.inPlace && stderrIsTerminal);
      view = createLiveView({
        terminal,
        source: createLocalSource({
          name: `sonde on ${hostname()}`,
          remark: metrics ?? '',
          store: pipeline.store,
          status,
          follow: (query, follower) => followExchanges({ url: control.url(), token: token() })(query, follower),
        }),
        plain: options.view === 'once' ? 'once' : 'repeated',
        notes: recent.lines,
        idle: options.demo ? DEMO_STARTING : IDLE,
        onEnd: () => process.kill(process.pid, 'SIGINT'),
      });
      view.start();
    }
    await Promise.race([
      signal.stopped,
      elapsed(options.forSeconds, deadline.signal),
      ...(view === undefined ? [] : [view.done]),
    ]);
  } finally {
    deadline.abort();
    unwatch?.();
    reload = undefined;
    await demo?.stop();
    await lifecycle.stop();
    await view?.stop();
    recent.hold(false);
    process.off('exit', giveTerminalBack);
    leaveInternalErrors();
    signal.dispose();
  }
  process.stderr.write(`${['sonde done', ...lawLines(pipeline.stages)].join('\n')}\n`);
  return 0;
}

/** Whether this was started at a terminal that has been closed. */
function terminalIsGone(): boolean {
  if (![process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY)) {
    return false;
  }
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return false;
  } catch {
    return true;
  }
}

function isDefaultWindow({ origins }: LoadedConfiguration): boolean {
  return origins.get('processors.aggregate.window') === 'default';
}

function elapsed(seconds: number | undefined, aborted: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (seconds !== undefined) {
      const timer = setTimeout(resolve, seconds * 1000);
      aborted.addEventListener('abort', () => clearTimeout(timer), { once: true });
    }
  });
}
