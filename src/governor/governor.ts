import { KernelCost } from './kernel-cost.ts';
import type { KernelPrograms } from './kernel-cost.ts';
import { Ladder } from './ladder.ts';
import { MEMORY_LEVELS, MemoryWatch } from './memory-watch.ts';
import type { MemoryShed } from './memory-watch.ts';
import type { CappedPolicies } from './policy-cap.ts';
import { Sampling, SHEDDING } from './sampling.ts';
import type { TalkingConnection } from './sampling.ts';

export interface GovernorOptions {
  readonly limits: {
    /** Share of one core, this process and the programs in the kernel together; undefined: no limit. */
    readonly cpu: number | undefined;
    /** Resident memory, bytes. */
    readonly memory: number;
  };
  readonly kernel: KernelPrograms;
  /** User and system time of this process since its start, ns. */
  readonly processNs?: () => number;
  /** Resident memory of this process, bytes. */
  readonly resident?: () => number;
  readonly policies: CappedPolicies;
  readonly connections: () => Iterable<TalkingConnection>;
  readonly memory: MemoryShed;
  /** Told of each step. */
  readonly onStep?: (step: GovernorStep) => void;
}

export type Resource = 'cpu' | 'memory';

export interface GovernorStep {
  readonly resource: Resource;
  readonly direction: 'up' | 'down';
  readonly level: number;
  /** What holds from here on. */
  readonly text: string;
}

/** What it does and why, for status and metrics. */
export interface GovernorState {
  /** The higher of both; 0: nothing is shed. */
  readonly level: number;
  readonly reason: string | null;
  readonly levels: Readonly<Record<Resource, number>>;
  /** Steps so far, `${resource} ${direction}`. */
  readonly steps: Readonly<Record<Resource, Readonly<Record<'up' | 'down', number>>>>;
  /** Share of one core over the last seconds. */
  readonly cost: { readonly process: number; readonly kernel: number };
  /** Share of the messages whose connections are watched. */
  readonly watched: number;
}

export interface Governor {
  /** @param now ns of the pipeline's clock; called as often as it likes */
  tick(now: number): void;
  state(): GovernorState;
  readonly kernelCost: KernelCost;
  stop(): void;
}

const NS_PER_SECOND = 1e9;
/** The connections are looked at so often while it matters which of them are busy, ns. */
const SURVEY_NS = 2e9;
/** From this share of the limit on it matters. */
const CLOSE = 0.6;
const SAMPLE_EVERY_NS = 10e9;
/**
 * What a record costs in all, in runs of the hooks: about as much again in this process (docs/overhead.md). Only to tell what is
 * worth a step, and what a level costs that was not tried yet.
 */
const RECORD_RUNS = 2;
/** Starting costs more than running: code is loaded and compiled. Until then nothing is judged, ns. */
const WARM_UP_NS = 15e9;
/** Without a limit the kernel's time is only shown. */
const SHOWN_EVERY_NS = 60e9;

/** Keeps what Sonde itself takes within its limits. It runs on the pipeline's ticks and has no timers of its own. */
export function createGovernor(options: GovernorOptions): Governor {
  return new BudgetGovernor(options);
}

class BudgetGovernor implements Governor {
  readonly kernelCost: KernelCost;
  readonly #options: GovernorOptions;
  readonly #sampling = new Sampling();
  readonly #ladder: Ladder | undefined;
  readonly #memory: MemoryWatch;
  readonly #processNs: () => number;
  readonly #steps = { cpu: { up: 0, down: 0 }, memory: { up: 0, down: 0 } };
  #processRatio = 0;
  #lastProcessNs = Number.NaN;
  #lastAt = Number.NaN;
  #surveyedAt = Number.NEGATIVE_INFINITY;
  #startedAt = Number.NaN;
  /** Measured while everything is watched: runs that only count are cheaper. */
  #recordNs = 0;

