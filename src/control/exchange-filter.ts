import { suggest } from '../config/suggest.ts';
import { parseDuration, parseSize } from '../config/units.ts';
import { SondeError } from '../model/errors.ts';
import { EXCHANGE_KEYS } from '../model/exchange-line.ts';
import type { ExchangeLine } from '../model/exchange-line.ts';

/** Decides about one exchange. */
export type ExchangeFilter = (exchange: ExchangeLine) => boolean;

type Value = string | number | boolean | null;
interface Token {
  readonly text: string;
  readonly kind: 'word' | 'quoted' | 'operator' | 'open' | 'close';
  /** Place in the expression, from 1. */
  readonly column: number;
}

const MAX_LENGTH = 1000;
const MAX_DEPTH = 32;
const TOKEN = /\s*(?:(\()|(\))|(!=|<=|>=|!~|=|<|>|~)|"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([^\s()=<>!~"']+))/y;

/** What stands in `sonde replay --help` about expressions. */
export const FILTER_HELP = `An expression compares keys of an exchange with values and joins them by and, or, not and parentheses:
  protocol=http and status>=500
  duration_ns>=5ms and not (operation=GET or operation=HEAD)
  resource~"/api/" and error!=null
  attributes.url.scheme=http
Operators: = != < <= > >= ~ (contains) !~. Durations (5ms) and sizes (4KiB) may stand where a key ends in _ns or _bytes.
Nothing is evaluated beyond that: it is no program.`;

/** Reads an expression, of `--filter` or of `GET /exchanges`. @throws SondeError SONDE_USAGE with the column. */
export function parseFilter(text: string): ExchangeFilter {
  if (text.length > MAX_LENGTH) {
    throw fault(`longer than ${MAX_LENGTH} characters`, 1);
  }
  const tokens = tokenize(text);
  let next = 0;
  const peek = (): Token | undefined => tokens[next];
  const isWord = (word: string): boolean => peek()?.kind === 'word' && peek()?.text.toLowerCase() === word;

  const expression = (depth: number): ExchangeFilter => {
    if (depth > MAX_DEPTH) {
      throw fault('nested too deeply', peek()?.column ?? text.length);
    }
    const parts = [conjunction(depth)];
    while (isWord('or')) {
      next += 1;
      parts.push(conjunction(depth));
    }
    return parts.length === 1 ? parts[0] : (line) => parts.some((part) => part(line));
  };
  const conjunction = (depth: number): ExchangeFilter => {
    const parts = [negation(depth)];
    while (isWord('and')) {
      next += 1;
      parts.push(negation(depth));
    }
    return parts.length === 1 ? parts[0] : (line) => parts.every((part) => part(line));
  };
  const negation = (depth: number): ExchangeFilter => {
    if (isWord('not')) {
      if (depth > MAX_DEPTH) {
        throw fault('nested too deeply', peek()?.column ?? text.length);
      }
      next += 1;
      const inner = negation(depth + 1);
      return (line) => !inner(line);
    }
    if (peek()?.kind === 'open') {
      next += 1;
      const inner = expression(depth + 1);
      if (peek()?.kind !== 'close') {
        throw fault('a ) is missing', peek()?.column ?? text.length + 1);
      }
      next += 1;
      return inner;
    }
    return comparison();
  };
  const comparison = (): ExchangeFilter => {
    const [key, operator, value] = tokens.slice(next, next + 3);
    if (key?.kind !== 'word') {
      throw fault('a key is missing', key?.column ?? text.length + 1);
    }
    if (operator?.kind !== 'operator') {
      throw fault('an operator (= != < <= > >= ~ !~) is missing', operator?.column ?? text.length + 1);
    }
    if (value?.kind !== 'word' && value?.kind !== 'quoted') {
      throw fault('a value is missing', value?.column ?? text.length + 1);
    }
    next += 3;
    return compare(reader(key), key.text, operator.text, value);
  };

  const filter = expression(0);
  const rest = peek();
  if (rest !== undefined) {
    throw fault(`${JSON.stringify(rest.text)} is not expected here; join comparisons by and, or`, rest.column);
  }
  return filter;
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length && text.slice(TOKEN.lastIndex).trim() !== '') {
    const start = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (match === null) {
      throw fault(`${JSON.stringify(text.slice(start).trim().slice(0, 20))} is not understood`, start + 1);
    }
    const [whole, open, close, operator, double, single, word] = match;
    const column = start + 1 + (whole.length - whole.trimStart().length);
    const quoted = double ?? single;
    if (quoted !== undefined) {
      tokens.push({ kind: 'quoted', text: quoted.replace(/\\(.)/g, '$1'), column });
    } else if (operator !== undefined) {
      tokens.push({ kind: 'operator', text: operator, column });
    } else if (word !== undefined) {
      tokens.push({ kind: 'word', text: word, column });
    } else {
      tokens.push({ kind: open === undefined ? 'close' : 'open', text: open ?? close, column });
    }
  }
  return tokens;
}

function reader(key: Token): (line: ExchangeLine) => Value {
  if (key.text.startsWith('attributes.')) {
    const name = key.text.slice('attributes.'.length);
    return (line) => (Object.hasOwn(line.attributes, name) ? line.attributes[name] : null);
  }
  const known = EXCHANGE_KEYS.find((one) => one === key.text);
  if (known === undefined) {
    const meant = suggest(key.text, EXCHANGE_KEYS);
    throw fault(
      `an exchange has no key ${JSON.stringify(key.text)}${meant === undefined ? '' : `; did you mean ${meant}?`}`,
      key.column,
      `Keys: ${EXCHANGE_KEYS.join(', ')}, attributes.NAME.`,
    );
  }
  return (line) => line[known];
}

function compare(read: (line: ExchangeLine) => Value, key: string, operator: string, value: Token): ExchangeFilter {
  const { text } = value;
  if (value.kind === 'word' && text === 'null') {
    if (operator !== '=' && operator !== '!=') {
      throw fault('null can only be compared by = and !=', value.column);
    }
    return operator === '=' ? (line) => read(line) === null : (line) => read(line) !== null;
  }
  switch (operator) {
    case '=':
    case '!=': {
      const number = toNumber(key, text);
      const same = (line: ExchangeLine): boolean => {
        const actual = read(line);
        return typeof actual === 'number' ? actual === number : actual !== null && String(actual) === text;
      };
      return operator === '=' ? same : (line) => !same(line);
    }
    case '~':
      return (line) => String(read(line) ?? '').includes(text);
    case '!~':
      return (line) => !String(read(line) ?? '').includes(text);
    default: {
      const limit = toNumber(key, text);
      if (limit === undefined) {
        throw fault(`${JSON.stringify(text)} is no number`, value.column);
      }
      return (line) => {
        const actual = read(line);
        const number = actual === null || actual === '' ? Number.NaN : Number(actual);
        switch (operator) {
          case '<':
            return number < limit;
          case '<=':
            return number <= limit;
          case '>':
            return number > limit;
          default:
            return number >= limit;
        }
      };
    }
  }
}

function toNumber(key: string, text: string): number | undefined {
  const plain = /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : undefined;
  if (plain === undefined && key.endsWith('_ns')) {
    const ms = parseDuration(text);
    return ms === undefined ? undefined : Math.round(ms * 1e6);
  }
  return plain ?? (key.endsWith('_bytes') ? parseSize(text) : undefined);
}

function fault(detail: string, column: number, remedy?: string): SondeError {
  return new SondeError('SONDE_USAGE', {
    detail: `filter, column ${column}: ${detail}`,
    remedy: remedy ?? '`sonde replay --help` shows how expressions are written.',
  });
}
