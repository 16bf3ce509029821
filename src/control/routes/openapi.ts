import * as z from 'zod/mini';
import { describeApi } from '../openapi.ts';
import type { Route } from '../route.ts';

/** `GET /openapi.json`: describes the given routes and itself. */
export function withOpenapi(routes: readonly Route[]): Route[] {
  let description: Record<string, unknown> | undefined;
  const route: Route = {
    method: 'GET',
    path: '/openapi.json',
    summary: 'This description.',
    responses: { 200: { doc: 'OpenAPI 3.1.', schema: z.looseObject({ openapi: z.string() }) } },
    handle() {
      description ??= describeApi(all);
      return { status: 200, body: description };
    },
  };
  const all = [...routes, route];
  return all;
}
