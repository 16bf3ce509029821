import type { Consumer, DataGroup } from '../../model/data-group.ts';
import type { ExchangeGroup } from '../../model/exchange.ts';
import { LABEL_SET_INDEX } from '../../model/label-sets.ts';
import type { Labels, LabelSetId, LabelSets } from '../../model/label-sets.ts';
import { GROUP } from '../../model/names.ts';
import type { ProcessNote } from '../../model/process-note.ts';
import { NamedExchange } from './named-exchange.ts';
import { NamedGroup } from './named-group.ts';
import { ProcFiles } from './proc-files.ts';
import { ProcessTable } from './process-table.ts';
import type { ProcessEntry } from './process-table.ts';

/** Names the initial PID namespace on every kernel since 3.8 (PROC_PID_INIT_INO). */
const INITIAL_PID_NAMESPACE = 'pid:[4026531836]';

export interface ProcessOptions {
  readonly labels: LabelSets;
  readonly next: Consumer;
  /**
   * Where processes are looked up; null looks nothing up and names services by the kernel's comm (a replay shows
   * processes of another time). Default /proc.
   */
  readonly procRoot?: string | null;
  /** At most so many processes are remembered. Default 4,096. */
  readonly maxProcesses?: number;
  /** How often a process that has exchanges is checked to be still the same one, ns. Default 5 s. */
  readonly recheckNs?: number;
  /** Told of each process that was looked up and found, before the exchange that it is for goes on. */
  readonly onLookUp?: (process: ProcessNote) => void;
}

/** Whether processes can be named, as `GET /status` tells it. */
export interface ProcessFeature {
  readonly name: 'process';
  readonly state: 'on' | 'off';
  readonly reason: string | null;
  readonly remedy: string | null;
}

export interface ProcessProcessor extends Consumer {
  /** `now` in ns of the events' clock. */
  tick(now: number): void;
  /** Nothing is held back; here for uniformity. */
  flush(now: number): void;
  readonly feature: ProcessFeature;
}

/** Adds comm, executable, container id and service name to exchanges and other groups, by the pid among their labels. */
export function createProcessProcessor(options: ProcessOptions): ProcessProcessor {
  return new ProcessNamer(options);
}

/** A memo entry: label set as it came, label set with names, place of the process or −1, unused. */
const MEMO = 4;
const NO_PROCESS = -1;
/** Checks in one tick: a read of /proc takes some 20 µs. */
const CHECKS_PER_TICK = 32;

class ProcessNamer implements ProcessProcessor {
  readonly feature: ProcessFeature;
  readonly #labels: LabelSets;
  readonly #next: Consumer;
  readonly #recheckNs: number;
  readonly #processes: ProcessTable | null;
  readonly #exchange = new NamedExchange();
  readonly #group = new NamedGroup();

  #memo = new Int32Array(1024 * MEMO);
  /** By place: the process, the label sets named after it, whether it had an exchange since it was checked. */
  readonly #entries: (ProcessEntry | undefined)[] = [];
  readonly #named: Set<LabelSetId>[] = [];
  readonly #used: Uint8Array;
  #unchecked: ProcessEntry[] = [];
  #nextCheck = Number.NaN;

  constructor(options: ProcessOptions) {
    const { procRoot = '/proc', maxProcesses = 4096 } = options;
    this.#labels = options.labels;
    this.#next = options.next;
    this.#recheckNs = options.recheckNs ?? 5e9;
    this.#used = new Uint8Array(maxProcesses);
    const files = procRoot === null ? null : new ProcFiles(procRoot);
    this.feature = featureOf(files, procRoot);
    this.#processes =
      files === null || this.feature.state === 'off'
        ? null
        : new ProcessTable({
            files,
            capacity: maxProcesses,
            onDrop: (entry) => this.#dropProcess(entry),
            ...(options.onLookUp === undefined ? {} : { onLookUp: options.onLookUp }),
          });
    this.#labels.onFree((id) => this.#forget(id));
  }

