import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { cpuNsOf, cpuOf, memoryOf, parseMachineCpu, parseStat, processTree } from '../../../bench/process-cost.ts';

describe('parseStat', () => {
  it('reads behind a name that holds spaces and brackets', () => {
    const line = '42 (a) b (c)) S 7 42 42 0 -1 4194304 100 0 0 0 150 250 350 450 20 0 1 0 12345';
    expect(parseStat(line)).toEqual({ parent: 7, user: 1.5, system: 2.5, childrenUser: 3.5, childrenSystem: 4.5 });
  });
});

describe('parseMachineCpu', () => {
  it('counts what was worked, and apart from it what was stolen', () => {
    const text = 'cpu  100 200 300 9999 8888 10 20 70 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n';
    expect(parseMachineCpu(text)).toEqual({ busy: 6.3, steal: 0.7 });
  });
});

describe('a process and its descendants', () => {
  it('are found, and their CPU and memory are added up', async () => {
    const burn = 'const end = Date.now() + 300; while (Date.now() < end); console.log("burnt"); process.stdin.resume()';
    const start = `require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(burn)}], { stdio: "inherit" })`;
    const parent = spawn(process.execPath, ['-e', start], { stdio: ['pipe', 'pipe', 'inherit'] });
    try {
      await once(parent.stdout, 'data');
      const pid = parent.pid ?? 0;
      const [first, child, ...others] = processTree(pid);
      expect(first).toBe(pid);
      expect(child).toBeGreaterThan(0);
      expect(others).toEqual([]);
      expect(memoryOf(pid).resident).toBeGreaterThan(memoryOf(child).resident + 10 * 2 ** 20);
      const { user, system } = cpuOf(pid);
      expect(user + system).toBeGreaterThan(0.05);
      expect(cpuNsOf(pid)).toBeGreaterThan(50e6);
    } finally {
      const ended = once(parent, 'close');
      parent.stdin.end();
      await ended;
    }
  });
});
