/** What one second of a run looked like. */
export interface Second {
  readonly second: number;
  /** Exchanges a second, of the window that closed last. */
  readonly exchanges: number;
  readonly estimated: number;
  /** Share of one core. */
  readonly cpu: number;
  readonly level: number;
  readonly completeness: number;
}

const WIDTH = 24;

/** A line for every few seconds: what it cost as a bar, the limit as `|`. */
export function governorTable(trace: readonly Second[], limit: string, every = 5): string {
  const budget = Number.parseFloat(limit) / 100;
  const most = Math.max(budget * 1.5, ...trace.map(({ cpu }) => cpu));
  const rows: string[] = [];
  for (let first = 0; first + every <= trace.length; first += every) {
    const part = trace.slice(first, first + every);
    const mean = (of: (one: Second) => number): number => part.reduce((sum, one) => sum + of(one), 0) / part.length;
    const cpu = mean((one) => one.cpu);
    const bar = Math.round((cpu / most) * WIDTH);
    const mark = Math.round((budget / most) * WIDTH);
    const drawn = Array.from({ length: WIDTH + 1 }, (_, at) => (at < bar ? '#' : at === mark ? '|' : ' ')).join('');
    const seconds = `${String(part[0].second).padStart(3)}–${String(part.at(-1)?.second).padEnd(3)}`;
    rows.push(
      `${seconds} ${whole(
        mean((one) => one.exchanges),
        9,
      )} ${percent(cpu)} ${drawn} ${whole(part.at(-1)?.level ?? 0, 5)} ${(part.at(-1)?.completeness ?? 1).toFixed(3).padStart(12)}`,
    );
  }
  const head = `seconds exchanges/s   CPU ${'|'.padStart(Math.round((budget / most) * WIDTH) + 1).padEnd(WIDTH + 1)} level completeness`;
  return ['```text', head, ...rows, '```'].join('\n');
}

const whole = (value: number, width: number): string => String(Math.round(value)).padStart(width);
const percent = (ratio: number): string => `${(ratio * 100).toFixed(1)} %`.padStart(8);
