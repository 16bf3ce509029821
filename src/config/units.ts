/** Quantities as people write them: durations `5s`, sizes `4MiB`, ratios `2%`, addresses `127.0.0.1:9500`. */

const DURATION_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

const SIZE_BYTES: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

const DURATION_PART = /(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/gy;

/** Milliseconds of `5s`, `250ms`, `1m30s`; undefined if it is none. A unit is required, but for `0`. */
export function parseDuration(text: string): number | undefined {
  const trimmed = text.trim();
  if (trimmed === '0') {
    return 0;
  }
  let total = 0;
  let end = 0;
  for (const match of trimmed.matchAll(DURATION_PART)) {
    total += Number(match[1]) * DURATION_MS[match[2]];
    end = match.index + match[0].length;
  }
  return end > 0 && end === trimmed.length ? total : undefined;
}

/** The shortest way to write so many milliseconds: `5s`, `1m30s`, `250ms`, `20us`. */
export function formatDuration(ms: number): string {
  if (ms === 0) {
    return '0';
  }
  if (ms < 1) {
    return ms >= 1e-3 ? `${trim(ms * 1e3)}us` : `${trim(ms * 1e6)}ns`;
  }
  if (ms < 1000 || ms % 1000 !== 0) {
    return ms < 1000 ? `${trim(ms)}ms` : `${trim(ms / 1000)}s`;
  }
  const seconds = ms / 1000;
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const rest = seconds % 60;
  return (hours > 0 ? `${hours}h` : '') + (minutes > 0 ? `${minutes}m` : '') + (rest > 0 ? `${rest}s` : '');
}

/** Bytes of `4MiB`, `64 KiB`, `4096`; undefined if it is none or not a whole number of bytes. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(text.trim());
  const unit = match === null ? undefined : SIZE_BYTES[match[2]];
  if (match === null || unit === undefined) {
    return undefined;
  }
  const bytes = Number(match[1]) * unit;
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** The shortest exact way to write so many bytes: `4MiB`, `4096`. */
export function formatSize(bytes: number): string {
  for (const unit of ['GiB', 'MiB', 'KiB']) {
    const size = SIZE_BYTES[unit];
    if (bytes >= size && bytes % size === 0) {
      return `${bytes / size}${unit}`;
    }
  }
  return String(bytes);
}

/** The number from 0 to 1 that `2%` or `0.02` means; undefined if it is none. */
export function parseRatio(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(%?)$/.exec(text.trim());
  if (match === null) {
    return undefined;
  }
  const ratio = match[2] === '%' ? Number(match[1]) / 100 : Number(match[1]);
  return ratio <= 1 ? ratio : undefined;
}

/** Where to listen. Port 0 takes any free one. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** `127.0.0.1:9500`, `[::1]:9500`, `localhost:0`; undefined if it is none. */
export function parseAddress(text: string): Address | undefined {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/.exec(text.trim());
  const port = match === null ? Number.NaN : Number(match[3]);
  if (match === null || port > 65_535) {
    return undefined;
  }
  return { host: match[1] ?? match[2], port };
}

/** The inverse of parseAddress. */
export function formatAddress(address: Address): string {
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

/** Whether only this host can reach it. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}

function trim(value: number): string {
  return String(Number(value.toPrecision(12)));
}
