import { setTimeout as delay } from 'node:timers/promises';
import { loadConfiguration } from '../../config/load.ts';
import { parseFilter } from '../../control/exchange-filter.ts';
import type { ExchangeLine } from '../../model/exchange-line.ts';
import { createRecordingPipeline } from '../../pipeline/recording-pipeline.ts';
import { createReplayPipeline } from '../../pipeline/replay-pipeline.ts';
import type { Environment } from '../environment.ts';
import { createOutput } from '../output.ts';
import { createBadInput } from '../replay/bad-input.ts';
import type { BadInput } from '../replay/bad-input.ts';
import { openInputs } from '../replay/input.ts';
import type { ReplayInput } from '../replay/input.ts';
import { OrderedExchanges } from '../replay/ordered-exchanges.ts';
import { openRecordings } from '../replay/recordings.ts';
import { tableLines } from '../replay/table.ts';
import { parseMoment } from '../replay/time.ts';

export interface ReplayOptions {
  readonly files: readonly string[];
  readonly format: 'ndjson' | 'table';
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly filter: string | undefined;
  /** Times the original speed; undefined: as fast as possible. */
  readonly speed: number | undefined;
  readonly configFile: string | undefined;
  readonly environment: Environment;
}

type Loaded = ReturnType<typeof loadConfiguration>;

interface Run {
  readonly loaded: Loaded;
  readonly exchanges: OrderedExchanges;
  readonly bad: BadInput;
  readonly speed: number | undefined;
}

/** Lines are handed to the output in pieces of about so many characters. */
const PIECE_LENGTH = 64 * 1024;

/** `sonde replay`: 0, or 1 if some of the input could not be used. @throws SondeError */
export async function replay(options: ReplayOptions): Promise<number> {
  const loaded = loadConfiguration({ file: options.configFile, environment: options.environment });
  const { filter, from, to, speed } = options;
  const exchanges = new OrderedExchanges({
    ...(filter === undefined ? {} : { filter: parseFilter(filter) }),
    ...(from === undefined ? {} : { from: parseMoment(from, '--from') }),
    ...(to === undefined ? {} : { to: parseMoment(to, '--to') }),
  });
  const bad = createBadInput((text) => process.stderr.write(text));
  const run: Run = { loaded, exchanges, bad, speed };
  try {
    const incomplete = await readAll(options.files, run);
    await print(options.format, exchanges);
    bad.end();
    for (const line of incomplete) {
      process.stderr.write(`sonde: ${line}\n`);
    }
    return bad.count + incomplete.length > 0 ? 1 : 0;
  } finally {
    exchanges.close();
  }
}

/** @returns what makes the result incomplete besides bad input, for people */
async function readAll(files: readonly string[], run: Run): Promise<string[]> {
  const inputs = await openInputs(files, process.stdin);
  try {
    const lines: ReplayInput[] = [];
    const recordings: ReplayInput[] = [];
    for (const input of inputs) {
      ((await input.format()) === 'sonde' ? recordings : lines).push(input);
    }
    return [...(await readRecordings(recordings, run)), ...(await readLines(lines, run))];
  } finally {
    await Promise.all(inputs.map((input) => input.close()));
  }
}

async function readLines(inputs: readonly ReplayInput[], run: Run): Promise<string[]> {
  if (inputs.length === 0) {
    return [];
  }
  const { configuration } = run.loaded;
  const { receiver } = createReplayPipeline({
    configuration,
    onExchange: (line) => run.exchanges.add(line),
    onBadLine: ({ source, line, reason }) => run.bad.report(`${source}:${line}`, reason),
    ...paced(run.speed),
  });
  for (const input of inputs) {
    await receiver.read(input.bytes(), input.name);
  }
  receiver.finish();
  const { evicted } = receiver.statistics;
  return evicted === 0
    ? []
    : [
        `${evicted} connections were given up, because more were open at once than analyzers.network.max_connections (${configuration.analyzers.network.max_connections}) allows; what was open on them is marked incomplete`,
      ];
}

async function readRecordings(inputs: readonly ReplayInput[], run: Run): Promise<string[]> {
  const problems: string[] = [];
  for (const parts of await openRecordings(inputs, run.bad)) {
    const { header } = parts[0].recording;
    const { receiver } = createRecordingPipeline({
      loaded: run.loaded,
      header,
      onExchange: (line) => run.exchanges.add(line),
      ...paced(run.speed),
    });
    for (const part of parts) {
      await receiver.read(part.recording, part.onDamage);
    }
    receiver.finish();
    const { gaps, unknown } = receiver.lost;
    if (gaps > 0) {
      problems.push(
        `${parts[0].name}: ${gaps} records were lost while it was recorded; what they belonged to is marked incomplete`,
      );
    }
    if (unknown > 0) {
      problems.push(`${parts[0].name}: ${unknown} records are of kinds that this version does not know`);
    }
  }
  return problems;
}

async function print(format: 'ndjson' | 'table', exchanges: OrderedExchanges): Promise<void> {
  const output = createOutput(process.stdout);
  const lines = format === 'table' ? tableLines(() => parsed(exchanges)) : exchanges.lines();
  let piece = '';
  for (const line of lines) {
    piece += `${line}\n`;
    if (piece.length < PIECE_LENGTH) {
      continue;
    }
    await output.write(piece);
    piece = '';
    if (output.closed) {
      break;
    }
  }
  await output.write(piece);
  await output.end();
}

function* parsed(exchanges: OrderedExchanges): Generator<ExchangeLine> {
  for (const line of exchanges.lines()) {
    yield JSON.parse(line) as ExchangeLine;
  }
}

function paced(speed: number | undefined): { pace?: (now: number) => Promise<void> } {
  return speed === undefined ? {} : { pace: pacedBy(speed) };
}

/** Waits until as much time has passed as between the events, divided by the speed. */
function pacedBy(speed: number): (now: number) => Promise<void> {
  let start: { readonly at: number; readonly now: number } | undefined;
  return async (now) => {
    start ??= { at: performance.now(), now };
    const wait = (now - start.now) / 1e6 / speed - (performance.now() - start.at);
    if (wait > 0) {
      await delay(wait);
    }
  };
}
