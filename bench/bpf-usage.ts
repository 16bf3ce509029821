import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { processTree } from './process-cost.ts';

/** What one program has run since it was loaded; counts only while the kernel's run-time statistics are on. */
export interface ProgramRuns {
  /** Where it is attached (a tracepoint's name), or `program ID`. */
  readonly name: string;
  readonly ns: number;
  readonly runs: number;
  readonly recursionMisses: number;
}

/** Programs and maps that a process tree holds open. */
export interface BpfUsage {
  readonly programs: ReadonlyMap<number, ProgramRuns>;
  /** Memory of all its maps, in bytes. The kernel does not count socket storage elements here. */
  readonly mapBytes: number;
}

/** The `key: value` lines of one /proc/PID/fdinfo file. */
export function parseFdInfo(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.split('\n')) {
    const at = line.indexOf(':');
    if (at > 0) fields.set(line.slice(0, at), line.slice(at + 1).trim());
  }
  return fields;
}

/**
 * Sums up what fdinfo files say of BPF programs, links and maps. Several descriptors may mean one object: each id
 * counts once.
 */
export function bpfUsage(files: readonly string[]): BpfUsage {
  const programs = new Map<number, ProgramRuns>();
  const names = new Map<number, string>();
  const maps = new Map<number, number>();
  for (const file of files) {
    const fields = parseFdInfo(file);
    const programId = fields.get('prog_id');
    const mapId = fields.get('map_id');
    if (mapId !== undefined) maps.set(Number(mapId), Number(fields.get('memlock') ?? 0));
    if (programId === undefined) continue;
    const id = Number(programId);
    if (fields.has('link_type')) {
      const target = fields.get('tp_name') ?? fields.get('target_name') ?? fields.get('link_type');
      if (target !== undefined) names.set(id, target);
    } else if (fields.has('run_time_ns')) {
      programs.set(id, {
        name: `program ${id}`,
        ns: Number(fields.get('run_time_ns')),
        runs: Number(fields.get('run_cnt')),
        recursionMisses: Number(fields.get('recursion_misses') ?? 0),
      });
    }
  }
  for (const [id, name] of names) {
    const program = programs.get(id);
    if (program !== undefined) programs.set(id, { ...program, name });
  }
  return { programs, mapBytes: [...maps.values()].reduce((total, bytes) => total + bytes, 0) };
}

/** The BPF objects that a process and its descendants hold now. */
export function bpfUsageOf(pid: number): BpfUsage {
  const files: string[] = [];
  for (const member of processTree(pid)) {
    const directory = `/proc/${member}/fdinfo`;
    for (const descriptor of namesIn(directory)) {
      try {
        files.push(readFileSync(`${directory}/${descriptor}`, 'latin1'));
      } catch {
        // A descriptor closed since it was listed.
      }
    }
  }
  return bpfUsage(files);
}

/** What ran between two readings, by program, the costliest first; programs that did not run are left out. */
export function runsBetween(before: BpfUsage, after: BpfUsage): ProgramRuns[] {
  const between: ProgramRuns[] = [];
  for (const [id, program] of after.programs) {
    const start = before.programs.get(id);
    const runs = program.runs - (start?.runs ?? 0);
    if (runs === 0) continue;
    between.push({
      name: program.name,
      ns: program.ns - (start?.ns ?? 0),
      runs,
      recursionMisses: program.recursionMisses - (start?.recursionMisses ?? 0),
    });
  }
  return between.toSorted((a, b) => b.ns - a.ns);
}

/**
 * How many tracing programs are loaded on the machine by anyone; null without bpftool. Those of others make the
 * sockets slower for both sides of a comparison, so a run says how many there were.
 */
export function tracingPrograms(): number | null {
  try {
    const listed = JSON.parse(execFileSync('bpftool', ['prog', 'show', '-j'], { encoding: 'utf8' })) as {
      type: string;
    }[];
    return listed.filter(({ type }) => type === 'tracing').length;
  } catch {
    return null;
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
