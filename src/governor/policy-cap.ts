import type { PolicySink } from '../model/event-batch.ts';

/** The policy that a connection gets, of what the analyzer wishes for it. */
export type PolicyCap = (connection: { readonly index: number; readonly generation: number }, wished: number) => number;

/** Where the governor acts. */
export interface CappedPolicies {
  /** From here on policies go through this; applied at once to all connections. Undefined: as wished. */
  setCap(cap: PolicyCap | undefined): void;
}

/** Between the analyzer and the kernel's table: keeps what was wished, and writes what the cap leaves of it. */
export function createPolicyCap(next: PolicySink): PolicySink & CappedPolicies {
  const wishes = new Map<number, { generation: number; word: number }>();
  let cap: PolicyCap | undefined;
  return {
    set(index, generation, word) {
      const wish = wishes.get(index);
      if (wish === undefined) wishes.set(index, { generation, word });
      else {
        wish.generation = generation;
        wish.word = word;
      }
      next.set(index, generation, cap === undefined ? word : cap({ index, generation }, word));
    },
    setCap(made) {
      cap = made;
      for (const [index, { generation, word }] of wishes) {
        next.set(index, generation, cap === undefined ? word : cap({ index, generation }, word));
      }
    },
  };
}
