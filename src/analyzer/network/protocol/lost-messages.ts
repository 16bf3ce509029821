import type { Gap } from './protocol.ts';

/** What lies in a gap, besides the rest of what was open before it. */
export interface LostMessages {
  /** Exchanges that lie in it from end to end. */
  readonly pairs: number;
  /** Requests that begin in it: one more than `pairs` if its answer, or the rest of it, is what comes next. */
  readonly requests: number;
  /** Responses to those requests that begin in it. */
  readonly responses: number;
  clientBytes: number;
  serverBytes: number;
}

/** Turns alternate: from who was last and who is next follows what the turns between them were. */
export function lostIn(gap: Gap): LostMessages {
  const clientTurns = gap.lastFromClient ? gap.turns >> 1 : (gap.turns + 1) >> 1;
  const pairs = gap.nextFromClient || clientTurns === 0 ? clientTurns : clientTurns - 1;
  return {
    pairs,
    requests: clientTurns + (gap.headless && gap.nextFromClient ? 1 : 0),
    responses: pairs + (gap.headless && !gap.nextFromClient ? 1 : 0),
    clientBytes: gap.clientBytes,
    serverBytes: gap.serverBytes,
  };
}
