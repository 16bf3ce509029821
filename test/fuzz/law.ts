import type { StageCount } from '../../src/model/law.ts';

/** Of dropped or skipped, over their reasons. */
export const sum = (terms: Readonly<Record<string, number>>): number =>
  Object.values(terms).reduce((all, one) => all + one, 0);

/** @throws if the terms do not add up */
export function checkLaw({ produced, delivered, inFlight, dropped }: StageCount): void {
  if (produced === delivered + inFlight + sum(dropped)) return;
  throw new Error(`the law is broken: ${JSON.stringify({ produced, delivered, inFlight, dropped })}`);
}
