import { SondeError } from '../../model/errors.ts';
import { POLICY, SWITCHED } from '../../model/record.gen.ts';
import { type Addon, explain, isAddonError, type Probe } from './addon.ts';
import {
  EXIT_PREFIX,
  type Feature,
  FIND_LISTENERS_PROGRAM,
  isRequired,
  LISTENERS_PROGRAM,
  planFeatures,
  programsWith,
  QUEUE_PROGRAM,
  refuse,
  SELF_PROGRAM,
  SWITCH_PROGRAM,
  TICK_PROGRAM,
  wantedTypes,
} from './features.ts';
import { type CaptureFilter, filterUse, writeFilters } from './filter-maps.ts';
import { tickLengthAt, type TickReading } from './tick-length.ts';

/** What the kernel side is told when it is loaded. */
export interface CaptureOptions {
  /** Data bytes of each CPU's ring, a power of two from 64 KiB. */
  readonly ringBytes: number;
  /** Sockets followed at a time. */
  readonly maxConnections: number;
  /** At most so many bytes of a call are copied, 4096 at most. */
  readonly payloadBytes: number;
  readonly queueTime: 'off' | 'coarse' | 'precise';
  readonly udp: boolean;
  /** How TCP fares: its own counters, retransmissions, resets, drops, listeners. Default true. */
  readonly tcp?: boolean;
  readonly filter: CaptureFilter;
  /** `auto` starts in `stream` and lets the analyzer narrow; the others hold for every socket. */
  readonly policy: 'auto' | 'stream' | 'headers' | 'count' | 'ignore';
}

export interface LoadedProbe {
  readonly probe: Probe;
  readonly features: readonly Feature[];
  readonly self: SelfAnswer;
}

/** What the program `sonde_self` answers. */
export interface SelfAnswer extends TickReading {
  /** This process as the kernel counts. */
  readonly tgid: number;
  /** True if the TCP clock can be read. */
  readonly tcpClock: boolean;
}

/** Of a message on a connection for which no policy was set yet: enough to recognise any protocol. */
const UNDECIDED_BYTES = 64 << 10;

const QUEUE_TIME = { off: 0, coarse: 1, precise: 2 } as const;

/** Tries what the kernel has, without what it refuses. @throws SondeError if nothing can be captured */
export function loadProbe(addon: Addon, object: string, options: CaptureOptions, originNs: bigint): LoadedProbe {
  try {
    const names = wantedTypes();
    const known = addon.kernelTypes(names);
    const plan = planFeatures(options, (type) => known[names.indexOf(type)] ?? false);
    if (plan.missing !== undefined) {
      throw new SondeError('SONDE_OLD_KERNEL', {
        detail: plan.missing.reason ?? '',
        remedy: plan.missing.remedy ?? '',
      });
    }
    let { features } = plan;
    let programs = [...plan.programs];
    for (;;) {
      try {
        return loadPrograms(addon, { object, originNs, programs, options, features });
      } catch (error) {
        const refused = refusedProgram(error, programs);
        if (refused === undefined || isRequired(refused)) throw error;
        features = refuse(features, refused, (error as Error).message);
        const without = programsWith(refused);
        programs = programs.filter((program) => !without.includes(program));
      }
    }
  } catch (error) {
    throw explain(error);
  }
}

/** Asks the kernel who this process is; from then on its own sockets are not seen. */
export function askSelf(probe: Probe): SelfAnswer {
  const { output } = probe.run(SELF_PROGRAM, new Uint8Array(24));
  const view = new DataView(output.buffer);
  return {
    time: Number(view.getBigUint64(0, true)),
    ticks: Number(view.getBigUint64(8, true)),
    tgid: view.getUint32(16, true),
    tcpClock: view.getUint32(20, true) === 1,
  };
}

/** Tells the hooks what is off, as bits of SWITCHED: from here on, but for calls that are under way. */
export function writeSwitches(probe: Probe, off: number): void {
  const request = new Uint8Array(8);
  new DataView(request.buffer).setUint32(0, off, true);
  probe.run(SWITCH_PROGRAM, request);
}

