/** What capturing consists of, what each part needs of the kernel, and what is left when it is not there. */

/** A feature as `status` and `doctor` show it. */
export interface Feature {
  readonly name: string;
  readonly state: 'on' | 'off';
  /** Why it is off, or what it does without where it is on; null if it is on as usual. */
  readonly reason: string | null;
  /** What to do about it; null if it is on or nothing can be done. */
  readonly remedy: string | null;
}

interface FeatureNeeds {
  readonly name: string;
  /** Programs of the object, loaded and attached together. */
  readonly programs: readonly string[];
  /** Kernel types that must exist; a tracepoint `x` is `btf_trace_x`. */
  readonly types: readonly string[];
  /** What does the same where the types are missing: programs by the kernel function at whose exit they run. */
  readonly exits?: { readonly programs: Readonly<Record<string, string>>; readonly required: readonly string[] };
  /** Without it there is nothing to capture. */
  readonly required: boolean;
  readonly remedy: string;
}

const WITHOUT_EVENTS = '; until then the totals of a connection tell how many, but not when and why.';
/** Run with each sweep. */
export const LISTENERS_PROGRAM = 'sonde_listeners';
/** Run once at the start. */
export const FIND_LISTENERS_PROGRAM = 'sonde_find_listeners';

const FEATURES: readonly FeatureNeeds[] = [
  {
    name: 'messages',
    programs: ['sonde_send', 'sonde_receive'],
    types: ['btf_trace_sock_send_length', 'btf_trace_sock_recv_length'],
    exits: {
      programs: {
        tcp_sendmsg: 'sonde_exit_tcp_sendmsg',
        tcp_sendpage: 'sonde_exit_tcp_sendpage',
        tcp_recvmsg: 'sonde_exit_tcp_recvmsg',
        udp_sendmsg: 'sonde_exit_udp_sendmsg',
        udpv6_sendmsg: 'sonde_exit_udpv6_sendmsg',
        udp_recvmsg: 'sonde_exit_udp_recvmsg',
        udpv6_recvmsg: 'sonde_exit_udpv6_recvmsg',
      },
      required: ['tcp_sendmsg', 'tcp_recvmsg'],
    },
    required: true,
    remedy: 'Use Linux 6.1 or later.',
  },
  {
    name: 'connections',
    programs: ['sonde_state', 'sonde_destroy'],
    types: ['btf_trace_inet_sock_set_state', 'btf_trace_tcp_destroy_sock'],
    required: true,
    remedy: 'Use Linux 4.16 or later.',
  },
  {
    name: 'sweep',
    programs: ['sonde_sweep', 'sonde_forget'],
    types: ['bpf_iter__bpf_sk_storage_map'],
    required: false,
    remedy: 'Use Linux 5.9 or later; until then the totals of a connection come with its next message or its close.',
  },
  {
    name: 'backfill',
    programs: ['sonde_backfill_files', 'sonde_backfill_waiting'],
    types: ['bpf_iter__task_file', 'bpf_iter__tcp'],
    required: false,
    remedy: 'Use Linux 5.11 or later; until then a connection that was open before is found at its next call.',
  },
  {
    name: 'queue_time_precise',
    programs: ['sonde_queue'],
    types: ['btf_trace_tcp_rcv_space_adjust'],
    required: false,
    remedy: 'Set capture.queue_time to coarse.',
  },
  // Its records are written by the programs of `connections` and `sweep`.
  { name: 'tcp_quality', programs: [], types: [], required: false, remedy: '' },
  {
    name: 'tcp_retransmits',
    programs: ['sonde_retransmit', 'sonde_retransmit_synack'],
    types: ['btf_trace_tcp_retransmit_skb', 'btf_trace_tcp_retransmit_synack'],
    required: false,
    remedy: `Use Linux 4.16 or later${WITHOUT_EVENTS}`,
  },
  {
    name: 'tcp_resets',
    programs: ['sonde_reset_sent', 'sonde_reset_received'],
    types: ['btf_trace_tcp_send_reset', 'btf_trace_tcp_receive_reset'],
    required: false,
    remedy: `Use Linux 4.16 or later${WITHOUT_EVENTS}`,
  },
  {
    name: 'tcp_drops',
    programs: ['sonde_drop'],
    types: ['btf_trace_kfree_skb', 'skb_drop_reason'],
    required: false,
    remedy: 'Use Linux 5.17 or later; until then the kernel gives no reason for what it drops.',
  },
  {
    name: 'tcp_listeners',
    programs: [LISTENERS_PROGRAM, FIND_LISTENERS_PROGRAM],
    types: ['bpf_iter__bpf_sk_storage_map', 'bpf_iter__task_file'],
    required: false,
    remedy: 'Use Linux 5.9 or later.',
  },
];

