import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import * as z from 'zod';
import { loadConfiguration } from '../../../src/config/load.ts';
import { controlRoutes } from '../../../src/control/control-routes.ts';
import { createControlServer } from '../../../src/control/control-server.ts';
import type { ControlServer } from '../../../src/control/control-server.ts';
import { createExchangeFeed } from '../../../src/control/exchange-feed.ts';
import type { ExchangeFeed } from '../../../src/control/exchange-feed.ts';
import type { Rule } from '../../../src/control/routes/policies.ts';
import { createStatus } from '../../../src/control/status.ts';
import type { Feature } from '../../../src/control/status.ts';
import { createSwitches } from '../../../src/control/switches.ts';
import { authorizeBy } from '../../../src/control/token.ts';
import { LabelSets } from '../../../src/model/label-sets.ts';
import { createAggregateProcessor } from '../../../src/processor/aggregate/aggregate-processor.ts';
import { exchange } from '../processor/exchange-fixture.ts';
import { exchangeLine } from '../cli/exchange-line.fixture.ts';
import { ask } from './ask.ts';
import type { Answer, Asking } from './ask.ts';

interface Operation {
  readonly responses: Record<string, { content: Record<string, { schema: z.core.JSONSchema.JSONSchema }> }>;
}
interface Description {
  readonly paths: Record<string, Record<string, Operation>>;
}

const DESCRIPTION = JSON.parse(
  readFileSync(new URL('../../../docs/openapi.json', import.meta.url), 'utf8'),
) as Description;
const TOKEN = '0123456789abcdef';

let ready = true;
let full = false;
let feed: ExchangeFeed;
let open: ControlServer;
let guarded: ControlServer;

beforeEach(async () => {
  ready = true;
  full = false;
  let udp = false;
  let rules: readonly Rule[] = [];
  const real = createExchangeFeed({ labelsOf: () => ({}), toLine: () => exchangeLine() });
  feed = {
    consume: (group) => real.consume(group),
    follow: (output, options) => real.follow(output, options),
    stop: () => real.stop(),
    isFull: () => full,
  };
  const features: Feature[] = [
    { name: 'udp', state: 'off', reason: 'capture.udp is false', remedy: null },
    { name: 'process', state: 'on', reason: null, remedy: null },
  ];
  const routes = controlRoutes({
    ready: () => ready,
    status: createStatus({ version: '1', features: () => features, stages: [], reload: () => null }),
    store: createAggregateProcessor({
      labels: new LabelSets({ maxSets: 16 }),
      windowNs: 1e9,
      ttlNs: 1e12,
      maxSeries: 16,
      stages: [],
    }).store,
    switches: createSwitches([{ name: 'udp', isOn: () => udp, set: (on) => void (udp = on) }], ['traces']),
    features: () => features,
    policies: {
      rules: () => rules,
      setRules: (given) => void (rules = given),
      matches: () => rules.map(() => 0),
    },
    fallbackPolicy: 'auto',
    configuration: () => loadConfiguration({ environment: {}, defaultFile: '/nonexistent/sonde.yaml' }),
    feed,
  });
  const listen = { host: '127.0.0.1', port: 0 };
  open = createControlServer({ listen, routes });
  guarded = createControlServer({ listen, routes, authorize: authorizeBy(TOKEN) });
  await Promise.all([open.start(), guarded.start()]);
});

afterEach(async () => {
  feed.stop();
  await Promise.all([open.stop(), guarded.stop()]);
});

/** What makes each documented status happen, besides those that the server gives for every path. */
const CAUSES: Readonly<Record<string, () => Asking & { query?: string }>> = {
  'get /healthz 200': () => ({}),
  'get /readyz 200': () => ({}),
  'get /readyz 503': () => {
    ready = false;
    return {};
  },
  'get /status 200': () => ({}),
  'get /services 200': () => ({}),
  'get /features 200': () => ({}),
  'put /features 200': () => ({ body: '{"name":"udp","state":"on"}' }),
  'put /features 400': () => ({ body: '{"udpp":"on"}' }),
  'put /features 409': () => ({ body: '{"process":"off"}' }),
  'put /features 501': () => ({ body: '{"traces":"on"}' }),
  'get /policies 200': () => ({}),
  'put /policies 200': () => ({ body: '{"rules":[{"port":80,"policy":"ignore"},{"policy":"auto"}]}' }),
  'put /policies 400': () => ({ body: '{"rules":[{"port":"x","policy":"ignore"}]}' }),
  'get /config 200': () => ({}),
  'get /exchanges 200': () => {
    setTimeout(() => feed.consume(exchange({})), 50);
    return { query: '?follow=1&limit=1' };
  },
  'get /exchanges 400': () => ({ query: '?follow=1&filter=x' }),
  'get /exchanges 503': () => {
    full = true;
    return { query: '?follow=1' };
  },
  'get /openapi.json 200': () => ({}),
  'post /profile 501': () => ({}),
};

/** What the server answers before a route sees the request. */
function general(status: string, method: string): { at: () => ControlServer; asking: Asking } | undefined {
  const body = method === 'get' ? {} : { body: '{}' };
  switch (status) {
    case '401':
      return { at: () => guarded, asking: body };
    case '403':
      return { at: () => open, asking: { ...body, headers: { host: 'evil.example' } } };
    case '413':
      return { at: () => open, asking: { body: method === 'get' ? '{}' : `"${'x'.repeat(65_536)}"` } };
    case '415':
      return { at: () => open, asking: { body: '{}', headers: { 'content-type': 'text/plain' } } };
    default:
      return undefined;
  }
}

const documented = Object.entries(DESCRIPTION.paths).flatMap(([path, methods]) =>
  Object.entries(methods).flatMap(([method, { responses }]) =>
    Object.entries(responses).map(([status, { content }]) => ({
      id: `${method} ${path} ${status}`,
      method,
      path,
      status,
      content,
    })),
  ),
);

function expectDocumented(answer: Answer, content: Operation['responses'][string]['content']): void {
  const type = answer.type.replace(/;.*/, '');
  expect(Object.keys(content)).toContain(type);
  const schema = z.fromJSONSchema(content[type]?.schema ?? {});
  const parsed = schema.safeParse(type === 'application/json' ? answer.body : answer.text);
  expect(parsed.error?.issues ?? []).toEqual([]);
}

test('docs/openapi.json describes the routes there are (node scripts/generate-openapi.mjs)', async () => {
  const { body } = await ask(`${open.url()}/openapi.json`);
  expect(body).toEqual(DESCRIPTION);
});

test.each(documented)('$id happens, and its body is as described', async ({ id, method, path, status, content }) => {
  const common = general(status, method);
  const { query = '', ...asking } =
    common === undefined ? (CAUSES[id]?.() ?? expect.fail(`no cause for ${id}`)) : { ...common.asking };
  const server = common?.at() ?? open;
  const answer = await ask(`${server.url()}${path}${query}`, { method: method.toUpperCase(), ...asking });
  expect(String(answer.status)).toBe(status);
  expectDocumented(answer, content);
});

test('what makes a status happen is documented', () => {
  expect(documented.map(({ id }) => id)).toEqual(expect.arrayContaining(Object.keys(CAUSES)));
});

test('with the token everything is answered as without one', async () => {
  const headers = { authorization: `Bearer ${TOKEN}`, host: 'sonde.example' };
  expect((await ask(`${guarded.url()}/status`, { headers })).status).toBe(200);
  expect((await ask(`${guarded.url()}/healthz`, { headers: { host: 'x' } })).status).toBe(200);
  expect((await ask(`${guarded.url()}/nothing`)).status).toBe(401);
});
