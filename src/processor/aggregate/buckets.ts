/** A cell of the search table covers a quarter of a power of two: the exponent and two bits of the mantissa. */
const CELL_SHIFT = 18;
const CELLS = 1 << (31 - CELL_SHIFT);

// Of the module, not of the object: the compiler then folds their addresses into the loop. No state outlives a call.
const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);
const HIGH = new Uint8Array(new Uint16Array([1]).buffer)[0];

/**
 * Finds the bucket of a value without a search over the bounds: the upper bits of the double lead to a cell
 * that holds at most a bound or two.
 */
export class Buckets {
  readonly #bounds: Float64Array;
  readonly #cells = new Uint8Array(CELLS);

  /** `bounds`: upper bounds, inclusive, positive, ascending, at most 254. */
  constructor(bounds: readonly number[]) {
    if (bounds.length === 0 || bounds.length > 254) throw new RangeError('1 to 254 bounds are needed');
    if (bounds.some((bound, i) => !(bound > (bounds[i - 1] ?? 0)) || bound === Infinity)) {
      throw new RangeError('bounds must be positive and ascending');
    }
    // The last one stops the walk.
    this.#bounds = Float64Array.from([...bounds, Infinity]);
    for (let cell = 0; cell < CELLS; cell += 1) {
      words[1 - HIGH] = 0;
      words[HIGH] = cell << CELL_SHIFT;
      const lowest = double[0];
      let bucket = 0;
      while (lowest > this.#bounds[bucket]) bucket += 1;
      this.#cells[cell] = bucket;
    }
  }

  /** Index of the first bound that is not below the value; the number of bounds if there is none. Not for NaN. */
  indexOf(value: number): number {
    if (value <= 0) return 0;
    double[0] = value;
    const bounds = this.#bounds;
    let bucket = this.#cells[words[HIGH] >>> CELL_SHIFT];
    while (value > bounds[bucket]) bucket += 1;
    return bucket;
  }
}