  consume(group: DataGroup): void {
    const id = group.labels;
    let at = (id & LABEL_SET_INDEX) * MEMO;
    if (this.#memo[at] !== id || id === 0) at = this.#resolve(id);
    const place = this.#memo[at + 2];
    if (place >= 0) this.#used[place] = 1;
    const named = this.#memo[at + 1];
    if (group.name === GROUP.request) this.#next.consume(this.#exchange.wrap(group as ExchangeGroup, named));
    else this.#next.consume(this.#group.wrap(group, named));
  }

  tick(now: number): void {
    if (this.#processes === null) return;
    if (!(now < this.#nextCheck)) {
      this.#nextCheck = now + this.#recheckNs;
      this.#unchecked = this.#entries.filter((entry): entry is ProcessEntry => this.#used[entry?.place ?? -1] === 1);
      this.#used.fill(0);
    }
    for (const entry of this.#unchecked.splice(0, CHECKS_PER_TICK)) this.#processes.check(entry);
  }

  flush(): void {}

  /** Names a label set and remembers it; returns its place in the memo. */
  #resolve(id: LabelSetId): number {
    const labels = this.#labels.labels(id);
    const { pid = '' } = labels;
    const entry = /^\d+$/.test(pid) ? this.#processes?.lookUp(pid) : undefined;
    const named = this.#labels.intern(nameLabels(labels, entry));
    // Where nothing was to add, a reference of the memo would keep the set alive by itself.
    if (named === id) this.#labels.release(named);
    if (entry !== undefined) {
      this.#entries[entry.place] = entry;
      (this.#named[entry.place] ??= new Set()).add(id);
    }
    const at = (id & LABEL_SET_INDEX) * MEMO;
    if (at >= this.#memo.length) {
      const memo = new Int32Array(Math.max(at + MEMO, this.#memo.length * 2));
      memo.set(this.#memo);
      this.#memo = memo;
    }
    this.#memo[at] = id;
    this.#memo[at + 1] = named;
    this.#memo[at + 2] = entry?.place ?? NO_PROCESS;
    return at;
  }

  #forget(id: LabelSetId): void {
    const at = (id & LABEL_SET_INDEX) * MEMO;
    if (this.#memo[at] !== id) return;
    this.#memo[at] = 0;
    const place = this.#memo[at + 2];
    if (place >= 0) this.#named[place].delete(id);
    if (this.#memo[at + 1] !== id) this.#labels.release(this.#memo[at + 1]);
  }

  #dropProcess(entry: ProcessEntry): void {
    for (const id of this.#named[entry.place] ?? []) this.#forget(id);
    this.#entries[entry.place] = undefined;
    this.#used[entry.place] = 0;
  }
}

function nameLabels(labels: Labels, entry: ProcessEntry | undefined): Labels {
  const names = entry?.names ?? null;
  const serviceName = labels.service_name ?? names?.serviceName ?? labels.comm;
  const comm = labels.comm ?? names?.comm;
  return {
    ...labels,
    ...(comm === undefined ? {} : { comm }),
    ...(names?.executable == null ? {} : { executable: names.executable }),
    ...(names?.containerId == null ? {} : { container_id: names.containerId }),
    ...(serviceName === undefined ? {} : { service_name: serviceName }),
  };
}

function featureOf(files: ProcFiles | null, root: string | null): ProcessFeature {
  const namespace = files?.pidNamespace() ?? null;
  if (files === null) {
    return { name: 'process', state: 'off', reason: 'processes are not looked up here', remedy: null };
  }
  if (namespace !== null && namespace !== INITIAL_PID_NAMESPACE) {
    return {
      name: 'process',
      state: 'off',
      reason: `${root} shows the processes of a container, the kernel counts those of the host`,
      remedy: 'Run the container with the PID namespace of the host (hostPID: true, or --pid=host).',
    };
  }
  return { name: 'process', state: 'on', reason: null, remedy: null };
}
