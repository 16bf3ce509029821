import type { Route } from '../route.ts';
import { errorSchema } from '../schemas.ts';

/** `POST /profile`: answered with 501 until profiling is in the build, whatever is sent. */
export function profileRoute(): Route {
  return {
    method: 'POST',
    path: '/profile',
    summary: 'Profile processes; not in this build yet.',
    ignoresBody: true,
    responses: { 501: { doc: 'It is not in this build.', schema: errorSchema } },
    handle: () => ({ status: 501, body: { error: 'profiling is not in this build yet' } }),
  };
}
