/** A reading of the kernel's two clocks at one moment. */
export interface TickReading {
  /** CLOCK_MONOTONIC, ns. */
  readonly time: number;
  /** jiffies. */
  readonly ticks: number;
}

/** Ticks a second that kernels are built with (CONFIG_HZ), all architectures. */
const RATES = [24, 32, 48, 64, 100, 128, 200, 250, 256, 300, 500, 512, 1000, 1024, 1200];

/** jiffies start so that their low 32 bits wrap 300 s after boot (INITIAL_JIFFIES in include/linux/jiffies.h). */
const WRAP = 2 ** 32;
const BEFORE_WRAP_S = 300;

/**
 * Length of a kernel tick in ns from one reading: the rate that explains how far the ticks are at this uptime.
 * Undefined if more than one does, which is so about 300 s after boot; then measure with {@link tickLengthBetween}.
 */
export function tickLengthAt({ time, ticks }: TickReading): number | undefined {
  const sinceWrap = time / 1e9 - BEFORE_WRAP_S;
  const fitting = RATES.filter((rate) => Math.abs(ticks - WRAP - rate * sinceWrap) <= rate * 0.5 + 2);
  return fitting.length === 1 && fitting[0] !== undefined ? 1e9 / fitting[0] : undefined;
}

/** Length of a kernel tick in ns from two readings, best a tenth of a second or more apart; undefined if too close. */
export function tickLengthBetween(before: TickReading, after: TickReading): number | undefined {
  const ticks = after.ticks - before.ticks;
  if (ticks < 10) return undefined;
  const measured = (ticks * 1e9) / (after.time - before.time);
  const distance = (rate: number): number => Math.abs(Math.log(rate / measured));
  return 1e9 / RATES.reduce((best, rate) => (distance(rate) < distance(best) ? rate : best));
}
