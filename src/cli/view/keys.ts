/** A key: the character that it types, or a name of several letters. */
export type Key = string;

const NAMES: Readonly<Record<string, Key>> = {
  '\u001b[A': 'up',
  '\u001bOA': 'up',
  '\u001b[B': 'down',
  '\u001bOB': 'down',
  '\u001b[C': 'right',
  '\u001bOC': 'right',
  '\u001b[D': 'left',
  '\u001bOD': 'left',
  '\u001b[5~': 'page-up',
  '\u001b[6~': 'page-down',
  '\u001b[H': 'home',
  '\u001bOH': 'home',
  '\u001b[1~': 'home',
  '\u001b[F': 'end',
  '\u001bOF': 'end',
  '\u001b[4~': 'end',
  '\r': 'enter',
  '\n': 'enter',
  '\t': 'tab',
  '\u001b': 'escape',
  '\u007f': 'backspace',
  '\b': 'backspace',
  '\u0003': 'interrupt',
  // Ctrl-D, as a shell would end.
  '\u0004': 'interrupt',
};

/** A control sequence as terminals send it for a key (ECMA-48, 5.4, and the single shift of VT100), or one character. */
// oxlint-disable-next-line no-control-regex -- control characters are what it is about
const ONE_KEY = /\u001b\[[0-9;]*[ -/]*[@-~]|\u001bO[A-Za-z]|[\s\S]/gu;

/** The keys in what a terminal sent at once; what is neither a known key nor a character is left out. */
export function decodeKeys(text: string): Key[] {
  return Array.from(text.matchAll(ONE_KEY), ([sequence]) => NAMES[sequence] ?? sequence).filter(
    (key) => !/[\p{Cc}\p{Cf}]/u.test(key),
  );
}
