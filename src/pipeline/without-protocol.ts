import type { Consumer } from '../model/data-group.ts';
import type { LabelSets } from '../model/label-sets.ts';

/** Lets everything pass but the exchanges of one protocol: of one that is switched off and takes what no other does. */
export function withoutProtocol(protocol: string, labels: LabelSets, next: Consumer): Consumer {
  return {
    consume(group) {
      if (labels.labels(group.labels).protocol !== protocol) {
        next.consume(group);
      }
    },
  };
}
