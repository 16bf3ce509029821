import type { KeyPath, Problem } from './problem.ts';
import type { Configuration } from './schema.ts';
import { formatAddress, isLoopback } from './units.ts';

/** What is wrong between keys that are each right on their own. */
export function checkRelations(
  configuration: Configuration,
  locate: (path: KeyPath, part: 'key' | 'value') => string,
): Problem[] {
  const problems: Problem[] = [];
  const { control, exporters } = configuration;
  if (!isLoopback(control.listen.host) && control.token_file === undefined && control.token === undefined) {
    problems.push({
      where: locate(['control', 'listen'], 'value'),
      key: 'control.listen',
      wrong: `${formatAddress(control.listen)} can be reached from other hosts, so control.token_file or control.token is required`,
    });
  }
  if (control.token_file !== undefined && control.token !== undefined) {
    problems.push({
      where: locate(['control', 'token'], 'value'),
      key: 'control.token',
      wrong: 'control.token_file is set too',
      allowed: 'one of them',
    });
  }
  const { prometheus } = exporters;
  const same = prometheus.listen.host === control.listen.host && prometheus.listen.port === control.listen.port;
  if (prometheus.enabled && same && control.listen.port !== 0) {
    problems.push({
      where: locate(['control', 'listen'], 'value'),
      key: 'control.listen',
      wrong: `${formatAddress(control.listen)} is the address of exporters.prometheus.listen too`,
      allowed: 'an address of its own',
    });
  }
  return problems;
}
