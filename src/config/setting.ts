import * as z from 'zod/mini';
import { parseAddress, parseDuration, parseRatio, parseSize } from './units.ts';
import type { Address } from './units.ts';

/** What is told about a key, in the one place where it is defined. */
export interface About {
  /** What it does, in whole sentences. */
  readonly doc: string;
  /** What may be written, as it reads after "allowed: ". */
  readonly allowed: string;
  /** Unit of the value in the program; how to print it. */
  readonly kind:
    | 'section'
    | 'boolean'
    | 'number'
    | 'choice'
    | 'text'
    | 'duration'
    | 'size'
    | 'ratio'
    | 'address'
    | 'list';
  /** As a person would write it; undefined if it is unset by default. */
  readonly preset?: unknown;
  /** Never shown. */
  readonly secret?: boolean;
  /** Regular expression of the written form, for the JSON schema. */
  readonly pattern?: string;
}

/** Doc, default and allowed values of each schema below; errors, the JSON schema and the docs read it. */
export const about = z.registry<About>();

type Output<T> = z.ZodMiniType<T>;

function describe<T extends z.ZodMiniType>(schema: T, text: About): T {
  about.add(schema, text);
  return schema;
}

/** A setting without a default stays undefined unless it is given. */
function finish<T>(inner: z.ZodMiniType, text: About): Output<T> {
  return describe(z.prefault(inner, text.preset as never) as unknown as Output<T>, text);
}

function written<T>(parse: (text: string) => T | undefined, refuse: (value: T) => string | undefined): Output<T> {
  return z.pipe(
    z.union([z.string(), z.number()]),
    z.transform((input: string | number, context): T => {
      const value = parse(String(input));
      const message = value === undefined ? 'not understood' : refuse(value);
      if (value === undefined || message !== undefined) {
        context.issues.push({ code: 'custom', input, message: message ?? 'not understood' });
        return z.NEVER;
      }
      return value;
    }),
  );
}

export interface Bounds {
  readonly doc: string;
  readonly preset: string;
  readonly min: string;
  readonly max: string;
}

const DURATION_PATTERN = '^(0|([0-9]+(\\.[0-9]+)?(ns|us|µs|ms|s|m|h))+)$';

function durationWithin(min: string, max: string): Output<number> {
  const [least, most] = [parseDuration(min) as number, parseDuration(max) as number];
  return written(parseDuration, (ms) => (ms < least ? 'too short' : ms > most ? 'too long' : undefined));
}

/** A duration; milliseconds in the program. */
export function duration({ doc, preset, min, max }: Bounds): Output<number> {
  return finish<number>(durationWithin(min, max), {
    doc,
    preset,
    kind: 'duration',
    allowed: `a duration from ${min} to ${max}, such as ${preset}`,
    pattern: DURATION_PATTERN,
  });
}

/** A duration without a default; `preset` is an example only. */
export function optionalDuration({ doc, preset, min, max }: Bounds): Output<number | undefined> {
  return describe(z.optional(durationWithin(min, max)) as unknown as Output<number | undefined>, {
    doc,
    kind: 'duration',
    allowed: `a duration from ${min} to ${max}, such as ${preset}`,
    pattern: DURATION_PATTERN,
  });
}

/** A duration that this build cannot honour: it must stay at its default. */
export function missingDuration({ doc, preset }: Pick<Bounds, 'doc' | 'preset'>): Output<number> {
  const kept = parseDuration(preset);
  return finish<number>(
    written(parseDuration, (ms) => (ms === kept ? undefined : NOT_IN_BUILD)),
    { doc, preset, kind: 'duration', allowed: `${preset} (${NOT_IN_BUILD})` },
  );
}

/** A size; bytes in the program. */
export function size(options: Bounds & { readonly powerOfTwo?: boolean }): Output<number> {
  const min = parseSize(options.min) as number;
  const max = parseSize(options.max) as number;
  const powerOfTwo = options.powerOfTwo === true;
  return finish<number>(
    written(parseSize, (bytes) => {
      if (bytes < min || bytes > max) {
        return bytes < min ? 'too small' : 'too large';
      }
      return powerOfTwo && !Number.isInteger(Math.log2(bytes)) ? 'not a power of two' : undefined;
    }),
    {
      doc: options.doc,
      preset: options.preset,
      kind: 'size',
      allowed: `a size from ${options.min} to ${options.max}${powerOfTwo ? ', a power of two' : ''}, such as ${options.preset}`,
      pattern: '^[0-9]+(\\.[0-9]+)? ?(B|kB|KB|MB|GB|KiB|MiB|GiB)?$',
    },
  );
}

export function flag(options: { readonly doc: string; readonly preset: boolean }): Output<boolean> {
  return finish<boolean>(z.boolean(), { ...options, kind: 'boolean', allowed: 'true or false' });
}

export function whole(options: {
  readonly doc: string;
  readonly preset: number;
  readonly min: number;
  readonly max: number;
}): Output<number> {
  const { doc, preset, min, max } = options;
  return finish<number>(z.int().check(z.gte(min), z.lte(max)), {
    doc,
    preset,
    kind: 'number',
    allowed: `a whole number from ${min} to ${max}`,
  });
}

