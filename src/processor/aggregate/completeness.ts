import type { Stage } from '../../model/law.ts';

/** Stages that tell how much of what happened reached the analyzers. */
const STAGES: ReadonlySet<string> = new Set(['hook', 'ring']);

interface Mark {
  readonly stage: Stage;
  produced: number;
  dropped: number;
}

const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((a, b) => a + b, 0);

/**
 * Which share of a window was seen: the product of 1 − dropped/produced of the kernel's hooks and of the ring, each
 * over what it counted since the mark before, and of 1 − estimated/all exchanges. 1 when nothing happened.
 */
export class Completeness {
  readonly #marks: readonly Mark[];
  #ratio = 1;

  constructor(stages: readonly Stage[]) {
    this.#marks = stages.filter(({ name }) => STAGES.has(name)).map((stage) => ({ stage, produced: 0, dropped: 0 }));
  }

  /** Of the last closed window. */
  get ratio(): number {
    return this.#ratio;
  }

  /** A window with so many exchanges has closed. */
  mark(exchanges: number, estimated: number): void {
    this.#ratio = estimated > 0 ? 1 - estimated / exchanges : 1;
    for (const mark of this.#marks) {
      const count = mark.stage.read();
      const dropped = sum(count.dropped);
      const producedNow = count.produced - mark.produced;
      const droppedNow = dropped - mark.dropped;
      mark.produced = count.produced;
      mark.dropped = dropped;
      if (droppedNow > 0) this.#ratio *= Math.max(0, 1 - droppedNow / Math.max(producedNow, droppedNow));
    }
  }
}
