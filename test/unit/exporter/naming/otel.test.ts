import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { otelNaming } from '../../../../src/exporter/naming/otel.ts';
import type { Labels } from '../../../../src/model/label-sets.ts';
import { LabelSets } from '../../../../src/model/label-sets.ts';
import { ERROR_KINDS, LABEL } from '../../../../src/model/names.ts';
import { DEFAULT_METRICS, layOut } from '../../../../src/processor/aggregate/layout.ts';

const families = otelNaming.families(layOut(DEFAULT_METRICS));
const durations = families.filter(({ everyExchange }) => everyExchange);

/** Labels that exchanges have; the others tell of connections. */
const NETWORK_KEYS: readonly string[] = [LABEL.peerAddress, LABEL.result, LABEL.side, LABEL.reason, LABEL.cause];
const REQUEST_KEYS = Object.values(LABEL).filter((key) => !NETWORK_KEYS.includes(key));

const word = fc.constantFrom('http', 'generic', 'server', 'client', 'a', 'b', '500', 'status');
const labelSet: fc.Arbitrary<Labels> = fc.record(
  {
    ...Object.fromEntries(REQUEST_KEYS.map((key) => [key, word])),
    error: fc.constantFrom(...ERROR_KINDS),
  },
  { requiredKeys: [] },
);

describe('otelNaming', () => {
  it('shows each series in exactly one duration histogram', () => {
    fc.assert(
      fc.property(labelSet, (labels) => {
        expect(durations.filter((family) => family.accepts(labels))).toHaveLength(1);
      }),
    );
  });

  it('keeps series apart that are apart in the store', () => {
    const sets = new LabelSets();
    fc.assert(
      fc.property(labelSet, labelSet, (a, b) => {
        fc.pre(sets.intern(a) !== sets.intern(b));
        for (const family of families.filter((one) => one.accepts(a) && one.accepts(b))) {
          expect(family.labels(a)).not.toEqual(family.labels(b));
        }
      }),
    );
  });

  it('uses names of labels and metrics that Prometheus allows, each label once', () => {
    const all: Labels = Object.fromEntries(Object.values(LABEL).map((key) => [key, 'x']));
    for (const family of families) {
      const names = family.labels(all).map(([name]) => name);
      expect(new Set(names).size).toBe(names.length);
      expect(family.metric.labels).toEqual(names);
      for (const name of [family.metric.name, ...names]) expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
    }
  });
});
