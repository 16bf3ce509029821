import type { DataGroup } from '../../model/data-group.ts';
import type { LabelSetId } from '../../model/label-sets.ts';

/** A group as it came, under another label set. One object is used for all of them. */
export class NamedGroup implements DataGroup {
  name = '';
  labels: LabelSetId = 0;
  metrics: Float64Array = new Float64Array(0);
  timestamp = 0;

  wrap(group: DataGroup, labels: LabelSetId): this {
    this.name = group.name;
    this.labels = labels;
    this.metrics = group.metrics;
    this.timestamp = group.timestamp;
    return this;
  }
}