/** One of a few words; those in `missing` are known but refused, since what they need is not in this build. */
export function choice<const T extends string>(options: {
  readonly doc: string;
  readonly preset: NoInfer<T>;
  readonly words: readonly T[];
  readonly missing?: readonly NoInfer<T>[];
}): Output<T> {
  const { doc, preset, words, missing = [] } = options;
  const present = words.filter((word) => !missing.includes(word));
  const schema = z.enum(words).check(z.refine((word) => !missing.includes(word), { error: NOT_IN_BUILD }));
  return finish<T>(schema, {
    doc,
    preset,
    kind: 'choice',
    allowed: `${present.length > 1 ? 'one of ' : ''}${present.join(', ')}`,
  });
}

/** An address to listen on. */
export function address(options: { readonly doc: string; readonly preset: string }): Output<Address> {
  return finish<Address>(
    written(parseAddress, () => undefined),
    {
      ...options,
      kind: 'address',
      allowed: `HOST:PORT, such as ${options.preset}; port 0 takes any free one`,
      pattern: '^(\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9.-]+):[0-9]{1,5}$',
    },
  );
}

/** Free text, unset by default. */
export function text(options: { readonly doc: string; readonly allowed: string }): Output<string | undefined> {
  return describe(
    z.optional(z.string().check(z.minLength(1), z.maxLength(4096))) as unknown as Output<string | undefined>,
    { ...options, kind: 'text' },
  );
}

/** A secret, unset by default. It is never shown, neither in errors nor where the configuration is printed. */
export function secret(options: { readonly doc: string }): Output<string | undefined> {
  const pattern = '^[!-~]{16,4096}$';
  const schema = z.optional(z.string().check(z.regex(new RegExp(pattern))));
  return describe(schema as unknown as Output<string | undefined>, {
    ...options,
    kind: 'text',
    allowed: 'at least 16 characters without spaces',
    pattern,
    secret: true,
  });
}

/** Which values to take and which to leave out. Nothing in `include` means everything. */
export interface NumberFilter {
  readonly include: readonly number[];
  readonly exclude: readonly number[];
}

/** A list in which a number includes and `"!22"` excludes. */
export function filter(options: {
  readonly doc: string;
  readonly what: string;
  readonly max: number;
}): Output<NumberFilter> {
  const { doc, what, max } = options;
  const item = written(
    (written) => (/^!?\d{1,16}$/.test(written) ? written : undefined),
    (written) => {
      const value = Number(written.replace('!', ''));
      return value < 1 || value > max ? 'out of range' : undefined;
    },
  );
  about.add(item, { doc, kind: 'number', allowed: `a number from 1 to ${max}, or "!22" to leave one out` });
  const list = z.pipe(
    z.array(item).check(z.maxLength(FILTER_ITEMS, { error: 'too many' })),
    z.transform((items: string[]): NumberFilter => {
      const numbers = (excluded: boolean): number[] =>
        items.filter((one) => one.startsWith('!') === excluded).map((one) => Number(one.replace('!', '')));
      return { include: numbers(false), exclude: numbers(true) };
    }),
  );
  return finish<NumberFilter>(list, {
    doc,
    preset: [],
    kind: 'list',
    allowed: `a list of at most ${FILTER_ITEMS} ${what}; "!22" leaves one out`,
  });
}

const FILTER_ITEMS = 64;

/** A list of ports, unset by default. */
export function optionalPorts(options: { readonly doc: string }): Output<readonly number[] | undefined> {
  const item = z.int().check(z.gte(1), z.lte(65_535));
  about.add(item, { doc: options.doc, kind: 'number', allowed: 'a port from 1 to 65535' });
  const list = z.optional(z.array(item).check(z.maxLength(FILTER_ITEMS, { error: 'too many' })));
  return describe(list as unknown as Output<readonly number[] | undefined>, {
    doc: options.doc,
    kind: 'list',
    allowed: `a list of at most ${FILTER_ITEMS} ports`,
  });
}

/** What the errors call something that is planned and that this build lacks. */
export const NOT_IN_BUILD = 'not in this build yet';

/** The switch of a feature that this build lacks: false is accepted, true is refused with that reason. */
export function missingSwitch(options: { readonly doc: string }): Output<boolean> {
  const schema = z.boolean().check(z.refine((value) => !value, { error: NOT_IN_BUILD }));
  return finish<boolean>(schema, {
    doc: options.doc,
    preset: false,
    kind: 'boolean',
    allowed: `false (${NOT_IN_BUILD})`,
  });
}

/** A ratio without a default; `preset` is an example only. */
export function optionalRatio({ doc, preset, min, max }: Bounds): Output<number | undefined> {
  const [least, most] = [parseRatio(min) as number, parseRatio(max) as number];
  const within = written(parseRatio, (ratio) => (ratio < least ? 'too small' : ratio > most ? 'too large' : undefined));
  return describe(z.optional(within) as unknown as Output<number | undefined>, {
    doc,
    kind: 'ratio',
    allowed: `a ratio from ${min} to ${max}, such as ${preset}`,
    pattern: '^[0-9]+(\\.[0-9]+)? ?%?$',
  });
}

type Shape = Readonly<Record<string, z.ZodMiniType>>;
type SectionOutput<S extends Shape> = { readonly [K in keyof S]: z.output<S[K]> };

/** A group of keys; a key that it does not name is an error. */
export function section<S extends Shape>(doc: string, shape: S): Output<SectionOutput<S>> {
  return finish<SectionOutput<S>>(z.strictObject(shape as never), {
    doc,
    preset: {},
    kind: 'section',
    allowed: Object.keys(shape).join(', '),
  });
}
