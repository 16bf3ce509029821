import * as z from 'zod/mini';
import type { SeriesSource } from '../../model/series.ts';
import type { Route } from '../route.ts';
import { reportServices } from '../services.ts';

const sums = {
  exchanges: z.number(),
  errors: z.number(),
  request_bytes: z.number(),
  response_bytes: z.number(),
  duration: z.array(z.number()),
  queue: z.array(z.number()),
};

const tcp = z.strictObject({
  connections: z.number(),
  retransmits: z.number(),
  resets: z.number(),
  failed_connects: z.number(),
  rtt: z.array(z.number()),
});

/** The shape of a ServicesReport. */
export const servicesSchema = z.strictObject({
  closed_ms: z.nullable(z.number()),
  window_ms: z.number(),
  bounds: z.strictObject({
    duration_ns: z.array(z.number()),
    queue_ns: z.array(z.number()),
    rtt_ns: z.array(z.number()),
  }),
  completeness: z.number(),
  services: z.array(
    z.strictObject({
      service: z.string(),
      role: z.string(),
      protocols: z.array(z.string()),
      ...sums,
      tcp,
      routes: z.array(z.strictObject({ protocol: z.string(), route: z.string(), ...sums })),
      peers: z.array(z.strictObject({ peer: z.string(), tcp, ...sums })),
      hidden: z.strictObject({ routes: z.number(), peers: z.number() }),
    }),
  ),
  hidden: z.number(),
});

/** `GET /services`: the sums of every service, its routes and the servers it calls. `sonde top` is made of it. */
export function servicesRoute(store: SeriesSource): Route {
  return {
    method: 'GET',
    path: '/services',
    summary: 'Exchanges, errors, bytes and histograms since the start, by service, route and peer.',
    responses: { 200: { doc: 'The sums at the end of the last window.', schema: servicesSchema } },
    handle() {
      const snapshot = store.snapshot();
      try {
        return { status: 200, body: reportServices(snapshot) };
      } finally {
        snapshot.release();
      }
    },
  };
}
