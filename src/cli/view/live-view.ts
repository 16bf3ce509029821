import type { ExchangeLine } from '../../model/exchange-line.ts';
import { createCostMeter } from './cost-meter.ts';
import { createHistory } from './history.ts';
import { compareReports, NOTHING } from './model.ts';
import { drawScreen } from './screen.ts';
import type { Drawing } from './screen.ts';
import type { Reading, ViewSource } from './source.ts';
import { press, shownPlace, START } from './state.ts';
import type { ExchangeSubject } from '../../control/exchange-subject.ts';
import type { ViewState } from './state.ts';
import type { Terminal } from './terminal.ts';

export interface LiveViewOptions {
  readonly terminal: Terminal;
  readonly source: ViewSource;
  /** Where lines scroll: one table, or one every few seconds. */
  readonly plain: 'once' | 'repeated';
  /** Last lines of the log. */
  readonly notes: () => readonly string[];
  /** What to do when there is nothing to see. */
  readonly idle: readonly string[];
  /** Called when the person at the terminal wants to end, each time they say so. */
  readonly onEnd: () => void;
}

/** The view of a probe: refreshed each second on a terminal, a table elsewhere. */
export interface LiveView {
  start(): void;
  /** Resolves when all has been shown that was to be: the one table. */
  readonly done: Promise<void>;
  /** Reads once more, gives the terminal back and leaves the last state on it. */
  stop(): Promise<void>;
  /** Gives the terminal back at once. */
  abandon(): void;
}

const REFRESH_MS = 1000;
const PLAIN_REFRESH_MS = 5000;
/** Rates of less than so long say little. */
const MIN_SPAN_MS = 4000;
/** One table does not wait for longer, whatever the window is. */
const MAX_WAIT_MS = 15_000;
const MAX_EXCHANGES = 500;

export function createLiveView(options: LiveViewOptions): LiveView {
  return new View(options);
}

class View implements LiveView {
  readonly done: Promise<void>;
  readonly #options: LiveViewOptions;
  readonly #history = createHistory();
  readonly #costs = createCostMeter();
  #finish = (): void => {};
  #reading: Reading | undefined;
  #cost: ReturnType<ReturnType<typeof createCostMeter>['add']> | null = null;
  #problem: string | undefined;
  #state: ViewState = START;
  #drawing: Drawing = { text: [], lines: [], room: 0 };
  #timer: NodeJS.Timeout | undefined;
  #busy = false;
  #stopped = false;
  #shownMs = 0;
  #followed: { readonly query: ExchangeSubject; readonly stop: () => void } | undefined;
  #exchanges: ExchangeLine[] = [];
  #followProblem: string | undefined;

  constructor(options: LiveViewOptions) {
    this.#options = options;
    this.done = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  start(): void {
    const { terminal } = this.#options;
    terminal.listen(
      (key) => this.#press(key),
      () => this.#show(),
    );
    this.#timer = setInterval(() => void this.#refresh(REFRESH_MS), REFRESH_MS);
    void this.#refresh(0);
  }

  async stop(): Promise<void> {
    if (this.#stopped) {
      return;
    }
    this.#halt();
    await this.#read();
    if (!this.#stopped) {
      this.abandon();
    }
  }

  abandon(): void {
    if (this.#stopped) {
      return;
    }
    this.#halt();
    this.#stopped = true;
    const { terminal, plain } = this.#options;
    // One table has been shown already.
    // What is left on the terminal is the list that everything begins with.
    this.#state = { ...START, order: this.#state.order };
    terminal.close(!terminal.inPlace && plain === 'once' ? [] : this.#draw(false).text);
    this.#options.source.close();
  }

  #halt(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#followed?.stop();
    this.#followed = undefined;
  }

  async #refresh(passedMs: number): Promise<void> {
    this.#shownMs += passedMs;
    if (this.#busy) {
      return;
    }
    this.#busy = true;
    if (!this.#state.paused) {
      await this.#read();
    }
    this.#busy = false;
    if (this.#timer === undefined) {
      return;
    }
    const { terminal, plain } = this.#options;
    if (terminal.inPlace) {
      this.#show();
    } else if (plain === 'repeated') {
      if (this.#shownMs > 0 && this.#shownMs % PLAIN_REFRESH_MS === 0) {
        this.#show();
      }
    } else if (this.#isSettled()) {
      this.#show();
      this.#halt();
      this.#finish();
    }
  }

