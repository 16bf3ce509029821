import { constants } from 'node:os';

/** Waits for SIGINT or SIGTERM, also as PID 1, where without a handler they would be ignored. */
export interface StopSignal {
  /** Resolves at the first signal, or when `stop` is called. */
  readonly stopped: Promise<void>;
  stop(): void;
  /** From now on signals act as they do by default. */
  dispose(): void;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface StopSignalOptions {
  /** Default: ends the process. */
  readonly force?: (exitCode: number) => void;
  /** Takes SIGHUP; gives whether that is all there is to do. Without it SIGHUP ends the program as the others do. */
  readonly onHangup?: () => boolean;
}

/** The first signal asks for an orderly end, the second one forces it. */
export function listenForStop(options: StopSignalOptions = {}): StopSignal {
  const { force = (code: number) => process.exit(code), onHangup = () => false } = options;
  const { promise: stopped, resolve } = deferred();
  let asked = false;
  const handler = (signal: (typeof SIGNALS)[number]): void => {
    if (signal === 'SIGHUP' && !asked && onHangup()) {
      return;
    }
    if (asked) {
      force(128 + constants.signals[signal]);
    }
    asked = true;
    resolve();
  };
  for (const signal of SIGNALS) {
    process.on(signal, handler);
  }
  return {
    stopped,
    stop: () => resolve(),
    dispose() {
      for (const signal of SIGNALS) {
        process.off(signal, handler);
      }
    },
  };
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  const holder: { resolve?: () => void } = {};
  const promise = new Promise<void>((resolve) => {
    holder.resolve = resolve;
  });
  return { promise, resolve: () => holder.resolve?.() };
}
