import { fileURLToPath } from 'node:url';
import { loadAddon, type Probe, type ProbeOptions } from '../../../src/receiver/kernel/addon.ts';
import { KIND, RECORD } from '../../../src/model/record.gen.ts';

/** The object of producer.bpf.c, as the build makes it. */
export const PRODUCER = fileURLToPath(new URL('../../../build/bpf/producer.bpf.o', import.meta.url));

export const PRODUCER_PROGRAMS = ['put_records', 'poke_ring', 'read_policy', 'read_knobs', 'read_fired'] as const;

export const RING_BYTES = 64 << 10;

export function producerOptions(options: Partial<ProbeOptions> = {}): ProbeOptions {
  const ringBytes = options.ringBytes ?? RING_BYTES;
  return {
    object: PRODUCER,
    ringBytes,
    maxConnections: 16,
    programs: [...PRODUCER_PROGRAMS],
    ...options,
    rodata: { ring_bytes: ringBytes, ...options.rodata },
  };
}

export function openProducer(options: Partial<ProbeOptions> = {}): Probe {
  const addon = loadAddon();
  return new addon.Probe(producerOptions(options));
}

export interface Put {
  readonly cpu?: number;
  /** What the record says; 0 leaves it uncommitted. */
  readonly length?: number;
  /** What is reserved for it; the length by default. */
  readonly room?: number;
  readonly kind?: number;
  /** 0: the time of the call. */
  readonly time?: bigint;
  readonly otherTime?: bigint;
  readonly count?: number;
  readonly number?: number;
}

/** Writes records into a CPU's ring, one ns and one number apart. Returns how many found room. */
export function put(probe: Probe, options: Put = {}): number {
  const length = options.length ?? 64;
  const view = new DataView(new ArrayBuffer(40));
  view.setUint32(0, options.cpu ?? 0, true);
  view.setUint32(4, length, true);
  view.setUint32(8, options.room ?? length, true);
  view.setUint32(12, options.kind ?? KIND.message, true);
  view.setBigUint64(16, options.time ?? 0n, true);
  view.setBigUint64(24, options.otherTime ?? 0n, true);
  view.setUint32(32, options.count ?? 1, true);
  view.setUint32(36, options.number ?? 1, true);
  return probe.run('put_records', new Uint8Array(view.buffer)).retval;
}

/** Writes a word at an offset of a ring's data and moves the ring's head. */
export function poke(probe: Probe, options: { cpu?: number; offset: number; value: number; head?: number }): void {
  const { cpu = 0, offset, value, head = 0 } = options;
  probe.run('poke_ring', new Uint8Array(Uint32Array.of(cpu, offset, value, head).buffer));
}

export interface Drained {
  readonly length: number;
  readonly kind: number;
  readonly cpu: number;
  readonly time: bigint;
  readonly number: number;
  readonly lastTime: bigint;
}

/** One drain, decoded. */
export function drain(probe: Probe, flush: boolean, capacity = 1 << 20): Drained[] {
  const target = new ArrayBuffer(capacity);
  const bytes = probe.drain(target, flush);
  const view = new DataView(target);
  const records: Drained[] = [];
  for (let at = 0; at < bytes; ) {
    const length = view.getUint32(at + RECORD.head.length, true);
    if (length === 0) throw new Error(`a record without length at ${at} of ${bytes}`);
    records.push({
      length,
      kind: view.getUint8(at + RECORD.head.kind),
      cpu: view.getUint32(at + RECORD.head.index, true),
      time: view.getBigUint64(at + RECORD.head.time, true),
      number: view.getUint32(at + RECORD.message.number, true),
      lastTime: view.getBigUint64(at + RECORD.message.lastTime, true),
    });
    at += length;
  }
  return records;
}
