import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface FakeProcess {
  readonly comm?: string;
  readonly startTime?: number;
  readonly executable?: string;
  readonly argv?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly cgroup?: string;
}

/** A folder that looks like /proc. */
export interface FakeProc {
  readonly root: string;
  set(pid: number, process: FakeProcess): void;
  end(pid: number): void;
  /** Makes the folder show another PID namespace than the kernel's. */
  setNamespace(name: string): void;
  remove(): void;
}

export function createFakeProc(): FakeProc {
  const root = mkdtempSync(join(tmpdir(), 'sonde-proc-'));
  const link = (path: string, target: string) => {
    rmSync(path, { force: true });
    symlinkSync(target, path);
  };
  return {
    root,
    set(pid, { comm = 'app', startTime = 100, executable, argv = [], environment = {}, cgroup = '0::/\n' }) {
      const folder = join(root, String(pid));
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder);
      const zeros = Array.from({ length: 18 }, () => '0').join(' ');
      writeFileSync(join(folder, 'stat'), `${pid} (${comm}) S ${zeros} ${startTime} 1 2 3\n`);
      writeFileSync(join(folder, 'cmdline'), argv.map((argument) => `${argument}\0`).join(''));
      writeFileSync(
        join(folder, 'environ'),
        Object.entries(environment)
          .map(([name, value]) => `${name}=${value}\0`)
          .join(''),
      );
      writeFileSync(join(folder, 'cgroup'), cgroup);
      if (executable !== undefined) link(join(folder, 'exe'), executable);
    },
    end(pid) {
      rmSync(join(root, String(pid)), { recursive: true });
    },
    setNamespace(name) {
      mkdirSync(join(root, '1', 'ns'), { recursive: true });
      link(join(root, '1', 'ns', 'pid'), name);
    },
    remove() {
      rmSync(root, { recursive: true, force: true });
    },
  };
}