  async #read(): Promise<void> {
    try {
      const reading = await this.#options.source.read();
      this.#reading = reading;
      this.#history.add(reading.services);
      this.#cost = this.#costs.add(reading.status);
      this.#problem = undefined;
    } catch (error) {
      this.#problem = (error as Error).message;
    }
  }

  /** Whether there is a span to tell rates of. */
  #isSettled(): boolean {
    const before = this.#history.before()?.closed_ms ?? 0;
    const after = this.#history.after();
    const span = after?.closed_ms == null ? 0 : after.closed_ms - before;
    const started = this.#history.before() !== undefined;
    return (started && span >= MIN_SPAN_MS) || this.#shownMs >= MAX_WAIT_MS;
  }

  #press(key: string): void {
    const { lines, room } = this.#drawing;
    this.#state = press(this.#state, key, { lines, room });
    if (this.#state.ended) {
      this.#state = { ...this.#state, ended: false };
      this.#options.onEnd();
      return;
    }
    this.#follow();
    this.#show();
  }

  /** Follows the exchanges that the place is about, and none where it is about none. */
  #follow(): void {
    const { places } = this.#state;
    const about = places.findLast(({ subject }) => subject.kind === 'exchanges')?.subject;
    const query = about?.kind === 'exchanges' ? about.query : undefined;
    if (query === this.#followed?.query) {
      return;
    }
    this.#followed?.stop();
    this.#followed = undefined;
    this.#exchanges = [];
    this.#followProblem = undefined;
    if (query === undefined) {
      return;
    }
    const stop = this.#options.source.follow(query, {
      onExchange: (exchange) => {
        if (this.#followed?.query === query && !this.#state.paused) {
          this.#exchanges.unshift(exchange);
          this.#exchanges.length = Math.min(this.#exchanges.length, MAX_EXCHANGES);
        }
      },
      onEnd: (reason) => {
        if (this.#followed?.query === query) {
          this.#followProblem = reason;
        }
      },
    });
    this.#followed = { query, stop };
  }

  #show(): void {
    if (this.#timer === undefined) {
      return;
    }
    this.#drawing = this.#draw(this.#options.terminal.keys);
    this.#options.terminal.show(this.#drawing.text);
  }

  #draw(keys: boolean): Drawing {
    const { terminal, source, notes, idle } = this.#options;
    const after = this.#history.after();
    const problem =
      this.#problem ?? (shownPlace(this.#state).subject.kind === 'exchanges' ? this.#followProblem : undefined);
    return drawScreen(
      {
        title: `${[source.name, ...uptime(this.#reading)].join(', ')}   ${source.remark}`.trimEnd(),
        picture: after === undefined ? NOTHING : compareReports(this.#history.before(), after),
        state: this.#state,
        exchanges: this.#exchanges,
        stages: this.#reading?.status.loss ?? [],
        cost: this.#cost,
        problem,
        notes: terminal.inPlace ? notes().slice(-3) : [],
        idle: after === undefined ? [] : idle,
      },
      { ...terminal.size(), colour: terminal.colour, keys },
    );
  }
}

function uptime(reading: Reading | undefined): string[] {
  if (reading === undefined) {
    return [];
  }
  const seconds = Math.floor(reading.status.uptime_s);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (hours > 0) {
    return [`${hours} h ${minutes % 60} min`];
  }
  return [minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`];
}
