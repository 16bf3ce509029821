import type { Consumer } from '../model/data-group.ts';

/** Hands each group to all of them, in this order; to one alone without a detour. */
export function fanOut(consumers: readonly Consumer[]): Consumer {
  const [first] = consumers;
  if (consumers.length === 1 && first !== undefined) {
    return first;
  }
  return {
    consume(group) {
      for (const consumer of consumers) {
        consumer.consume(group);
      }
    },
  };
}
