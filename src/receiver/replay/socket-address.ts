import { isIPv4, isIPv6 } from 'node:net';

/** One end of a connection, as records hold it: IPv4 in the first four bytes. */
export interface SocketAddress {
  readonly family: 4 | 6;
  readonly bytes: Uint8Array;
  readonly port: number;
}

/** Reads `192.0.2.1:80` or `[2001:db8::1]:80`. @returns null if it is neither */
export function parseSocketAddress(text: string): SocketAddress | null {
  const match = /^(?:\[([^\]]{2,64})\]|([^:]{7,15})):(\d{1,5})$/.exec(text);
  if (match === null) return null;
  const port = Number(match[3]);
  if (port > 65_535) return null;
  const bytes = new Uint8Array(16);
  if (match[2] !== undefined) {
    if (!isIPv4(match[2])) return null;
    bytes.set(match[2].split('.').map(Number));
    return { family: 4, bytes, port };
  }
  const [address] = match[1].split('%');
  if (!isIPv6(address)) return null;
  bytes.set(parseIPv6(address));
  return { family: 6, bytes, port };
}

/** An address that is known to be IPv6, RFC 4291 §2.2. */
function parseIPv6(address: string): number[] {
  let text = address;
  const dotted = /(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  if (dotted !== null) {
    const [a, b, c, d] = dotted.slice(1).map(Number);
    text = `${text.slice(0, dotted.index)}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  }
  const [before, after] = text.split('::');
  const left = groups(before);
  const right = groups(after);
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => 0);
  return [...left, ...zeros, ...right].flatMap((group) => [group >> 8, group & 0xff]);
}

function groups(part: string | undefined): number[] {
  return part === undefined || part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
}
