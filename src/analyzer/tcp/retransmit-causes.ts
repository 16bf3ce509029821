import { RETRANSMIT } from '../../model/record.gen.ts';

/** Values of the label `cause`. */
export type RetransmitCause = 'timeout' | 'fast' | 'probe' | 'syn' | 'unknown';

const CAUSES: Readonly<Record<number, RetransmitCause>> = {
  [RETRANSMIT.timeout]: 'timeout',
  [RETRANSMIT.fast]: 'fast',
  [RETRANSMIT.probe]: 'probe',
  [RETRANSMIT.syn]: 'syn',
};

/**
 * Why segments of a connection were sent again. How many there were is told by its tcp records, which are exact; the
 * events that tell causes may be paced or lost, and one of them may stand for several segments.
 */
export class RetransmitCauses {
  readonly #seen: Record<RetransmitCause, number> = { timeout: 0, fast: 0, probe: 0, syn: 0, unknown: 0 };

  /** An event. @param cause RETRANSMIT */
  add(cause: number): void {
    this.#seen[CAUSES[cause] ?? 'unknown']++;
  }

  /**
   * Shares segments out over the causes seen since the last time; what is over has the cause of the rest if that had
   * only one.
   *
   * @param probes how many of them were loss probes, which is counted exactly
   */
  *share(segments: number, probes: number): Iterable<[RetransmitCause, number]> {
    const seen = this.#seen;
    const probed = Math.min(segments, probes);
    if (probed > 0) yield ['probe', probed];
    seen.probe = 0;
    let rest = segments - probed;
    const causes = (['timeout', 'fast', 'syn'] as const).filter((cause) => seen[cause] > 0);
    for (const cause of causes) {
      const share = causes.length === 1 ? rest : Math.min(rest, seen[cause]);
      rest -= share;
      // What an event says of a record that comes later is kept for it.
      seen[cause] = Math.max(0, seen[cause] - share);
      if (share > 0) yield [cause, share];
    }
    seen.unknown = 0;
    if (rest > 0) yield ['unknown', rest];
  }

  /** What was seen, where no record told how many segments there were. */
  *rest(): Iterable<[RetransmitCause, number]> {
    for (const [cause, count] of Object.entries(this.#seen)) if (count > 0) yield [cause as RetransmitCause, count];
  }
}
