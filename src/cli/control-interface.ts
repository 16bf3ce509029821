import type { LoadedConfiguration } from '../config/load.ts';
import { loadConfiguration } from '../config/load.ts';
import { controlRoutes } from '../control/control-routes.ts';
import { createControlServer } from '../control/control-server.ts';
import type { ControlServer } from '../control/control-server.ts';
import type { ExchangeFeed } from '../control/exchange-feed.ts';
import { createReloader } from '../control/reload.ts';
import type { Applier, Reloader } from '../control/reload.ts';
import { createStatus } from '../control/status.ts';
import type { ReloadStatus, Status } from '../control/status.ts';
import { authorizeBy, configuredToken } from '../control/token.ts';
import { watchConfiguration } from '../control/watch-configuration.ts';
import type { ConfigurationWatch } from '../control/watch-configuration.ts';
import { SondeError } from '../model/errors.ts';
import type { KernelPipeline } from '../pipeline/kernel-pipeline.ts';
import type { Environment } from './environment.ts';
import type { Logger } from './log.ts';

export interface ControlInterfaceOptions {
  readonly version: string;
  readonly pipeline: KernelPipeline;
  readonly loaded: LoadedConfiguration;
  readonly environment: Environment;
  readonly feed: ExchangeFeed;
  readonly ready: () => boolean;
  readonly log: Logger;
}

/** What people and scripts see of a running probe, and how they steer it. */
export interface ControlInterface {
  readonly server: ControlServer;
  readonly status: () => Status;
  readonly reloader: Reloader;
  /** What callers must send at present; undefined if nothing. */
  readonly token: () => string | undefined;
  /** Reloads from now on when the configuration's files change. @returns ends it */
  watch(): () => void;
}

/** @throws SondeError if the token cannot be read */
export function createControlInterface(options: ControlInterfaceOptions): ControlInterface {
  const { version, pipeline, loaded, environment, feed, ready, log } = options;
  const { configuration } = loaded;
  const { control, capture } = configuration;
  let token = configuredToken(control);
  let authorize = token === undefined ? undefined : authorizeBy(token);
  let watched: ConfigurationWatch | undefined;

  const reloader = createReloader({
    initial: loaded,
    load: () => loadConfiguration({ file: loaded.file, environment }),
    onReload(status) {
      tellReload(log, status);
      watched?.follow();
    },
    appliers: [
      ...appliers(pipeline, log),
      {
        keys: ['control.token', 'control.token_file'],
        stale: ({ control: next }) => (configuredToken(next) === token ? [] : ['control.token_file']),
        apply({ control: next }) {
          const text = configuredToken(next);
          if ((text === undefined) !== (token === undefined)) {
            throw new SondeError('SONDE_CONFIGURATION', {
              detail: 'whether a token is asked for changes with a restart only',
              remedy: 'Restart Sonde.',
            });
          }
          token = text;
          authorize = text === undefined ? undefined : authorizeBy(text);
        },
      },
    ],
  });
  const status = createStatus({
    version,
    features: () => pipeline.features(),
    stages: pipeline.stages,
    kernelCost: pipeline.kernelCost,
    governor: pipeline.governor,
    reload: () => reloader.last(),
  });
  const server = createControlServer({
    listen: control.listen,
    routes: controlRoutes({
      ready,
      status,
      store: pipeline.store,
      switches: pipeline.switches,
      features: () => pipeline.features(),
      policies: pipeline.policies,
      fallbackPolicy: capture.policy,
      configuration: () => reloader.current(),
      feed,
    }),
    authorize: authorize === undefined ? undefined : (header) => authorize?.(header) ?? false,
    onError: (path, error) => log.error({ component: 'control', path, err: error }, 'a request failed'),
  });
  return {
    server,
    status,
    reloader,
    token: () => token,
    watch() {
      watched = watchConfiguration({ reloader });
      return () => watched?.stop();
    },
  };
}

/** What a reload can change. */
function appliers(pipeline: KernelPipeline, log: Logger): Applier[] {
  return [
    {
      keys: ['log.level'],
      apply({ log: { level } }) {
        log.level = level;
      },
    },
    {
      keys: ['capture.udp'],
      apply: ({ capture: { udp } }) => switchTo(pipeline, 'udp', udp),
    },
    ...(['http', 'generic'] as const).flatMap((name): Applier[] => [
      {
        keys: [`analyzers.network.protocols.${name}.enabled`],
        apply: ({ analyzers }) => switchTo(pipeline, name, analyzers.network.protocols[name].enabled),
      },
      {
        keys: [`analyzers.network.protocols.${name}.timeout`, `analyzers.network.protocols.${name}.ports`],
        apply: (next) => pipeline.configureProtocol(name, next),
      },
    ]),
  ];
}

async function switchTo(pipeline: KernelPipeline, name: string, on: boolean): Promise<void> {
  const result = await pipeline.switches.set(new Map([[name, on]]), pipeline.features());
  if (!result.ok) {
    throw new Error(result.error);
  }
}

function tellReload(log: Logger, { cause, result, applied, restart, error }: ReloadStatus): void {
  if (result === 'refused') {
    log.error({ cause, problem: error }, 'the new configuration is refused; the old one stays in force');
    return;
  }
  if (error !== null) {
    log.error({ cause, problem: error }, 'a part of the new configuration does not hold');
  }
  if (restart.length > 0) {
    log.warn({ cause, keys: restart }, 'these keys change with a restart only');
  }
  log.info({ cause, keys: applied }, result === 'unchanged' ? 'the configuration has not changed' : 'reloaded');
}
