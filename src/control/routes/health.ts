import * as z from 'zod/mini';
import type { Route } from '../route.ts';

const health = (word: string) => z.strictObject({ status: z.literal(word) });

/** `GET /healthz`: the process answers. `GET /readyz`: everything has started. Neither asks for the token. */
export function healthRoutes({ ready }: { readonly ready: () => boolean }): Route[] {
  return [
    {
      method: 'GET',
      path: '/healthz',
      open: true,
      summary: 'Whether the process answers.',
      responses: { 200: { doc: 'It does.', schema: health('ok') } },
      handle: () => ({ status: 200, body: { status: 'ok' } }),
    },
    {
      method: 'GET',
      path: '/readyz',
      open: true,
      summary: 'Whether everything has started.',
      responses: {
        200: { doc: 'It has.', schema: health('ready') },
        503: { doc: 'Not yet.', schema: health('starting') },
      },
      handle: () =>
        ready() ? { status: 200, body: { status: 'ready' } } : { status: 503, body: { status: 'starting' } },
    },
  ];
}
