import * as z from 'zod/mini';
import type { Route } from '../route.ts';
import { errorSchema, featureSchema } from '../schemas.ts';
import type { Feature } from '../status.ts';
import type { Switches } from '../switches.ts';

const state = z.enum(['on', 'off']);
const listSchema = z.strictObject({
  features: z.array(z.extend(featureSchema, { switchable: z.boolean() })),
});
const wishSchema = z.union([
  z.strictObject({ name: z.string(), state }),
  z.record(z.string().check(z.maxLength(64)), state),
]);

/** `GET /features`: every feature and whether it can be switched. `PUT /features`: switches one, or several at once. */
export function featureRoutes(switches: Switches, features: () => readonly Feature[]): Route[] {
  const list = (): { features: unknown } => ({ features: switches.list(features()) });
  return [
    {
      method: 'GET',
      path: '/features',
      summary: 'Every feature, on or off and why, and whether it can be switched.',
      responses: { 200: { doc: 'The features.', schema: listSchema } },
      handle: () => ({ status: 200, body: list() }),
    },
    {
      method: 'PUT',
      path: '/features',
      summary: 'Switch features: {"name":"udp","state":"on"}, or {"udp":"on","http":"off"}. All of them or none.',
      body: wishSchema,
      responses: {
        200: { doc: 'Done; the features as they are now.', schema: listSchema },
        400: { doc: 'The body is not understood, or there is no such feature.', schema: errorSchema },
        409: {
          doc: 'A feature that cannot be switched while the program runs, or not here; the error says why.',
          schema: errorSchema,
        },
        501: { doc: 'It is not in this build.', schema: errorSchema },
      },
      async handle({ body }) {
        const result = await switches.set(wishes(body as z.output<typeof wishSchema>), features());
        return result.ok ? { status: 200, body: list() } : { status: result.status, body: { error: result.error } };
      },
    },
  ];
}

function wishes(body: z.output<typeof wishSchema>): Map<string, boolean> {
  const pairs = 'state' in body && 'name' in body ? [[body.name, body.state] as const] : Object.entries(body);
  return new Map(pairs.map(([name, wanted]) => [name, wanted === 'on']));
}
