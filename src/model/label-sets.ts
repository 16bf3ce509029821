import type { LabelKey } from './names.ts';

/** Labels of one set; keys absent are unknown. Values are strings as people see them. */
export type Labels = Readonly<Partial<Record<LabelKey, string>>>;

/**
 * An interned label set: a small integer (31 bits: index and generation), so that the hot path compares
 * and indexes numbers only. 0 is no label set.
 */
export type LabelSetId = number;
