import type { ReadStream } from 'node:tty';
import type { Environment } from '../environment.ts';
import { decodeKeys } from './keys.ts';
import type { Key } from './keys.ts';

/** Where the view is shown. */
export interface Terminal {
  /** Shows these lines: in place on a terminal, below the last ones elsewhere. */
  show(lines: readonly string[]): void;
  /** From now on hands over keys, and tells when the size has changed. */
  listen(onKey: (key: Key) => void, onResize: () => void): void;
  /** Gives the terminal back as it was and leaves `lines` on it. */
  close(lines: readonly string[]): void;
  /** Lines and columns now; rows are Infinity where lines scroll. */
  size(): { readonly columns: number; readonly rows: number };
  readonly inPlace: boolean;
  readonly colour: boolean;
  /** Whether somebody can press keys. */
  readonly keys: boolean;
}

export interface TerminalStreams {
  readonly output: NodeJS.WriteStream;
  readonly input: ReadStream;
}

// The screen of its own; no cursor; lines that are too long are cut, not wrapped.
const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l\u001b[H\u001b[2J';
const LEAVE = '\u001b[?7h\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const CLEAR_RIGHT = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';

/** Columns where nothing tells how wide lines may be. */
const PLAIN_COLUMNS = 100;

function nothing(): void {}

/** Colour on a terminal unless NO_COLOR (no-color.org) or TERM=dumb says otherwise. */
export function openTerminal({ output, input }: TerminalStreams, environment: Environment): Terminal {
  const inPlace = output.isTTY && environment.TERM !== 'dumb';
  const keys = inPlace && input.isTTY;
  const colour = inPlace && (environment.NO_COLOR ?? '') === '';
  let entered = false;
  let forget = nothing;
  return {
    inPlace,
    colour,
    keys,
    size: () =>
      inPlace
        ? { columns: output.columns || 80, rows: output.rows || 24 }
        : { columns: output.columns || PLAIN_COLUMNS, rows: Number.POSITIVE_INFINITY },
    show(lines) {
      // A reader that does not keep up gets the next refresh, not a growing queue of old ones.
      if (output.writableLength > 0) {
        return;
      }
      if (!inPlace) {
        output.write(`${lines.join('\n')}\n\n`);
        return;
      }
      const start = entered ? HOME : ENTER;
      entered = true;
      // Cleared before they are written: after a line that fills the page the cursor is still on its last character.
      const text = lines.map((line) => CLEAR_RIGHT + line).join('\r\n');
      output.write(start + text + (lines.length < (output.rows || 24) ? `\r\n${CLEAR_BELOW}` : ''));
    },
    listen(onKey, onResize) {
      const onData = (data: Buffer): void => decodeKeys(data.toString('utf8')).forEach(onKey);
      if (keys) {
        // Of a terminal that is gone SIGHUP tells.
        input.setRawMode(true).on('data', onData).on('error', nothing).resume();
      }
      if (inPlace) {
        output.on('resize', onResize);
      }
      forget = () => {
        output.off('resize', onResize);
        if (keys) {
          input.off('data', onData).setRawMode(false).pause();
        }
      };
    },
    close(lines) {
      output.write(`${entered ? LEAVE : ''}${lines.join('\n')}\n`);
      entered = false;
      forget();
      forget = nothing;
    },
  };
}
