import type { EventBatch, EventConsumer } from '../../model/event-batch.ts';
import type { Stage } from '../../model/law.ts';
import { COUNTER, RECORD, SWITCHED } from '../../model/record.gen.ts';
import { loadAddon, objectPath, type Probe, type ProgramInfo } from './addon.ts';
import { findOpenConnections, type FoundBefore } from './backfill.ts';
import type { Feature } from './features.ts';
import { FORGET_PROGRAM, ITERATORS, LISTENERS_PROGRAM, SWEEP_PROGRAM } from './features.ts';
import { askSelf, type CaptureOptions, loadProbe, type SelfAnswer, setTick, writeSwitches } from './load.ts';
import type { PolicyTable } from './policy-table.ts';
import { createPolling, systemTimers, type Timers } from './polling.ts';
import { createHookStage, createRingStage, type KernelCounts } from './stages.ts';
import { tickLengthAt, tickLengthBetween } from './tick-length.ts';

export interface KernelReceiverOptions extends CaptureOptions {
  /** Takes the records. */
  readonly next: EventConsumer;
  /** What the analyzer narrows connections with, and what rules decide. */
  readonly policies: PolicyTable;
  /** CLOCK_MONOTONIC ns that all times count from. Default: when the receiver is made. */
  readonly originNs?: bigint;
  /** CLOCK_MONOTONIC in ns. Default `process.hrtime.bigint`. */
  readonly monotonicNs?: () => bigint;
  readonly timers?: Timers;
  /** Path of the BPF object; by default the one that the build made. */
  readonly object?: string;
}

/** Reads the kernel's records and hands them on in batches, merged by time. */
export interface KernelReceiver {
  readonly name: 'kernel';
  readonly originNs: bigint;
  /** `hook` and `ring`; they keep their last numbers after stop. */
  readonly stages: readonly Stage[];
  /** Loads, attaches and begins to read. @throws SondeError with what stands in the way */
  start(): void;
  /** Detaches, hands over everything that is left, and closes. More than once is harmless. */
  stop(): Promise<void>;
  /**
   * Switches a part of the capture while it runs; `payload` and `udp` with the next call. Resolves when what came before
   * was handed over. Off and on of `capture` end every connection: it is joined by its next call.
   */
  switch(part: SwitchedPart, on: boolean): Promise<void>;
  /** Empty before start. */
  features(): readonly Feature[];
  /** What was connected before the start. */
  foundBefore(): FoundBefore;
  /** Length of a kernel tick in ns, the unit of `queue` in records with FLAG.queueTicks. */
  tickNs(): number;
  /** The kernel's own counters by name, summed over the CPUs. */
  counters(): Readonly<Record<keyof typeof COUNTER, number>>;
  /** Packets of TCP that the kernel dropped, by the number of its reason (enum skb_drop_reason); 255: all from there on. */
  tcpDrops(): ReadonlyMap<number, number>;
  /** Highest share of a CPU's ring that was taken since the last call, 0..1. */
  ringUse(): number;
  /** Time that reading the rings took since the start, s: estimated from a share of the reads. */
  drainSeconds(): number;
  /** Runs of the socket hooks; cheap to ask. */
  hookRuns(): number;
  /** Empty before start and after stop. */
  programs(): readonly ProgramInfo[];
  /** From here on the kernel measures the run time of every BPF program, until it is closed; undefined if it refuses. */
  measureRunTime(): { close(): void } | undefined;
  /** Memory of the maps; null before start. */
  mapBytes(): number | null;
}

/** What can be switched while the programs run. */
export type SwitchedPart = keyof typeof SWITCHED;

/** Small enough that a batch is still in the cache when the analyzer walks it. */
const BATCH_BYTES = 256 << 10;
/** A poll takes at most so much: more than any ring holds, but an end in any case. */
const BATCHES_A_POLL = 1024;
const SWEEP_INTERVAL_NS = 1e9;
/** One read of the rings in so many is timed. */
const TIMED_DRAINS = 8;
/** What a kernel is built with most often; holds until the real one is known. */
const USUAL_TICK_NS = 4e6;
/**
 * After detaching, hooks that already run on other CPUs end within this time, and no socket is left to a next sweep
 * because it is busy (RECENT_NS in sweep.bpf.c).
 */
const SETTLE_MS = 15;

