import type { ProgramRuns } from '../bpf-usage.ts';

/** What one load took in a guest whose clock counts instructions: a nanosecond there is an instruction. */
export interface Load {
  readonly requests: number;
  /** From the start of the load generator to its end. */
  readonly elapsed: number;
  /** Without the idle time, and until a second after. */
  readonly busy: number;
  /** Of nginx's process, in user and kernel. */
  readonly server: number;
}

export type Ends = 'both' | 'server' | 'none';

/** The load as seen by one run of Sonde. */
export interface Watched {
  /** The load without the kernel's statistics, after which all was counted. */
  readonly load: Load;
  /** Sonde's process, user and kernel, until a second after the load. */
  readonly own: number;
  /** Which ends Sonde was told to watch. */
  readonly ends: Ends;
  /** Exchanges on Sonde's page, by the side that saw them. */
  readonly counted: { readonly server: number; readonly client: number };
  /** Of these, all sides, those of which a part was lost or cut. */
  readonly incomplete: number;
  /** Everything that the law says was dropped since Sonde's start: also in the warm-up. */
  readonly dropped: number;
  /** Stages at which the law does not hold. */
  readonly broken: readonly string[];
  /** A load with the statistics on: what each program ran, the costliest first. */
  readonly programs: readonly ProgramRuns[];
  /** The empty programs at the two hooks, attached meanwhile. */
  readonly empty: readonly ProgramRuns[];
  /** Requests of that load. */
  readonly programsRequests: number;
}

/** One line of what the guest writes. */
export type Finding =
  | { readonly check: 'kernel'; readonly name: string; readonly node: string }
  | { readonly check: 'alone'; readonly small: Load; readonly large: Load }
  | { readonly check: 'sonde'; readonly name: string; readonly watched: Watched }
  | { readonly check: 'failed'; readonly detail: string }
  | { readonly check: 'end' };

/** One boot of the guest. */
export interface Boot {
  /** False if it was cut short: what it had not come to is missing. */
  readonly complete: boolean;
  readonly kernel: string;
  readonly alone: { readonly small: Load; readonly large: Load };
  /** By what was varied, in the order in which it was measured. */
  readonly sonde: ReadonlyMap<string, Watched>;
}

/**
 * Reads what a guest wrote on its serial port, where lines may end in CR LF and others may stand between.
 * @throws when the guest says that it failed, or did not come as far as the load without Sonde
 */
export function parseBoot(text: string): Boot {
  const findings = text.split(/\r?\n/).flatMap(parseLine);
  const failed = findings.find((finding) => finding.check === 'failed');
  if (failed !== undefined) throw new Error(`the guest failed: ${failed.detail}`);
  const kernel = findings.find((finding) => finding.check === 'kernel');
  const alone = findings.find((finding) => finding.check === 'alone');
  if (kernel === undefined || alone === undefined) throw new Error('the guest did not come to its first load');
  const watched = findings.filter((finding) => finding.check === 'sonde');
  return {
    complete: findings.at(-1)?.check === 'end',
    kernel: kernel.name,
    alone,
    sonde: new Map(watched.map((finding) => [finding.name, finding.watched])),
  };
}

/** Nothing for what is no finding, or only the beginning of one. */
function parseLine(line: string): Finding[] {
  if (!line.startsWith('{')) return [];
  try {
    return [JSON.parse(line) as Finding];
  } catch {
    return [];
  }
}
