import type { ServicesReport } from '../../control/services.ts';

const SPAN_MS = 5000;

/** The reports of the last seconds, to tell what happened meanwhile. */
export interface History {
  add(report: ServicesReport): void;
  /** A report from about five seconds before the last one, on a window's end as that is; undefined if there is none. */
  before(): ServicesReport | undefined;
  after(): ServicesReport | undefined;
}

export function createHistory(): History {
  const reports: ServicesReport[] = [];
  return {
    add(report) {
      const time = report.closed_ms ?? 0;
      const last = reports.at(-1)?.closed_ms ?? 0;
      if (time < last) {
        // Another probe than before: nothing of it can be compared.
        reports.length = 0;
      } else if (time === last && reports.length > 0) {
        reports.pop();
      }
      reports.push(report);
      while (reports.length > 2 && (reports[1]?.closed_ms ?? 0) <= time - SPAN_MS) {
        reports.shift();
      }
    },
    before: () => (reports.length > 1 ? reports[0] : undefined),
    after: () => reports.at(-1),
  };
}
