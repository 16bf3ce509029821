/** Formats that `sonde replay` tells apart by content. */
export type InputFormat = 'ndjson' | 'sonde' | 'pcap' | 'pcapng' | 'empty' | 'unknown';

/** Magic numbers of pcap: microseconds and nanoseconds, either byte order (draft-ietf-opsawg-pcap). */
const PCAP = new Set(['d4c3b2a1', 'a1b2c3d4', '4d3cb2a1', 'a1b23c4d']);
/** Section header block (draft-ietf-opsawg-pcapng). */
const PCAPNG = '0a0d0d0a';
/** A recording of `sonde record` begins with "SONDE" and a zero byte. */
const RECORDING = '534f4e444500';

/** The format of an input by its first bytes; 16 are enough but for leading blank lines. */
export function detectFormat(head: Uint8Array): InputFormat {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  const magic = bytes.subarray(0, 4).toString('hex');
  if (PCAP.has(magic)) {
    return 'pcap';
  }
  if (magic === PCAPNG) {
    return 'pcapng';
  }
  if (bytes.subarray(0, 6).toString('hex') === RECORDING) {
    return 'sonde';
  }
  if (bytes.every(isSpace)) {
    return 'empty';
  }
  // Text is segment lines even where the first one is bad: the receiver names it by its number.
  const first = bytes.find((byte) => !isSpace(byte)) ?? 0;
  return first < 0x20 || bytes.includes(0) ? 'unknown' : 'ndjson';
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}
