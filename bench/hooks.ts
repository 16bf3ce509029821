import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { type BpfUsage, bpfUsageOf } from './bpf-usage.ts';
import { Child } from './child.ts';

const START_LIMIT_MS = 10_000;

/** The two empty hooks, attached beside whatever else is, and the kernel's run-time statistics, switched on. */
export class EmptyHooks {
  readonly #child: Child;

  private constructor(child: Child) {
    this.#child = child;
  }

  /**
   * Compiles them into `directory` and attaches them. Both go with `stop`, or with the end of the bench.
   * @param sources where empty.bpf.c and hold_hooks.c are
   */
  static async attach(sources: string, directory: string): Promise<EmptyHooks> {
    const object = join(directory, 'empty.bpf.o');
    const holder = join(directory, 'hold_hooks');
    const arch = execFileSync('uname', ['-m'], { encoding: 'utf8' }).trim();
    const include = `-I/usr/include/${arch}-linux-gnu`;
    const source = join(sources, 'empty.bpf.c');
    execFileSync('clang', ['-O2', '-g', '-target', 'bpf', include, '-c', source, '-o', object]);
    execFileSync('clang', ['-O2', join(sources, 'hold_hooks.c'), '-lbpf', '-o', holder]);
    return EmptyHooks.hold(holder, object);
  }

  /** The same with what `attach` would have compiled. Rejects where the kernel lacks what `object` attaches to. */
  static async hold(holder: string, object: string): Promise<EmptyHooks> {
    const child = new Child([holder, object], { stdio: ['pipe', 'pipe', 'pipe'] });
    await child.says('stdout', /ready/, START_LIMIT_MS);
    return new EmptyHooks(child);
  }

  usage(): BpfUsage {
    return bpfUsageOf(this.#child.pid);
  }

  async stop(): Promise<void> {
    this.#child.process.stdin?.end();
    await this.#child.end(START_LIMIT_MS);
  }
}
