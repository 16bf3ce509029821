const ROWS = 10;
const COLUMNS = 72;

/** A curve in characters: time from left to right, the value from 0 upwards. */
export function curve(points: readonly { readonly x: number; readonly y: number }[], unit: string): string {
  const first = points[0].x;
  const span = Math.max(1, points[points.length - 1].x - first);
  const top = Math.max(1, ...points.map(({ y }) => y)) * 1.1;
  const levels = Array.from({ length: COLUMNS }, () => Number.NaN);
  for (const { x, y } of points) {
    const column = Math.min(COLUMNS - 1, Math.floor(((x - first) / span) * COLUMNS));
    levels[column] = Number.isNaN(levels[column]) ? y : Math.max(levels[column], y);
  }
  const lines: string[] = [];
  for (let row = ROWS; row > 0; row--) {
    const low = (top * (row - 1)) / ROWS;
    const high = (top * row) / ROWS;
    const dots = levels.map((level) => (level >= low && level < high ? '•' : ' ')).join('');
    lines.push(`${high.toFixed(0).padStart(6)} ┤${dots}`.trimEnd());
  }
  lines.push(`${'0'.padStart(6)} └${'─'.repeat(COLUMNS)}`);
  lines.push(`${unit.padStart(6)}  0${`${(span / 60).toFixed(0)} min`.padStart(COLUMNS - 1)}`);
  return lines.join('\n');
}
