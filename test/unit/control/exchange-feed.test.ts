import { PassThrough, Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createExchangeFeed } from '../../../src/control/exchange-feed.ts';
import { parseFilter } from '../../../src/control/exchange-filter.ts';
import { exchangeLine } from '../cli/exchange-line.fixture.ts';
import { exchange } from '../processor/exchange-fixture.ts';

const group = exchange({});
const labelsOf = () => ({});

/** A reader that takes nothing until it is told to. */
function slowOutput() {
  const taken: string[] = [];
  let release: (() => void) | undefined;
  let open = false;
  const output = new Writable({
    decodeStrings: false,
    highWaterMark: 1,
    write(text: string, _, done) {
      taken.push(text);
      if (open) done();
      else release = done;
    },
  });
  return {
    output,
    lines: () =>
      taken
        .join('')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as { lost?: number }),
    read() {
      open = true;
      release?.();
    },
  };
}

test('nothing is rendered while nobody follows', () => {
  let rendered = 0;
  const feed = createExchangeFeed({
    labelsOf,
    toLine: () => {
      rendered += 1;
      return exchangeLine();
    },
  });
  feed.consume(group);
  expect(rendered).toBe(0);
});

test('a follower of one service gets its exchanges only', async () => {
  let service = 'shop';
  const feed = createExchangeFeed({
    toLine: () => exchangeLine({ comm: service }),
    labelsOf: () => ({ service_name: service }),
  });
  const output = new PassThrough();
  feed.follow(output, { subject: { service: 'shop', role: 'server' }, filter: parseFilter('comm!=nobody') });
  for (service of ['shop', 'bank', 'shop']) feed.consume(group);
  feed.stop();
  expect((await output.toArray()).join('').match(/"comm":"\w+"/g)).toEqual(['"comm":"shop"', '"comm":"shop"']);
});

test('each follower gets what its filter lets pass, and ends at its limit', async () => {
  let status = '200';
  const feed = createExchangeFeed({ labelsOf, toLine: () => exchangeLine({ status }) });
  const all = new PassThrough();
  const failed = new PassThrough();
  feed.follow(all, { limit: 3 });
  feed.follow(failed, { filter: parseFilter('status>=500') });
  for (status of ['200', '503', '200', '500']) feed.consume(group);
  feed.stop();
  const read = async (stream: PassThrough) =>
    (await stream.toArray())
      .join('')
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { status: string }).status);
  expect(await read(all)).toEqual(['200', '503', '200']);
  expect(await read(failed)).toEqual(['503', '500']);
});

test('a slow follower loses lines, every one is counted in the stream, and nobody else is held up', async () => {
  const feed = createExchangeFeed({ labelsOf, toLine: () => exchangeLine(), maxQueued: 4000, maxPerSecond: 1e9 });
  const slow = slowOutput();
  const quick = slowOutput();
  quick.read();
  feed.follow(slow.output, {});
  feed.follow(quick.output, {});
  for (let i = 0; i < 500; i++) {
    feed.consume(group);
    await turn();
  }
  expect(quick.lines()).toHaveLength(500);
  slow.read();
  await expect.poll(() => slow.lines().some(({ lost }) => lost !== undefined)).toBe(true);
  feed.consume(group);
  await expect.poll(() => slow.lines().reduce((sum, { lost }) => sum + (lost ?? 1), 0)).toBe(501);
  expect(slow.lines().filter(({ lost }) => lost === undefined).length).toBeLessThan(30);
});

test('more than may be shown in a second is counted as lost too', async () => {
  let now = 0;
  const feed = createExchangeFeed({ labelsOf, toLine: () => exchangeLine(), maxPerSecond: 100, now: () => now });
  const output = slowOutput();
  output.read();
  feed.follow(output.output, {});
  for (let i = 0; i < 35; i++) feed.consume(group);
  await expect.poll(() => output.lines()).toHaveLength(11);
  expect(output.lines().at(-1)).toEqual({ lost: 25 });
  now = 100;
  feed.consume(group);
  await expect.poll(() => output.lines()).toHaveLength(12);
});

test('a follower that has gone makes room', async () => {
  const feed = createExchangeFeed({ labelsOf, toLine: () => exchangeLine(), maxFollowers: 1 });
  const output = new PassThrough();
  feed.follow(output, {});
  expect(feed.isFull()).toBe(true);
  output.destroy();
  await expect.poll(() => feed.isFull()).toBe(false);
});

test('one that reads nothing for long is let go', async () => {
  const feed = createExchangeFeed({ labelsOf, toLine: () => exchangeLine(), stallMs: 20 });
  const { output } = slowOutput();
  feed.follow(output, {});
  feed.consume(group);
  await expect.poll(() => output.destroyed).toBe(true);
});

test('so is one that does not take the end of its stream, and its place is free', async () => {
  const feed = createExchangeFeed({ labelsOf, toLine: () => exchangeLine(), stallMs: 20, maxFollowers: 1 });
  const output = new Writable({ highWaterMark: 1 << 20, write: () => undefined });
  feed.follow(output, { limit: 1 });
  feed.consume(group);
  await expect.poll(() => output.destroyed, { timeout: 10_000 }).toBe(true);
  expect(feed.isFull()).toBe(false);
});

test('a place is free after a stall even if the output never says that it is over', async () => {
  const feed = createExchangeFeed({ labelsOf, toLine: () => exchangeLine(), stallMs: 20, maxFollowers: 1 });
  const output = new Writable({ highWaterMark: 1, emitClose: false, write: () => undefined });
  feed.follow(output, {});
  feed.consume(group);
  await expect.poll(() => feed.isFull(), { timeout: 10_000 }).toBe(false);
});
