import * as z from 'zod/mini';

/** What every answer of 400 and above holds. */
export const errorSchema = z.strictObject({ error: z.string() });

export const featureSchema = z.strictObject({
  name: z.string(),
  state: z.enum(['on', 'off']),
  reason: z.nullable(z.string()),
  remedy: z.nullable(z.string()),
});
