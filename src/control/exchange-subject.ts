import type { ExchangeLine } from '../model/exchange-line.ts';
import type { Labels } from '../model/label-sets.ts';

/** Exchanges by what `GET /services` calls them; what is left out is not asked. */
export interface ExchangeSubject {
  readonly service?: string;
  readonly role?: string;
  readonly protocol?: string;
  /** `GET /users/{id}` */
  readonly route?: string;
  /** `ip:port` of the server, or `ip` of the client. */
  readonly peer?: string;
}

/** The keys of a subject, which are parameters of `GET /exchanges`. */
export const SUBJECT_KEYS = ['service', 'role', 'protocol', 'route', 'peer'] as const;

/** The subject that a query names; undefined if it names none. */
export function readSubject(query: URLSearchParams): ExchangeSubject | undefined {
  const entries = SUBJECT_KEYS.flatMap((key) => {
    const value = query.get(key);
    return value === null ? [] : [[key, value] as const];
  });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** The service of a label set, as the view calls it. */
export function serviceOf(labels: Labels): string {
  return labels.overflow === undefined ? (labels.service_name ?? labels.comm ?? '(unknown)') : '(other)';
}

/** The route of a label set: operation and clustered resource; empty if the protocol names none. */
export function routeOf(labels: Labels): string {
  return [labels.operation, labels.route].filter((part) => part !== undefined && part !== '').join(' ');
}

/** Whether an exchange is one that the subject asks for. */
export function isAbout(subject: ExchangeSubject, labels: Labels, line: ExchangeLine): boolean {
  const { service, role, protocol, route, peer } = subject;
  return (
    (service === undefined || service === serviceOf(labels)) &&
    (role === undefined || role === line.role) &&
    (protocol === undefined || protocol === line.protocol) &&
    (route === undefined || route === routeOf(labels)) &&
    (peer === undefined || peer === line.dst || peer === hostOf(line.src))
  );
}

/** `10.0.0.1:80` and `[::1]:80` without the port. */
function hostOf(end: string): string {
  return end.slice(0, Math.max(0, end.lastIndexOf(':')));
}
