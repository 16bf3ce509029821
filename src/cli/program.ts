import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { parseSize } from '../config/units.ts';
import { SondeError } from '../model/errors.ts';
import type { Environment } from './environment.ts';
import { reportError } from './report-error.ts';
import { FILTER_HELP } from '../control/exchange-filter.ts';
import { recordOptions, recordSettings } from './record/settings.ts';
import type { RecordFlags } from './record/settings.ts';
import { programVersion } from './version.ts';

interface RunFlags extends RecordFlags {
  readonly config?: string;
  readonly for?: number;
  readonly view?: boolean;
  readonly demo?: boolean;
  readonly record?: string;
}

interface RecordCommandFlags extends RecordFlags {
  readonly config?: string;
  readonly for?: number;
  readonly payload?: number;
}

/** Runs the program with its arguments; resolves to the exit code (docs/errors.md). */
export async function runProgram(args: readonly string[], environment: Environment): Promise<number> {
  let exitCode = 0;
  const program = createProgram(environment, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) {
      return error.exitCode === 0 ? 0 : 2;
    }
    return reportError(error, (text) => process.stderr.write(text));
  }
}

/** The command line. Each action loads its command only when it is asked for, and reports its exit code. */
function createProgram(environment: Environment, done: (exitCode: number) => void): Command {
  const program = new Command('sonde')
    .description(
      'Sees which requests the services of this host serve and make, through the kernel, without touching them.',
    )
    .version(programVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'explain the program or a command')
    .helpCommand('help [command]', 'explain a command')
    .exitOverride()
    .configureOutput({
      writeOut(text) {
        // Help and version may be read by `head`.
        process.stdout.once('error', () => undefined);
        process.stdout.write(text);
      },
      writeErr: (text) => process.stderr.write(text.replace(/^error: /, 'sonde: ')),
    })
    .showHelpAfterError('See `sonde --help`.')
    .addHelpText(
      'after',
      `
Examples:
  sudo sonde run --view            watch this host, live, in the terminal
  sonde top                        the same of a probe that runs already
  sudo sonde run --for 60          watch for a minute, then say what was counted
  sudo sonde record traffic.sonde  write what is seen to a file
  sonde replay traffic.sonde       the exchanges in it, no privileges needed
  sonde doctor                     what works here, and what to do about the rest
  sonde config check --config FILE whether a configuration is right

Exit codes: 0 ok; 1 done, but some of the input was bad; 2 usage or configuration; 3 environment (root, BTF, kernel);
4 a port or file is taken; 5 internal.`,
    );

  const run = program
    .command('run')
    .description('watch this host and offer metrics')
    .addOption(configOption())
    .option('--for <seconds>', 'end after so many seconds and say what was counted', seconds)
    .option('--view', 'show services and routes live on standard output')
    .option('--demo', 'run a small service and client too, so that there is something to see')
    .option('--record <file>', 'write what is seen to a recording too; the options below are about it');
  for (const option of recordOptions()) {
    run.addOption(option);
  }
  run
    .addHelpText(
      'after',
      `
Needs root, or CAP_BPF and CAP_PERFMON. When it is ready, one line on standard error says so:
  sonde ready metrics=http://HOST:PORT/metrics control=http://HOST:PORT features=N/M

Examples:
  sudo sonde run
  sudo sonde run --view --demo
  sudo sonde run --record traffic.sonde --max-size 100MiB --max-files 10
  sudo SONDE_EXPORTERS_PROMETHEUS_LISTEN=127.0.0.1:0 sonde run --for 10`,
    )
    .action(async (options: RunFlags) => {
      const { run: runCommand } = await import('./commands/run.ts');
      done(
        await runCommand({
          configFile: options.config,
          forSeconds: options.for,
          view: options.view === true,
          demo: options.demo === true,
          record: options.record === undefined ? undefined : recordSettings(options.record, options),
          environment,
        }),
      );
    });

  const record = program
    .command('record')
    .description('write what is seen to a recording, to be replayed anywhere')
    .argument('<file>', 'where to write; an existing file is never written over')
    .option('--for <seconds>', 'end after so many seconds', seconds)
    .option('--payload <bytes>', 'at most so many bytes of each call (default: capture.payload_bytes)', payloadBytes)
    .addOption(configOption());
  for (const option of recordOptions()) {
    record.addOption(option);
  }
  record
    .addHelpText(
      'after',
      `
Needs what \`sonde run\` needs, and writes nothing but the file, which only its owner may read. \`sonde replay\` makes
the same exchanges of it that a live run makes. What is kept when bodies are masked: docs/recording.md.

Examples:
  sudo sonde record traffic.sonde --for 60
  sudo sonde record traffic.sonde --redact --max-size 100MiB --max-files 10`,
    )
    .action(async (file: string, options: RecordCommandFlags) => {
      const { record: recordCommand } = await import('./commands/record.ts');
      done(
        await recordCommand({
          settings: recordSettings(file, options),
          forSeconds: options.for,
          payloadBytes: options.payload,
          configFile: options.config,
          environment,
        }),
      );
    });

  program
    .command('replay')
    .description('print the exchanges in recorded traffic')
    .argument('<file...>', 'recordings (.sonde) or segment lines (.ndjson); - for standard input')
    .addOption(new Option('--format <format>', 'how to print').choices(['ndjson', 'table']).default('ndjson'))
    .option('--from <time>', 'only exchanges that began at or after: ns since the epoch, 2026-01-31T12:00:00Z, or +5s')
    .option('--to <time>', 'only exchanges that began before; written as for --from')
    .option('--filter <expression>', 'only exchanges for which it holds, such as "protocol=http and status>=500"')
    .option('--speed <factor>', 'feed at so many times the original speed (default: as fast as possible)', factor)
    .addOption(configOption())
    .addHelpText(
      'after',
      `
Exchanges are ordered by time, then by connection. Lines that cannot be used, and damaged parts of recordings, are
named on standard error with their place; the rest goes on, and the exit code is 1.

${FILTER_HELP}

Examples:
  sonde replay traffic.sonde --format table
  cat traffic.ndjson | sonde replay - --filter 'status>=500'
  sonde replay a.ndjson b.ndjson --from +10s --to +20s`,
    )
    .action(async (files: string[], options: Record<string, string | number | undefined>) => {
      const { replay } = await import('./commands/replay.ts');
      done(
        await replay({
          files,
          format: options.format as 'ndjson' | 'table',
          from: options.from as string | undefined,
          to: options.to as string | undefined,
          filter: options.filter as string | undefined,
          speed: options.speed as number | undefined,
          configFile: options.config as string | undefined,
          environment,
        }),
      );
    });

  program
    .command('top')
    .description('show services, their routes and peers, live')
    .option('--url <url>', 'control interface of a probe (default: control.listen, which is http://127.0.0.1:9503)')
    .option(
      '--token-file <file>',
      'file with the token that it asks for (default: that of the configuration, for its own address)',
    )
    .addOption(configOption())
    .addHelpText(
      'after',
      `
Attaches to the probe that runs. If none runs, it starts one itself, which needs root. In a pipe it prints one table
and ends. On a terminal: arrows and Enter go into a service, its routes and last exchanges; Esc goes back; Tab shows
peers; / filters; s sorts; ? lists all keys; q ends.

Examples:
  sonde top
  sonde top --url http://10.0.0.7:9503 --token-file /etc/sonde/token
  sonde top | head -20`,
    )
    .action(async (options: { url?: string; tokenFile?: string; config?: string }) => {
      const { top } = await import('./commands/top.ts');
      done(await top({ url: options.url, tokenFile: options.tokenFile, configFile: options.config, environment }));
    });

  program
    .command('doctor')
    .description('say what works on this host, and what to do about the rest')
    .option('--json', 'as JSON')
    .addOption(configOption())
    .addHelpText(
      'after',
      `
Loads and attaches the programs, makes a request of its own and looks whether it is seen. Leaves nothing behind.
Exit codes: 0 everything is on that this build has and the configuration asks for; 1 some of that is off; 3 capture is
impossible.`,
    )
    .action(async (options: { json?: boolean; config?: string }) => {
      const { doctor } = await import('./commands/doctor.ts');
      done(await doctor({ json: options.json === true, configFile: options.config, environment }));
    });

  const configuration = program.command('config').description('check or print the configuration');
  for (const [name, description] of [
    ['check', 'say whether the configuration is right; errors name file, line and column'],
    ['print', 'print what holds, as YAML, and where each value that is no default comes from'],
    ['schema', 'print the JSON schema of the file'],
  ] as const) {
    configuration
      .command(name)
      .description(description)
      .addOption(configOption())
      .action(async (options: { config?: string }) => {
        const { runConfigCommand } = await import('./commands/config.ts');
        done(await runConfigCommand(name, { configFile: options.config, environment }));
      });
  }

  for (const [name, description] of ABSENT) {
    program
      .command(name)
      .description(`${description} (not in this build yet)`)
      .argument('[arguments...]')
      .allowUnknownOption()
      .helpOption(false)
      .action(() => {
        throw new SondeError('SONDE_NOT_IN_BUILD', { detail: `\`sonde ${name}\` is not in this build yet` });
      });
  }
  return program;
}

