import * as z from 'zod/mini';
import type { Route } from '../route.ts';
import { errorSchema } from '../schemas.ts';

const MAX_RULES = 64;

const ruleShape = {
  port: z.optional(z.int().check(z.gte(1), z.lte(65_535))),
  pid: z.optional(z.int().check(z.gte(1), z.lte(4_194_304))),
  comm: z.optional(z.string().check(z.minLength(1), z.maxLength(15))),
  cgroup: z.optional(z.int().check(z.gte(1))),
  policy: z.enum(['stream', 'headers', 'count', 'ignore', 'auto']),
};
const wishSchema = z.strictObject({ rules: z.array(z.strictObject(ruleShape)).check(z.maxLength(MAX_RULES)) });
const listSchema = z.strictObject({
  default: z.enum(['stream', 'headers', 'count', 'ignore', 'auto']),
  rules: z.array(z.strictObject({ ...ruleShape, connections: z.number() })),
});

export type Rule = z.output<typeof wishSchema>['rules'][number];

/** What the route steers. */
export interface Policies {
  rules(): readonly Rule[];
  setRules(rules: readonly Rule[]): void;
  /** How many open connections each rule decides about, in the order of the rules. */
  matches(): readonly number[];
}

/**
 * `GET /policies`: the rules, each with how many connections it decides about. `PUT /policies`: other rules in their
 * place, also for the connections that are open.
 */
export function policyRoutes(policies: Policies, fallback: string): Route[] {
  const list = (): unknown => {
    const counts = policies.matches();
    return {
      default: fallback,
      rules: policies.rules().map((rule, at) => Object.assign({}, rule, { connections: counts[at] ?? 0 })),
    };
  };
  return [
    {
      method: 'GET',
      path: '/policies',
      summary: 'The rules that decide how much is taken of which connection.',
      responses: { 200: { doc: 'The rules, in order.', schema: listSchema } },
      handle: () => ({ status: 200, body: list() }),
    },
    {
      method: 'PUT',
      path: '/policies',
      summary: 'Replace the rules. The first rule all of whose keys fit a connection decides; auto stops the search.',
      body: wishSchema,
      responses: {
        200: { doc: 'Done; the rules as they are now.', schema: listSchema },
        400: { doc: 'The body is not understood.', schema: errorSchema },
      },
      handle({ body }) {
        policies.setRules((body as z.output<typeof wishSchema>).rules);
        return { status: 200, body: list() };
      },
    },
  ];
}
