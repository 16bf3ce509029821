import type { Status } from '../../control/status.ts';
import type { HostCheck } from './check.ts';

export interface DoctorReport {
  readonly status: Status;
  readonly checks: readonly HostCheck[];
}

/** The report for people: the host, each feature on or off and why, and what it comes down to. */
export function renderDoctor({ status, checks }: DoctorReport): string[] {
  const names = [...checks, ...status.features].map(({ name }) => name.length);
  const wide = Math.max(...names) + 2;
  const line = (name: string, state: string, text: string): string =>
    `  ${name.padEnd(wide)}${state.padEnd(5)}${text}`.trimEnd();
  const lines = [`sonde ${status.version} on Linux ${status.kernel}`, '', 'host'];
  for (const { name, ok, needed, found, remedy } of checks) {
    lines.push(line(name, ok ? 'ok' : needed ? 'BAD' : 'poor', remedy === null ? found : `${found}. ${remedy}`));
  }
  lines.push('', 'features');
  for (const { name, state, reason, remedy } of status.features) {
    lines.push(line(name, state, [reason, remedy].filter((part) => part !== null).join('. ')));
  }
  return [...lines, '', verdict(status)];
}

function verdict(status: Status): string {
  const capture = status.features.find((feature) => feature.name === 'capture');
  if (capture?.state !== 'on') {
    return 'Capture is impossible here; see above. `sonde replay` works without it.';
  }
  const off = status.features.filter((feature) => feature.state === 'off');
  const cost = status.cost.map_bytes === null ? '' : ` Kernel maps: ${(status.cost.map_bytes / 1e6).toFixed(1)} MB.`;
  const rest = off.length === 0 ? 'everything is on' : `${off.length} of ${status.features.length} features are off`;
  return `Capture works: a request over loopback was seen at both ends; ${rest}.${cost}`;
}
