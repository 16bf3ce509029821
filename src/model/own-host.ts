import { isIP } from 'node:net';

/**
 * Whether a `Host` header names this host as nobody else can: by an address, as localhost, or not at all. A web page
 * that has its own name resolve to this host must not read what only this host may.
 */
export function isOwnHost(header: string | undefined): boolean {
  if (header === undefined) {
    return true;
  }
  const host = header.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return host.toLowerCase() === 'localhost' || isIP(host) !== 0;
}
