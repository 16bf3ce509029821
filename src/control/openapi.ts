import * as z from 'zod/mini';
import type { ResponseDoc, Route } from './route.ts';
import { errorSchema } from './schemas.ts';

const DESCRIPTION =
  'See and steer a running Sonde. On loopback no token is asked for unless one is configured; anywhere else one is ' +
  'required. Errors are `{"error": "..."}`.';

/** The OpenAPI 3.1 description of these routes. It says what the router does with a request before a route sees it. */
export function describeApi(routes: readonly Route[]): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(route) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Sonde control API', version: '1', description: DESCRIPTION },
    servers: [{ url: 'http://127.0.0.1:9503' }],
    paths,
    components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
  };
}

/** What a route and the server before it may answer, by status. */
export function responsesOf(route: Route): Record<string, ResponseDoc> {
  return {
    ...(route.open === true ? {} : { 401: problem('A token is configured, and the request has another one or none.') }),
    403: problem('No token is configured, and the Host header names neither an address nor localhost.'),
    ...(route.ignoresBody === true
      ? {}
      : {
          413: problem(
            route.body === undefined ? 'A request has no body here.' : 'The body has more than 65,536 bytes.',
          ),
        }),
    ...(route.body === undefined
      ? {}
      : { 400: problem('The body is not understood.'), 415: problem('The body is not application/json.') }),
    ...route.responses,
  };
}

function problem(doc: string): ResponseDoc {
  return { doc, schema: errorSchema };
}

function operation(route: Route): Record<string, unknown> {
  const { summary, parameters, body, open } = route;
  const responses = Object.entries(responsesOf(route)).map(([status, { doc, schema, contentType }]) => [
    status,
    { description: doc, content: { [contentType ?? 'application/json']: { schema: jsonSchema(schema, 'output') } } },
  ]);
  return {
    summary,
    security: open === true ? [{}] : [{}, { token: [] }],
    ...(parameters === undefined
      ? {}
      : {
          parameters: parameters.map(({ name, required, doc, schema }) => ({
            name,
            in: 'query',
            required,
            description: doc,
            schema: jsonSchema(schema, 'input'),
          })),
        }),
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: jsonSchema(body, 'input') } } } }),
    responses: Object.fromEntries(responses),
  };
}

function jsonSchema(schema: z.ZodMiniType, io: 'input' | 'output'): unknown {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io });
  return rest;
}
