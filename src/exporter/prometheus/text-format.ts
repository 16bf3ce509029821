/**
 * The pieces of Prometheus' text format 0.0.4.
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/#text-format-details
 */
import type { Metric } from '../naming/metric.ts';

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

const LABEL_SPECIALS = /[\\"\n]/g;
const HELP_SPECIALS = /[\\\n]/g;

const escapeOne = (character: string): string => (character === '\n' ? '\\n' : `\\${character}`);

export function escapeLabelValue(value: string): string {
  // Most values have nothing to escape, and a test is cheaper than a replacement.
  return value.search(LABEL_SPECIALS) < 0 ? value : value.replace(LABEL_SPECIALS, escapeOne);
}

export function escapeHelp(text: string): string {
  return text.replace(HELP_SPECIALS, escapeOne);
}

/** `a="1",b="2"`, without braces; empty for no labels. */
export function formatLabels(labels: readonly (readonly [string, string])[]): string {
  let text = '';
  for (const [name, value] of labels) {
    if (text !== '') text += ',';
    text += `${name}="${escapeLabelValue(value)}"`;
  }
  return text;
}

export function formatNumber(value: number): string {
  if (value === Infinity) return '+Inf';
  if (value === -Infinity) return '-Inf';
  return String(value);
}

/** The two lines that start a metric. */
export function formatHead({ name, help, type }: Metric): string {
  return `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n`;
}
