import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

/** A process that ends with the bench, whatever ends the bench: the kernel sends it SIGTERM. */
export class Child {
  readonly process: ChildProcess;
  readonly #name: string;
  readonly #exit: Promise<number | null>;
  #errors = '';

  constructor(command: readonly string[], options: { readonly stdio?: StdioOptions; readonly cpu?: number } = {}) {
    const pinned = options.cpu === undefined ? [] : ['taskset', '-c', String(options.cpu)];
    this.#name = command[0];
    this.process = spawn('setpriv', ['--pdeathsig', 'TERM', ...pinned, ...command], {
      stdio: options.stdio ?? ['ignore', 'pipe', 'pipe'],
    });
    this.process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#errors = (this.#errors + text).slice(-8192);
    });
    this.#exit = new Promise((resolve, reject) => {
      this.process.once('error', reject);
      this.process.once('close', (code) => resolve(code));
    });
    // Whoever waits for the end gets the error; nobody has to.
    this.#exit.catch(() => undefined);
  }

  get pid(): number {
    if (this.process.pid === undefined) throw new Error(`${this.#name} was not started`);
    return this.process.pid;
  }

  /** The end of what it wrote to its standard error. */
  get errors(): string {
    return this.#errors;
  }

  get running(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  /** Its exit code (null after a signal). Rejects, and ends it, after `limitMs`. */
  async end(limitMs: number): Promise<number | null> {
    const late = new AbortController();
    const result = await Promise.race([
      this.#exit,
      delay(limitMs, 'late' as const, { signal: late.signal }).catch(() => 'late' as const),
    ]);
    late.abort();
    if (result !== 'late') return result;
    this.process.kill('SIGKILL');
    throw new Error(`${this.#name} did not end within ${limitMs / 1000} s`);
  }

  /** All that it writes to its standard output until it ends. */
  async output(limitMs: number): Promise<string> {
    const chunks: Buffer[] = [];
    this.process.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
    const code = await this.end(limitMs);
    const text = Buffer.concat(chunks).toString();
    if (code !== 0) throw new Error(`${this.#name} ended with ${code}: ${this.#errors}${text}`);
    return text;
  }

  /** Resolves with the first match of `pattern` in a stream of it; rejects when it ends or is late. */
  async says(stream: 'stdout' | 'stderr', pattern: RegExp, limitMs: number): Promise<RegExpExecArray> {
    const source = this.process[stream];
    if (source === null) throw new Error(`${this.#name}: ${stream} is not read`);
    source.setEncoding('utf8');
    let text = '';
    const timeout = AbortSignal.timeout(limitMs);
    const found = new Promise<RegExpExecArray>((resolve) => {
      const read = (chunk: string): void => {
        text += chunk;
        const match = pattern.exec(text);
        if (match === null) return;
        source.off('data', read).resume();
        resolve(match);
      };
      source.on('data', read);
    });
    const ended = this.#exit.then((code) => {
      throw new Error(`${this.#name} ended with ${code} before it said ${pattern}: ${text}`);
    });
    const late = once(timeout, 'abort').then(() => {
      throw new Error(`${this.#name} did not say ${pattern} within ${limitMs / 1000} s: ${text}`);
    });
    ended.catch(() => undefined);
    late.catch(() => undefined);
    return Promise.race([found, ended, late]);
  }

  async stop(limitMs = 15_000): Promise<void> {
    if (!this.running) return;
    this.process.kill('SIGTERM');
    await this.end(limitMs);
  }
}