/** Tells the kernel side the length of a kernel tick, which it can only count. */
export function setTick(probe: Probe, tickNs: number): void {
  probe.run(TICK_PROGRAM, new Uint8Array(BigUint64Array.of(BigInt(Math.round(tickNs))).buffer));
}

interface Attempt {
  readonly object: string;
  readonly originNs: bigint;
  readonly programs: readonly string[];
  readonly options: CaptureOptions;
  readonly features: readonly Feature[];
}

/** Loads and attaches exactly these programs, or nothing. */
function loadPrograms(addon: Addon, { object, originNs, programs, options, features }: Attempt): LoadedProbe {
  const { ringBytes, maxConnections, payloadBytes, udp, filter, policy } = options;
  const precise = programs.includes(QUEUE_PROGRAM);
  const probe = new addon.Probe({
    object,
    originNs,
    programs: [SELF_PROGRAM, SWITCH_PROGRAM, TICK_PROGRAM, ...programs],
    ringBytes,
    maxConnections,
    mapEntries: { free_indexes: maxConnections },
    rodata: {
      ring_bytes: ringBytes,
      max_connections: maxConnections,
      payload_bytes: payloadBytes,
      // What was to be precise and cannot be is at least coarse.
      queue_time: QUEUE_TIME[options.queueTime === 'precise' && !precise ? 'coarse' : options.queueTime],
      filter_use: filterUse(filter),
      default_policy: defaultPolicy(policy, payloadBytes),
      undecided_bytes: policy === 'auto' ? UNDECIDED_BYTES : 0,
      tcp_quality: options.tcp !== false,
      tcp_listeners: programs.includes(LISTENERS_PROGRAM),
      // Unlike a tracepoint, the exit of a function does not keep the task from being preempted.
      hooks_preemptible: programs.some((program) => program.startsWith(EXIT_PREFIX)),
    },
  });
  try {
    // Before anything is attached: the probe must never feed on its own sockets.
    const self = askSelf(probe);
    writeSwitches(probe, udp ? 0 : SWITCHED.udp);
    if (precise && !self.tcpClock) throw new RefusedProgram(QUEUE_PROGRAM, 'its TCP clock cannot be read');
    const tickNs = tickLengthAt(self);
    if (tickNs !== undefined) setTick(probe, tickNs);
    writeFilters(probe, filter);
    // Connections before messages, so that a socket's first call finds its beginning recorded.
    for (const program of programs.toReversed()) attach(probe, program);
    if (programs.includes(FIND_LISTENERS_PROGRAM)) findListeners(probe);
    return { probe, features, self };
  } catch (error) {
    probe.close();
    throw error;
  }
}

function attach(probe: Probe, program: string): void {
  try {
    if (program === LISTENERS_PROGRAM) probe.attach(program, 'listeners');
    else probe.attach(program);
  } catch (error) {
    if (isRequired(program) || !isAddonError(error)) throw error;
    throw new RefusedProgram(program, error.message);
  }
}

/** Those that listened before; new ones make themselves known. */
function findListeners(probe: Probe): void {
  probe.sweep(FIND_LISTENERS_PROGRAM);
  probe.detach(FIND_LISTENERS_PROGRAM);
}

class RefusedProgram extends Error {
  readonly program: string;

  constructor(program: string, reason: string) {
    super(reason);
    this.program = program;
  }
}

/** The word that holds for sockets for which none was written. */
export function defaultPolicy(policy: CaptureOptions['policy'], payloadBytes: number): number {
  if (policy === 'auto') return POLICY.stream;
  if (policy !== 'headers') return POLICY[policy];
  // Size class n is 32 << n bytes: the largest one that keeps to the limit.
  const size = Math.max(1, Math.min(7, Math.floor(Math.log2(payloadBytes / 32))));
  return POLICY.headers | (size << POLICY.receiveClassShift) | (size << POLICY.sendClassShift);
}

/** libbpf names the program that failed in its log. */
function refusedProgram(error: unknown, programs: readonly string[]): string | undefined {
  if (error instanceof RefusedProgram) return error.program;
  if (!isAddonError(error) || error.code === 'ERR_SONDE_ARGUMENT') return undefined;
  return programs.find((program) => error.log.includes(`prog '${program}': failed to load`));
}