export function createKernelReceiver(options: KernelReceiverOptions): KernelReceiver {
  const { next, policies, timers = systemTimers, monotonicNs = () => process.hrtime.bigint() } = options;
  const originNs = options.originNs ?? monotonicNs();
  const now = (): number => Number(monotonicNs() - originNs);

  let probe: Probe | undefined;
  let features: readonly Feature[] = [];
  let tickNs: number | undefined;
  let self: SelfAnswer | undefined;
  let last: KernelCounts = {
    counters: new Float64Array(COUNTER.counters + 8),
    pending: 0,
    programs: [],
    abandoned: 0,
  };
  let mapBytes: number | null = null;
  let off = options.udp ? 0 : SWITCHED.udp;
  let before: FoundBefore = { connections: 0, durationNs: 0 };
  let tcpDrops: ReadonlyMap<number, number> = new Map();
  let swept = 0;
  let drains = 0;
  let timedDrainMs = 0;
  let peak = 0;
  let stopping: Promise<void> | undefined;

  const target = new ArrayBuffer(BATCH_BYTES);
  const batch = {
    bytes: new Uint8Array(target),
    words: new Uint32Array(target),
    halves: new Uint16Array(target),
    length: 0,
  } satisfies EventBatch;

  const read = (): KernelCounts =>
    probe === undefined
      ? last
      : { counters: probe.counters(), pending: probe.pending(), programs: probe.programs(), abandoned: 0 };

  const drain = (open: Probe, flush: boolean): void => {
    for (let round = 0; round < BATCHES_A_POLL; round++) {
      drains += 1;
      const started = drains % TIMED_DRAINS === 0 ? performance.now() : -1;
      batch.length = open.drain(target, flush);
      if (started >= 0) timedDrainMs += performance.now() - started;
      if (batch.length === 0) break;
      next.consume(batch);
      if (batch.length <= BATCH_BYTES - RECORD.max.record) break;
    }
  };

  const sweep = (open: Probe, time: number): void => {
    if (time - swept < SWEEP_INTERVAL_NS) return;
    swept = time;
    if (isOn('sweep')) open.sweep(SWEEP_PROGRAM);
    if (isOn('tcp_listeners')) open.sweep(LISTENERS_PROGRAM);
    if (tickNs === undefined && self !== undefined) {
      tickNs = tickLengthBetween(self, askSelf(open));
      if (tickNs !== undefined) setTick(open, tickNs);
    }
  };

  const isOn = (name: string): boolean => features.some((one) => one.name === name && one.state === 'on');

  const switchPart = async (part: SwitchedPart, on: boolean): Promise<void> => {
    const wanted = on ? off & ~SWITCHED[part] : off | SWITCHED[part];
    if (wanted === off) return;
    off = wanted;
    if (part === 'udp') features = features.map((one) => (one.name === 'udp' ? udpFeature(on) : one));
    if (probe === undefined) return;
    writeSwitches(probe, off);
    await new Promise<void>((resolve) => timers.set(resolve, SETTLE_MS));
    // Stopped meanwhile, or switched on again.
    if (probe === undefined || off !== wanted) return;
    if (part === 'capture' && !on && isOn('sweep')) probe.sweep(FORGET_PROGRAM);
    drain(probe, false);
  };

  const polling = createPolling({
    timers,
    rest: (checkMs, atMostMs) => probe?.arm(checkMs, atMostMs),
    poll() {
      if (probe === undefined) return 0;
      drain(probe, false);
      const use = probe.ringUse();
      peak = Math.max(peak, use);
      const time = now();
      next.tick(time);
      sweep(probe, time);
      return use;
    },
  });

  const shutDown = async (): Promise<void> => {
    polling.stop();
    if (probe === undefined) return;
    for (const program of probe.attached()) if (!ITERATORS.includes(program)) probe.detach(program);
    drain(probe, true);
    await new Promise<void>((resolve) => timers.set(resolve, SETTLE_MS));
    // The ends of the last messages on connections that stay open.
    swept = Number.NEGATIVE_INFINITY;
    sweep(probe, now());
    drain(probe, true);
    probe.detach();
    next.flush(now());
    const { pending, ...counts } = read();
    last = { ...counts, pending: 0, abandoned: pending };
    mapBytes = probe.mapBytes();
    tcpDrops = readDrops(probe);
    policies.unbind();
    probe.close();
    probe = undefined;
  };

  return {
    name: 'kernel',
    originNs,
    stages: [createHookStage(read), createRingStage(read)],
    start() {
      const loaded = loadProbe(loadAddon(), options.object ?? objectPath(), options, originNs);
      ({ probe, self } = loaded);
      ({ features, ...before } = findOpenConnections(probe, loaded.features));
      tickNs = tickLengthAt(self);
      policies.bind(probe.policies);
      probe.watch(() => polling.woken());
      polling.start();
    },
    stop() {
      stopping ??= shutDown();
      return stopping;
    },
    switch: switchPart,
    features: () => features,
    foundBefore: () => before,
    tickNs: () => tickNs ?? USUAL_TICK_NS,
    counters() {
      const { counters } = read();
      const named: Record<string, number> = {};
      for (const [name, at] of Object.entries(COUNTER)) if (at < COUNTER.counters) named[name] = counters[at] ?? 0;
      return named as Record<keyof typeof COUNTER, number>;
    },
    tcpDrops: () => (probe === undefined ? tcpDrops : readDrops(probe)),
    ringUse() {
      const use = Math.max(peak, probe?.ringUse() ?? 0);
      peak = 0;
      return use;
    },
    drainSeconds: () => (timedDrainMs * TIMED_DRAINS) / 1000,
    hookRuns: () => (probe?.counters() ?? last.counters)[COUNTER.countRuns] ?? 0,
    programs: () => probe?.programs() ?? [],
    measureRunTime() {
      try {
        return probe === undefined ? undefined : new (loadAddon().RunTimeStats)();
      } catch {
        // Before Linux 5.8, or not allowed: whoever asks has to do without.
        return undefined;
      }
    },
    mapBytes: () => probe?.mapBytes() ?? mapBytes,
  };
}

function udpFeature(on: boolean): Feature {
  return on
    ? { name: 'udp', state: 'on', reason: null, remedy: null }
    : { name: 'udp', state: 'off', reason: 'switched off', remedy: 'Switch it on: PUT /features.' };
}

/** Entries of the map `tcp_drops`. */
const DROP_REASONS = 256;

function readDrops(probe: Probe): Map<number, number> {
  const drops = new Map<number, number>();
  for (let reason = 0; reason < DROP_REASONS; reason++) {
    const value = probe.mapLookup('tcp_drops', new Uint8Array(Uint32Array.of(reason).buffer));
    const count = value === undefined ? 0 : Number(new DataView(value.buffer, value.byteOffset).getBigUint64(0, true));
    if (count > 0) drops.set(reason, count);
  }
  return drops;
}
