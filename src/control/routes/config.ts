import * as z from 'zod/mini';
import type { LoadedConfiguration } from '../../config/load.ts';
import { effectiveSettings } from '../../config/render/effective.ts';
import type { Route } from '../route.ts';

const configSchema = z.strictObject({
  file: z.nullable(z.string()),
  settings: z.record(z.string(), z.strictObject({ value: z.unknown(), origin: z.string() })),
});

/** `GET /config`: what holds for each key, and where that comes from. Secrets are masked. */
export function configRoute(current: () => LoadedConfiguration): Route {
  return {
    method: 'GET',
    path: '/config',
    summary: 'The effective configuration, each value with its origin; secrets are masked.',
    responses: { 200: { doc: 'By dotted key. A value that is unset is null.', schema: configSchema } },
    handle() {
      const loaded = current();
      return { status: 200, body: { file: loaded.file ?? null, settings: effectiveSettings(loaded) } };
    },
  };
}
