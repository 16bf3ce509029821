// How fast a recording is replayed: node bench/replay-speed.mjs FILE decoded|ndjson [PASSES], prints one line of JSON for
// each pass. The first one has compiling in it, as a short recording has.
// `decoded`: read, decompressed, and paired to exchanges; `ndjson`: as `sonde replay FILE` does it, to /dev/null.
import { createReadStream, createWriteStream } from 'node:fs';
import { once } from 'node:events';

const load = (name) => import(new URL(`../dist/${name}`, import.meta.url).href);
const [file, mode, passes = '1'] = process.argv.slice(2);
const { openRecording } = await load('recording/reader.js');
const { createRecordingReceiver } = await load('receiver/replay/recording-receiver.js');
const { createAnalysis } = await load('pipeline/analysis.js');
const { createRecordingPipeline } = await load('pipeline/recording-pipeline.js');
const { loadConfiguration } = await load('config/load.js');
const { LabelSets } = await load('model/label-sets.js');
const { OrderedExchanges } = await load('cli/replay/ordered-exchanges.js');

const damaged = ({ reason }) => {
  throw new Error(reason);
};
const loaded = loadConfiguration({ file: undefined, environment: { SONDE_CONFIG: '/dev/null' } });
for (let pass = 0; pass < Number(passes); pass++) {
  const cpu = process.cpuUsage();
  const start = performance.now();
  const recording = await openRecording(createReadStream(file, { highWaterMark: 256 << 10 }), damaged);
  const exchanges = await (mode === 'decoded' ? decode : print)(recording);
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  process.stdout.write(`${JSON.stringify({ exchanges, seconds, cpuSeconds: (user + system) / 1e6 })}\n`);
}

async function decode(recording) {
  let count = 0;
  const analysis = createAnalysis({
    configuration: loaded.configuration,
    labels: new LabelSets({ maxSets: 1 << 19 }),
    policy: { set() {} },
    tickNs: () => receiver.tickNs(),
    next: { consume: () => void count++ },
  });
  const receiver = createRecordingReceiver({ header: recording.header, next: analysis.events });
  await receiver.read(recording, damaged);
  receiver.finish();
  return count;
}

async function print(recording) {
  let count = 0;
  const ordered = new OrderedExchanges({});
  const onExchange = (line) => ordered.add(line);
  const { receiver } = createRecordingPipeline({ loaded, header: recording.header, onExchange });
  await receiver.read(recording, damaged);
  receiver.finish();
  const output = createWriteStream('/dev/null');
  let piece = '';
  for (const line of ordered.lines()) {
    count++;
    piece += `${line}\n`;
    if (piece.length < 65_536) continue;
    if (!output.write(piece)) await once(output, 'drain');
    piece = '';
  }
  output.end(piece);
  await once(output, 'finish');
  ordered.close();
  return count;
}
