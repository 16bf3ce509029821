import type { TextSink } from './log.ts';

const KEPT = 3;

/** Passes log lines on; while held, it only keeps the last ones for the view to show. */
export interface RecentLines extends TextSink {
  hold(held: boolean): void;
  readonly lines: () => readonly string[];
}

export function createRecentLines(pass: (text: string) => void): RecentLines {
  let held = false;
  const kept: string[] = [];
  return {
    write(text) {
      if (!held) {
        pass(text);
        return;
      }
      kept.push(text.trimEnd());
      kept.splice(0, kept.length - KEPT);
    },
    hold(now) {
      held = now;
      if (!now) {
        for (const line of kept.splice(0)) {
          pass(`${line}\n`);
        }
      }
    },
    lines: () => kept,
  };
}
