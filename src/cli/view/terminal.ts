import type { Environment } from '../environment.ts';

/** Where the view is shown. */
export interface Terminal {
  /** Shows these lines: in place on a terminal, below the last ones elsewhere. */
  show(lines: readonly string[]): void;
  /** Gives the terminal back as it was and leaves `lines` on it. */
  close(lines: readonly string[]): void;
  /** Lines and columns now; rows are Infinity where lines scroll. */
  size(): { readonly columns: number; readonly rows: number };
  readonly inPlace: boolean;
  readonly colour: boolean;
}

const ENTER = '\u001b[?1049h\u001b[?25l\u001b[H\u001b[2J';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const CLEAR_RIGHT = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';

/** Columns where nothing tells how wide lines may be. */
const PLAIN_COLUMNS = 100;

/** Colour on a terminal unless NO_COLOR (no-color.org) or TERM=dumb says otherwise. */
export function openTerminal(stream: NodeJS.WriteStream, environment: Environment): Terminal {
  const dumb = environment.TERM === 'dumb';
  const inPlace = stream.isTTY && !dumb;
  const colour = inPlace && (environment.NO_COLOR ?? '') === '';
  let entered = false;
  return {
    inPlace,
    colour,
    size: () =>
      inPlace
        ? { columns: stream.columns || 80, rows: stream.rows || 24 }
        : { columns: PLAIN_COLUMNS, rows: Number.POSITIVE_INFINITY },
    show(lines) {
      // A reader that does not keep up gets the next refresh, not a growing queue of old ones.
      if (stream.writableLength > 0) {
        return;
      }
      if (!inPlace) {
        stream.write(`${lines.join('\n')}\n\n`);
        return;
      }
      const start = entered ? HOME : ENTER;
      entered = true;
      stream.write(`${start}${lines.map((line) => line + CLEAR_RIGHT).join('\r\n')}${CLEAR_BELOW}`);
    },
    close(lines) {
      stream.write(`${entered ? LEAVE : ''}${lines.join('\n')}\n`);
      entered = false;
    },
  };
}
