import { setTimeout as delay } from 'node:timers/promises';
import { loadConfiguration } from '../../config/load.ts';
import { createReplayPipeline } from '../../pipeline/replay-pipeline.ts';
import type { Environment } from '../environment.ts';
import { createOutput } from '../output.ts';
import { parseFilter } from '../../control/exchange-filter.ts';
import { openInputs } from '../replay/input.ts';
import { OrderedExchanges } from '../replay/ordered-exchanges.ts';
import { tableLines } from '../replay/table.ts';
import { parseMoment } from '../replay/time.ts';
import { safeText } from '../view/text.ts';

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

/** Bad lines beyond these are only counted. */
const BAD_LINES_NAMED = 100;

/** `sonde replay`: 0, or 1 if some of the input could not be used. @throws SondeError */
export async function replay(options: ReplayOptions): Promise<number> {
  const { configuration } = loadConfiguration({ file: options.configFile, environment: options.environment });
  const { filter, from, to, speed } = options;
  const exchanges = new OrderedExchanges({
    ...(filter === undefined ? {} : { filter: parseFilter(filter) }),
    ...(from === undefined ? {} : { from: parseMoment(from, '--from') }),
    ...(to === undefined ? {} : { to: parseMoment(to, '--to') }),
  });
  const inputs = await openInputs(options.files, process.stdin);
  let badLines = 0;
  const pipeline = createReplayPipeline({
    configuration,
    onExchange: (line) => exchanges.add(line),
    onBadLine: ({ source, line, reason }) => {
      badLines += 1;
      if (badLines <= BAD_LINES_NAMED) {
        process.stderr.write(`sonde: ${safeText(`${source}:${line}: ${reason}`)}\n`);
      }
    },
    ...(speed === undefined ? {} : { pace: pacedBy(speed) }),
  });
  try {
    for (const input of inputs) {
      await pipeline.receiver.read(input.bytes(), input.name);
    }
  } finally {
    await Promise.all(inputs.map((input) => input.close()));
  }
  pipeline.receiver.finish();

  const output = createOutput(process.stdout);
  for (const line of options.format === 'table' ? tableLines(exchanges.lines()) : jsonLines(exchanges)) {
    if (output.closed) {
      break;
    }
    await output.write(`${line}\n`);
  }
  await output.end();
  if (badLines > BAD_LINES_NAMED) {
    process.stderr.write(`sonde: and ${badLines - BAD_LINES_NAMED} more bad lines\n`);
  }
  const { evicted } = pipeline.receiver.statistics;
  if (evicted > 0) {
    process.stderr.write(
      `sonde: ${evicted} connections were given up, because more were open at once than analyzers.network.max_connections (${configuration.analyzers.network.max_connections}) allows; what was open on them is marked incomplete\n`,
    );
  }
  return badLines + evicted > 0 ? 1 : 0;
}

function* jsonLines(exchanges: OrderedExchanges): Generator<string> {
  for (const line of exchanges.lines()) {
    yield JSON.stringify(line);
  }
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