function configOption(): Option {
  return new Option('-c, --config <file>', 'configuration (default: $SONDE_CONFIG, else /etc/sonde/sonde.yaml)');
}

/** Planned commands that this build lacks. */
const ABSENT = [
  ['profile', 'find out where the time of exchanges goes'],
  ['hub', 'receive and process what the probes of many hosts send'],
  ['workers', 'plan workers for pipelines'],
] as const;

/** What a timer of Node.js can hold. */
const MAX_SECONDS = 2_147_483;

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0 || value > MAX_SECONDS) {
    throw new InvalidArgumentError('Give a number of seconds above 0 (and up to 2147483).');
  }
  return value;
}

/** What capture.payload_bytes can be. */
const PAYLOAD_BYTES = [64, 4096] as const;

function payloadBytes(text: string): number {
  const value = parseSize(text);
  if (value === undefined || value < PAYLOAD_BYTES[0] || value > PAYLOAD_BYTES[1]) {
    throw new InvalidArgumentError(`Give bytes from ${PAYLOAD_BYTES[0]} to ${PAYLOAD_BYTES[1]}.`);
  }
  return value;
}

function factor(text: string): number {
  const value = Number(text.replace(/x$/, ''));
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0 || value > 1_000_000) {
    throw new InvalidArgumentError('Give a factor above 0, such as 1 or 10.');
  }
  return value;
}