  constructor(options: GovernorOptions) {
    this.#options = options;
    const { cpu, memory } = options.limits;
    this.#processNs = options.processNs ?? ownTime;
    this.kernelCost = new KernelCost({
      kernel: options.kernel,
      everyNs: cpu === undefined ? SHOWN_EVERY_NS : SAMPLE_EVERY_NS,
    });
    this.#ladder =
      cpu === undefined
        ? undefined
        : new Ladder({
            levels: SHEDDING.length - 1,
            budget: cpu,
            saves: (level, lower) => (this.#sampling.saved(level, lower) * this.#recordNs) / NS_PER_SECOND,
          });
    this.#memory = new MemoryWatch({
      limit: memory,
      resident: options.resident ?? (() => process.memoryUsage.rss()),
      shed: options.memory,
    });
  }

  tick(now: number): void {
    if (this.kernelCost.sampling) this.kernelCost.tick(now);
    if (now - this.#lastAt < NS_PER_SECOND) return;
    this.kernelCost.tick(now);
    const processNs = this.#processNs();
    const passed = now - this.#lastAt;
    const first = !(passed > 0);
    this.#processRatio = first ? 0 : (processNs - this.#lastProcessNs) / passed;
    this.#lastProcessNs = processNs;
    this.#lastAt = now;
    if (first) return;
    this.#watchCpu(now);
    const step = this.#memory.tick(now / NS_PER_SECOND);
    if (step !== undefined) this.#stepped('memory', step, this.#memory.level, MEMORY_LEVELS[this.#memory.level]);
  }

  state(): GovernorState {
    const cpu = this.#ladder?.level ?? 0;
    const memory = this.#memory.level;
    return {
      level: Math.max(cpu, memory),
      reason: this.#reason(),
      levels: { cpu, memory },
      steps: this.#steps,
      cost: { process: this.#processRatio, kernel: this.kernelCost.ratio },
      watched: this.#sampling.watchedShare,
    };
  }

  stop(): void {
    this.kernelCost.stop();
  }

  #watchCpu(now: number): void {
    const ladder = this.#ladder;
    const { cpu = Infinity } = this.#options.limits;
    if (Number.isNaN(this.#startedAt)) this.#startedAt = now;
    if (ladder === undefined || now - this.#startedAt < WARM_UP_NS) return;
    const cost = this.#processRatio + this.kernelCost.ratio;
    if (ladder.level === 0) this.#recordNs = RECORD_RUNS * this.kernelCost.perRunNs;
    const matters = ladder.level > 0 || cost > CLOSE * cpu;
    if (matters && now - this.#surveyedAt >= SURVEY_NS) {
      this.#surveyedAt = now;
      if (this.#sampling.survey(now, this.#options.connections()) && ladder.level > 0) this.#apply();
    }
    const step = ladder.observe(now / NS_PER_SECOND, cost, this.kernelCost.runRate);
    if (step === undefined) return;
    this.#sampling.level = ladder.level;
    this.#apply();
    this.kernelCost.invalidate();
    this.#stepped('cpu', step, ladder.level, SHEDDING[ladder.level].text);
  }

  #apply(): void {
    const sampling = this.#sampling;
    this.#options.policies.setCap(
      sampling.level === 0 ? undefined : ({ index, generation }, wished) => sampling.cap(index, generation, wished),
    );
  }

  #stepped(resource: Resource, direction: 'up' | 'down', level: number, text: string): void {
    this.#steps[resource][direction] += 1;
    this.#options.onStep?.({ resource, direction, level, text });
  }

  #reason(): string | null {
    const parts: string[] = [];
    const { cpu, memory } = this.#options.limits;
    const ladder = this.#ladder;
    if (ladder !== undefined && cpu !== undefined) {
      const cost = this.#processRatio + this.kernelCost.ratio;
      const over = cost > cpu && ladder.exhausted ? '; nothing more can be shed' : '';
      if (ladder.level > 0 || over !== '') {
        const watched = percent(this.#sampling.watchedShare);
        parts.push(
          `limits.cpu ${percent(cpu)}, now ${percent(cost)}: ${SHEDDING[ladder.level].text} (${watched} of all messages watched)${over}`,
        );
      }
    }
    if (this.#memory.level > 0) {
      parts.push(
        `limits.memory ${mebibytes(memory)}, now ${mebibytes(this.#memory.resident)}: ${MEMORY_LEVELS[this.#memory.level]}`,
      );
    }
    return parts.length === 0 ? null : parts.join('; ');
  }
}

function ownTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
}

function percent(ratio: number): string {
  return `${Math.round(ratio * 1000) / 10} %`;
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 1048576)} MiB`;
}
