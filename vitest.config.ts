import { defineConfig } from 'vitest/config';

/**
 * Four projects: `unit` and `fuzz` run anywhere and in parallel; `kernel` and `e2e` load programs into the kernel, start
 * servers and measure, so they run one file at a time. Files called `*.kernel.test.ts` and all of test/kernel
 * need a kernel that accepts BPF: scripts/test leaves them out, and says so, where it does not.
 */
const withoutKernel = process.env['SONDE_TEST_WITHOUT_KERNEL'] === '1';

export default defineConfig({
  test: {
    pool: 'forks',
    passWithNoTests: true,
    exclude: withoutKernel ? ['test/kernel/**', '**/*.kernel.test.ts'] : [],
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 20_000 },
      },
      {
        extends: true,
        test: { name: 'fuzz', include: ['test/fuzz/**/*.test.ts'] },
      },
      {
        extends: true,
        test: {
          name: 'kernel',
          include: ['test/kernel/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      exclude: ['**/*.gen.ts'],
      reporter: ['text-summary', 'html'],
    },
  },
});
