import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { Machine } from './machine.ts';
import type { CostRow } from './measure/cost.ts';
import type { RestResult } from './measure/rest.ts';
import type { SeriesResult } from './measure/series.ts';
import type { StartResult } from './measure/start.ts';
import type { Run } from './run.ts';
import type { SoakResult } from './soak-result.ts';

/** One measurement with its circumstances. */
export interface Measured<T> {
  readonly machine: Machine;
  /** Short runs: they show that the bench works, not what the probe costs. */
  readonly quick: boolean;
  readonly value: T;
}

/** All measurements by name; each is replaced when it is made again. */
export interface Results {
  readonly start?: Measured<StartResult>;
  readonly rest?: Measured<RestResult>;
  readonly saturation?: Measured<readonly Run[]>;
  readonly rate?: Measured<readonly Run[]>;
  readonly series?: Measured<SeriesResult>;
  readonly cost?: Measured<readonly CostRow[]>;
  readonly soak?: Measured<SoakResult>;
}

export function readResults(file: string): Results {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Results) : {};
}

export function writeResults(file: string, results: Results): void {
  writeFileSync(file, `${JSON.stringify(results, rounded, 1)}\n`);
}

/** Seven digits are more than any of this is good for. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(7)) : value;
}
