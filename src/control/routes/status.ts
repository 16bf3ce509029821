import * as z from 'zod/mini';
import type { Route } from '../route.ts';
import { featureSchema } from '../schemas.ts';
import type { Status } from '../status.ts';

const counts = z.record(z.string(), z.number());

export const statusSchema = z.looseObject({
  version: z.string(),
  kernel: z.string(),
  uptime_s: z.number(),
  features: z.array(featureSchema),
  loss: z.array(
    z.strictObject({
      stage: z.string(),
      produced: z.number(),
      delivered: z.number(),
      dropped: counts,
      in_flight: z.number(),
      skipped: counts,
    }),
  ),
  cost: z.looseObject({
    kernel_ns: z.nullable(z.number()),
    cpu_ratio: z.number(),
    rss_bytes: z.number(),
    map_bytes: z.nullable(z.number()),
  }),
  governor: z.looseObject({ level: z.number(), reason: z.nullable(z.string()) }),
});

/** `GET /status`: features on or off and why, the law of loss by stage, and what the probe costs. */
export function statusRoute(status: () => Status): Route {
  return {
    method: 'GET',
    path: '/status',
    summary: 'Features on or off and why, loss by stage, own cost.',
    responses: { 200: { doc: 'The status.', schema: statusSchema } },
    handle: () => ({ status: 200, body: status() }),
  };
}
