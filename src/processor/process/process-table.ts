import type { ProcessNote } from '../../model/process-note.ts';
import type { ProcFiles } from './proc-files.ts';
import { readNames } from './process-names.ts';
import type { ProcessNames } from './process-names.ts';

/** A process that had exchanges. */
export interface ProcessEntry {
  readonly pid: string;
  /** Null if it was gone before it was looked up. */
  readonly startTime: string | null;
  readonly names: ProcessNames | null;
  /** Its place in tables of one's own; below the table's capacity, unique among the entries that are in. */
  readonly place: number;
}

export interface ProcessTableOptions {
  readonly files: ProcFiles;
  /** At most so many processes; the one that was looked up longest ago makes room. */
  readonly capacity: number;
  /** Called with an entry that no longer holds: another process has its id, or its room was needed. */
  readonly onDrop: (entry: ProcessEntry) => void;
  /** Called with each process that was found. */
  readonly onLookUp?: (process: ProcessNote) => void;
}

/** What /proc said of processes, read once for each pid and start time. */
export class ProcessTable {
  readonly #options: ProcessTableOptions;
  /** In the order of the last lookup. */
  readonly #entries = new Map<string, ProcessEntry>();
  readonly #places: number[] = [];
  #nextPlace = 0;

  constructor(options: ProcessTableOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  lookUp(pid: string): ProcessEntry {
    const known = this.#entries.get(pid);
    if (known !== undefined) {
      this.#entries.delete(pid);
      this.#entries.set(pid, known);
      return known;
    }
    if (this.#entries.size >= this.#options.capacity) {
      const [oldest] = this.#entries.values();
      this.#drop(oldest);
    }
    const { files } = this.#options;
    const stat = files.stat(pid);
    const entry: ProcessEntry = {
      pid,
      startTime: stat?.startTime ?? null,
      names: stat === null ? null : readNames(files, pid, stat),
      place: this.#places.pop() ?? this.#nextPlace++,
    };
    this.#entries.set(pid, entry);
    if (entry.names !== null) this.#options.onLookUp?.(noteOf(pid, entry.startTime, entry.names));
    return entry;
  }

  /**
   * Looks whether the process is still the same; drops it if not. One that is gone keeps its names, for
   * exchanges that come late.
   */
  check(entry: ProcessEntry): void {
    if (this.#entries.get(entry.pid) !== entry) return;
    const stat = this.#options.files.stat(entry.pid);
    // A new name with the same start time is what an exec leaves.
    if (stat !== null && (stat.startTime !== entry.startTime || stat.comm !== entry.names?.comm)) this.#drop(entry);
  }

  #drop(entry: ProcessEntry): void {
    this.#entries.delete(entry.pid);
    this.#places.push(entry.place);
    this.#options.onDrop(entry);
  }
}

function noteOf(pid: string, startTime: string | null, names: ProcessNames): ProcessNote {
  return {
    pid,
    start_time: startTime ?? '',
    comm: names.comm,
    executable: names.executable,
    container_id: names.containerId,
    service_name: names.serviceName,
  };
}