/** Run by BPF_PROG_RUN, attached to nothing. */
export const SELF_PROGRAM = 'sonde_self';
/** Run by BPF_PROG_RUN; writes what is switched off. */
export const SWITCH_PROGRAM = 'sonde_switch';
/** An iterator that ends the records of every socket. */
export const FORGET_PROGRAM = 'sonde_forget';
export const TICK_PROGRAM = 'sonde_tick';
export const QUEUE_PROGRAM = 'sonde_queue';
/** Programs that run at the exit of a kernel function. */
export const EXIT_PREFIX = 'sonde_exit_';
export const SWEEP_PROGRAM = 'sonde_sweep';
/** Iterators that run once, in this order. */
export const BACKFILL_PROGRAMS: readonly string[] = ['sonde_backfill_files', 'sonde_backfill_waiting'];
/** They run within a system call of the probe, and so are its own system time. */
export const ITERATORS: readonly string[] = [
  ...BACKFILL_PROGRAMS,
  SWEEP_PROGRAM,
  LISTENERS_PROGRAM,
  FIND_LISTENERS_PROGRAM,
  FORGET_PROGRAM,
];
/** Their runs are the unit of the stage `hook`. */
export const HOOK_PROGRAMS: readonly string[] = FEATURES.flatMap((feature) =>
  feature.name === 'messages' ? programsOf(feature) : [],
);
/** What they see of a socket's life nobody else tells: a run that the kernel refuses is a loss too. */
export const LIFE_PROGRAMS: readonly string[] = [
  'sonde_state',
  'sonde_destroy',
  'sonde_retransmit',
  'sonde_retransmit_synack',
  'sonde_reset_sent',
  'sonde_reset_received',
  'sonde_drop',
];

export interface FeatureWishes {
  readonly queueTime: 'off' | 'coarse' | 'precise';
  readonly udp: boolean;
  /** How TCP fares (`tcp_*`). Default true. */
  readonly tcp?: boolean;
}

export interface FeaturePlan {
  readonly features: readonly Feature[];
  /** To load and attach, feature by feature. */
  readonly programs: readonly string[];
  /** The first required feature that the kernel cannot offer. */
  readonly missing: Feature | undefined;
}

/** The kernel types that {@link planFeatures} wants to know of. */
export function wantedTypes(): string[] {
  return FEATURES.flatMap(({ types, exits }) => [...types, ...Object.keys(exits?.programs ?? {})]);
}

/** Decides before anything is loaded what will be on. `has` tells whether the kernel has a type. */
export function planFeatures(wishes: FeatureWishes, has: (type: string) => boolean): FeaturePlan {
  const features: Feature[] = [];
  const programs: string[] = [];
  let missing: Feature | undefined;
  for (const needs of FEATURES) {
    const exits = exitsInstead(needs, has);
    const feature = wanted(needs, wishes) ?? available(needs, has, exits);
    features.push(feature);
    if (feature.state === 'on') programs.push(...(exits ?? needs).programs);
    else if (needs.required) missing ??= feature;
  }
  features.push(
    wishes.queueTime === 'off'
      ? off('queue_time', 'capture.queue_time is off', 'Set capture.queue_time to coarse.')
      : on('queue_time'),
    wishes.udp ? on('udp') : off('udp', 'capture.udp is off', 'Set capture.udp to true.'),
  );
  return { features, programs, missing };
}

/** Marks a feature off whose programs the kernel refused. */
export function refuse(features: readonly Feature[], program: string, reason: string): Feature[] {
  const needs = FEATURES.find((each) => programsOf(each).includes(program));
  return features.map((feature) =>
    feature.name === needs?.name
      ? off(feature.name, `the kernel refused ${program}: ${reason}`, needs.remedy)
      : feature,
  );
}

/** The programs of the feature that a program belongs to: they are loaded together, or none of them. */
export function programsWith(program: string): readonly string[] {
  return FEATURES.find((each) => each.programs.includes(program))?.programs ?? [program];
}

/** True if nothing can be captured without this program. */
export function isRequired(program: string): boolean {
  return FEATURES.some((feature) => feature.required && programsOf(feature).includes(program));
}

function wanted(needs: FeatureNeeds, wishes: FeatureWishes): Feature | undefined {
  if (needs.name.startsWith('tcp_') && wishes.tcp === false) {
    return off(needs.name, 'analyzers.tcp.enabled is false', 'Set analyzers.tcp.enabled to true.');
  }
  if (needs.name !== 'queue_time_precise' || wishes.queueTime === 'precise') return undefined;
  return off(needs.name, `capture.queue_time is ${wishes.queueTime}`, 'Set capture.queue_time to precise.');
}

/** The functions whose exits serve where a type is missing; undefined if nothing is missing or they do not serve. */
function exitsInstead({ types, exits }: FeatureNeeds, has: (type: string) => boolean): Exits | undefined {
  if (exits === undefined || types.every(has) || !exits.required.every(has)) return undefined;
  const found = Object.entries(exits.programs).filter(([name]) => has(name));
  return { functions: found.map(([name]) => name), programs: found.map(([, program]) => program) };
}

interface Exits {
  readonly functions: readonly string[];
  readonly programs: readonly string[];
}

function available(needs: FeatureNeeds, has: (type: string) => boolean, exits: Exits | undefined): Feature {
  const lacking = needs.types.find((type) => !has(type));
  if (lacking === undefined) return on(needs.name);
  const what = lacking.startsWith('btf_trace_')
    ? `tracepoint ${lacking.slice('btf_trace_'.length)}`
    : `type ${lacking}`;
  const reason = `this kernel has no ${what}`;
  return exits === undefined
    ? off(needs.name, reason, needs.remedy)
    : { ...on(needs.name), reason: `by fexit of ${exits.functions.join(', ')}: ${reason}` };
}

/** All that a feature may load, in either way. */
function programsOf({ programs, exits }: FeatureNeeds): string[] {
  return [...programs, ...Object.values(exits?.programs ?? {})];
}

function on(name: string): Feature {
  return { name, state: 'on', reason: null, remedy: null };
}

function off(name: string, reason: string, remedy: string | null): Feature {
  return { name, state: 'off', reason, remedy };
}
