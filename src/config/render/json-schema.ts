import * as z from 'zod/mini';
import { configurationSchema } from '../schema.ts';
import { about, NOT_IN_BUILD } from '../setting.ts';

/** The JSON schema (2020-12) of the file, for editors. */
export function renderJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(configurationSchema, {
    io: 'input',
    override: ({ zodSchema, jsonSchema }) => {
      const text = about.get(zodSchema as unknown as z.ZodMiniType);
      if (text === undefined) {
        return;
      }
      jsonSchema.description = text.kind === 'section' ? text.doc : `${text.doc} Allowed: ${text.allowed}.`;
      if (text.pattern !== undefined) {
        jsonSchema.pattern = text.pattern;
      }
      if (text.kind === 'boolean' && text.allowed.includes(NOT_IN_BUILD)) {
        jsonSchema.const = false;
      }
      if (text.kind === 'section') {
        delete jsonSchema.default;
      }
    },
  });
  return { ...schema, title: 'Configuration of Sonde' };
}
