// Run by bin/sonde: prints the size of the old space, in MiB, that limits.memory leaves room for. What is wrong with
// the configuration is told by the program itself.
import { existsSync } from 'node:fs';
import { loadConfiguration } from '../config/load.ts';
import { heapLimitMiB } from './memory.ts';

const file = process.argv[2];
const { configuration } = loadConfiguration({
  file: file !== undefined && existsSync(file) ? file : undefined,
  // oxlint-disable-next-line node/no-process-env -- an entry of its own
  environment: process.env,
});
process.stdout.write(`${heapLimitMiB(configuration.limits.memory)}\n`);
