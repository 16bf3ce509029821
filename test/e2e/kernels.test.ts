import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const SCRIPT = fileURLToPath(new URL('../../scripts/kernels', import.meta.url));

/** What scripts/kernels ends with where QEMU, a package or a compiler is missing. */
const NOT_TO_BE_HAD = 3;
/** The script ends QEMU after this time; the rest is for the download and the build. */
const GUEST_SECONDS = 600;
const TEST_MS = (GUEST_SECONDS + 300) * 1000;

test(
  'Linux 6.1, which lacks the tracepoints: all traffic is seen exactly, and the law holds',
  async ({ skip }) => {
    skip(process.env['SONDE_TEST_KERNELS'] !== '1', 'takes minutes: .ci/run sets SONDE_TEST_KERNELS=1');
    const child = spawn(SCRIPT, ['6.1'], {
      env: { ...process.env, SONDE_KERNELS_TIMEOUT: String(GUEST_SECONDS) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const closed = once(child, 'close') as Promise<[number | null]>;
    const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
    skip(code === NOT_TO_BE_HAD, stderr.trim().split('\n').at(-1));
    expect(code, `${stdout}${stderr}`).toBe(0);
    expect(stdout).toMatch(/^\| feature: messages +\| on \[1\] +\|$/m);
    expect(stdout).toContain('1. by fexit of tcp_sendmsg, tcp_sendpage, tcp_recvmsg, ');
    expect(stdout).toMatch(/^\| seen exactly: sendfile +\| yes +\|$/m);
    expect(stdout).toMatch(/^\| law: hook +\| yes +\|$/m);
  },
  TEST_MS,
);
