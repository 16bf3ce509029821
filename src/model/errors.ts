/**
 * Every error that a person can cause or mend: its code, the exit code (docs/errors.md), what is wrong and what to
 * do. `docs/errors` and the command line read this table; nothing else holds these texts.
 */
export interface ErrorKindText {
  /** Exit code of the program: 2 usage or configuration, 3 environment, 4 port or file taken, 5 internal. */
  readonly exitCode: 2 | 3 | 4 | 5;
  /** What is wrong, one clause. */
  readonly text: string;
  /** What to do about it, one sentence in the imperative. */
  readonly remedy: string;
}

export const ERRORS = {
  SONDE_USAGE: {
    exitCode: 2,
    text: 'the command line is not understood',
    remedy: 'See `sonde --help`.',
  },
  SONDE_CONFIGURATION: {
    exitCode: 2,
    text: 'the configuration is not valid',
    remedy: 'Correct what is named above; `sonde config check` tells when it is right.',
  },
  SONDE_NOT_IN_BUILD: {
    exitCode: 2,
    text: 'this is not in this build yet',
    remedy: '`sonde --help` lists what is.',
  },
  SONDE_FORMAT: {
    exitCode: 2,
    text: 'the input is of no known format',
    remedy: 'Give a recording (.sonde), or segment lines (.ndjson), one JSON object a line.',
  },
  SONDE_FILE_MISSING: {
    exitCode: 2,
    text: 'a file cannot be read',
    remedy: 'Give the path of a file that exists and that you may read.',
  },
  SONDE_NOT_BUILT: {
    exitCode: 3,
    text: 'the program is not built',
    remedy: 'Run `npm run setup` in the checkout.',
  },
  SONDE_NODE_TOO_OLD: {
    exitCode: 3,
    text: 'this Node.js is too old',
    remedy: 'Install Node.js 20.19 or later.',
  },
  SONDE_ADDON_MISSING: {
    exitCode: 3,
    text: 'the native addon or the BPF object is not built',
    remedy: 'Run `npm run setup` in the checkout (it needs clang, bpftool, libbpf-dev, cmake and g++).',
  },
  SONDE_NOT_ROOT: {
    exitCode: 3,
    text: 'capturing needs root, or the capabilities CAP_BPF and CAP_PERFMON',
    remedy: 'Run it with sudo, or give the container these capabilities; `sonde replay` needs neither.',
  },
  SONDE_NO_BTF: {
    exitCode: 3,
    text: 'this kernel offers no type information (BTF) at /sys/kernel/btf/vmlinux',
    remedy: 'Use a kernel built with CONFIG_DEBUG_INFO_BTF=y, as those of Debian, Ubuntu, Fedora and Alpine (lts) are.',
  },
  SONDE_OLD_KERNEL: {
    exitCode: 3,
    text: 'this kernel is too old',
    remedy:
      'Use Linux 6.3 or later, which has the tracepoints sock_send_length and sock_recv_length; or 6.1 with fexit (CONFIG_FUNCTION_TRACER).',
  },
  SONDE_NOT_LINUX: {
    exitCode: 3,
    text: 'only Linux can be observed',
    remedy: 'Run it on Linux; `sonde replay` and `sonde config` work anywhere.',
  },
  SONDE_KERNEL_REFUSED: {
    exitCode: 3,
    text: 'the kernel refused the BPF programs',
    remedy: 'Run `sonde doctor` to see which, and why.',
  },
  SONDE_NO_LOOPBACK: {
    exitCode: 3,
    text: 'no request can be made over loopback',
    remedy: 'Bring it up in this network namespace: `ip link set lo up`.',
  },
  SONDE_NO_PROBE: {
    exitCode: 3,
    text: 'no probe answers there',
    remedy: 'Start one with `sudo sonde run`, or give the address of another one with --url.',
  },
  SONDE_PORT_TAKEN: {
    exitCode: 4,
    text: 'the address is already in use',
    remedy: 'Stop what listens there, or set another address (port 0 takes any free one).',
  },
  SONDE_PORT_REFUSED: {
    exitCode: 4,
    text: 'the address cannot be listened on',
    remedy: 'Set an address of this host, and a port from 1024 on unless you are root.',
  },
  SONDE_FILE_TAKEN: {
    exitCode: 4,
    text: 'a file is taken or cannot be written',
    remedy: 'Give another path, or make this one writable.',
  },
  SONDE_INTERNAL: {
    exitCode: 5,
    text: 'something went wrong inside Sonde',
    remedy: 'Please report it with the lines above.',
  },
} as const satisfies Record<string, ErrorKindText>;

export type ErrorCode = keyof typeof ERRORS;

export interface SondeErrorOptions {
  /** What exactly is wrong, in place of the table's text. */
  readonly detail?: string;
  /** What to do, in place of the table's remedy. */
  readonly remedy?: string;
  readonly cause?: unknown;
}

/** An error that a person can cause or mend. Its message is one line: what is wrong, then what to do. */
export class SondeError extends Error {
  readonly code: ErrorCode;
  readonly exitCode: number;
  readonly text: string;
  readonly remedy: string;

  constructor(code: ErrorCode, options: SondeErrorOptions = {}) {
    const entry = ERRORS[code];
    const text = options.detail ?? entry.text;
    const remedy = options.remedy ?? entry.remedy;
    super(`${text}. ${remedy}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'SondeError';
    this.code = code;
    this.exitCode = entry.exitCode;
    this.text = text;
    this.remedy = remedy;
  }
}
