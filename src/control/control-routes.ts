import type { LoadedConfiguration } from '../config/load.ts';
import type { SeriesSource } from '../model/series.ts';
import type { ExchangeFeed } from './exchange-feed.ts';
import type { Route } from './route.ts';
import { configRoute } from './routes/config.ts';
import { exchangesRoute } from './routes/exchanges.ts';
import { featureRoutes } from './routes/features.ts';
import { healthRoutes } from './routes/health.ts';
import { withOpenapi } from './routes/openapi.ts';
import { policyRoutes } from './routes/policies.ts';
import type { Policies } from './routes/policies.ts';
import { profileRoute } from './routes/profile.ts';
import { servicesRoute } from './routes/services.ts';
import { statusRoute } from './routes/status.ts';
import type { Feature, Status } from './status.ts';
import type { Switches } from './switches.ts';

/** What the routes show and steer. */
export interface Controlled {
  readonly ready: () => boolean;
  readonly status: () => Status;
  readonly store: SeriesSource;
  readonly switches: Switches;
  readonly features: () => readonly Feature[];
  readonly policies: Policies;
  /** capture.policy */
  readonly fallbackPolicy: string;
  readonly configuration: () => LoadedConfiguration;
  readonly feed: ExchangeFeed;
}

/** Every route of the control interface; docs/openapi.json is made of them. */
export function controlRoutes(controlled: Controlled): Route[] {
  const { ready, status, store, switches, features, policies, fallbackPolicy, configuration, feed } = controlled;
  return withOpenapi([
    ...healthRoutes({ ready }),
    statusRoute(status),
    servicesRoute(store),
    ...featureRoutes(switches, features),
    ...policyRoutes(policies, fallbackPolicy),
    configRoute(configuration),
    exchangesRoute(feed),
    profileRoute(),
  ]);
}
