import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createLiveView } from '../../../../src/cli/view/live-view.ts';
import type { LiveViewOptions } from '../../../../src/cli/view/live-view.ts';
import type { ExchangeFollower } from '../../../../src/cli/view/source.ts';
import type { ExchangeSubject } from '../../../../src/control/exchange-subject.ts';
import type { Terminal } from '../../../../src/cli/view/terminal.ts';
import { exchangeLine } from '../exchange-line.fixture.ts';
import { report, route, service } from './reports.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const COST = { kernel_ns: 0, cpu_ratio: 0.01, rss_bytes: 70e6, map_bytes: null };

/** A view of a probe whose windows are a second long. */
function show(inPlace: boolean, options: Partial<LiveViewOptions> = {}) {
  const screens: string[][] = [];
  const followed: { query: ExchangeSubject; follower: ExchangeFollower; stopped: boolean }[] = [];
  let onKey: (key: string) => void = () => {};
  let onResize = (): void => {};
  const state = {
    exchanges: 0,
    columns: 140,
    broken: undefined as string | undefined,
    closed: undefined as readonly string[] | undefined,
    ends: 0,
  };
  const terminal: Terminal = {
    inPlace,
    colour: false,
    keys: inPlace,
    size: () => ({ columns: state.columns, rows: inPlace ? 24 : Number.POSITIVE_INFINITY }),
    show: (lines) => void screens.push([...lines]),
    listen(key, resize) {
      onKey = key;
      onResize = resize;
    },
    close: (lines) => {
      state.closed = lines;
    },
  };
  const began = Date.now();
  const view = createLiveView({
    terminal,
    source: {
      name: 'sonde on a host',
      remark: 'http://127.0.0.1:9500/metrics',
      read() {
        if (state.broken !== undefined) return Promise.reject(new Error(state.broken));
        const passed = Math.floor((Date.now() - began) / 1000) * 1000;
        const { exchanges } = state;
        const services = exchanges === 0 ? [] : [service('shop', exchanges, { routes: [route('GET /a', exchanges)] })];
        return Promise.resolve({
          services: report(passed === 0 ? null : passed, services),
          status: { uptime_s: 61, loss: [], cost: COST },
        });
      },
      follow(query, follower) {
        const one = { query, follower, stopped: false };
        followed.push(one);
        return () => {
          one.stopped = true;
        };
      },
      close() {},
    },
    plain: 'repeated',
    notes: () => ['a line of the log'],
    idle: ['curl http://127.0.0.1:8000/'],
    onEnd: () => {
      state.ends += 1;
    },
    ...options,
  });
  return {
    view,
    screens,
    state,
    followed,
    press: (...keys: string[]) => keys.forEach((key) => onKey(key)),
    resize: () => onResize(),
    last: () => screens.at(-1)?.join('\n') ?? '',
  };
}

const shopLine = (lines: readonly string[] | undefined) => lines?.find((line) => line.includes('shop server http'));

test('on a terminal it is refreshed each second, with rates of the last seconds', async () => {
  const { view, screens, state } = show(true);
  view.start();
  await vi.advanceTimersByTimeAsync(0);
  expect(screens).toHaveLength(1);
  expect(screens[0]?.join('\n')).toContain('curl http://127.0.0.1:8000/');
  expect(screens[0]?.join('\n')).toContain('a line of the log');
  expect(screens[0]?.[0]).toContain('sonde on a host, 1 min 1 s   http://127.0.0.1:9500/metrics');
  for (let second = 1; second <= 10; second++) {
    state.exchanges = second * 20;
    await vi.advanceTimersByTimeAsync(1000);
  }
  expect(screens).toHaveLength(11);
  expect(shopLine(screens.at(-1))).toMatch(/ 20\.0 .* 200$/);
  state.exchanges = 1200;
  await vi.advanceTimersByTimeAsync(1000);
  // 1000 + 4 × 20 exchanges in the last five seconds.
  expect(shopLine(screens.at(-1))).toMatch(/ 216 .* 1200$/);
  await view.stop();
  expect(shopLine(state.closed)).toMatch(/1200$/);
  expect(state.closed?.join('\n')).not.toContain('q ends');
  await vi.advanceTimersByTimeAsync(5000);
  expect(screens).toHaveLength(12);
});

test('elsewhere it is a table every five seconds', async () => {
  const { view, screens, state } = show(false);
  view.start();
  state.exchanges = 50;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(screens).toHaveLength(2);
  expect(shopLine(screens[0])).toMatch(/ 10\.0 .* 50$/);
  expect(screens[0]?.join('\n')).not.toContain('a line of the log');
  await view.stop();
});

test('or one table and the end, once there are some seconds to tell of', async () => {
  const { view, screens, state } = show(false, { plain: 'once' });
  let done = false;
  const watch = async (): Promise<void> => {
    await view.done;
    done = true;
  };
  void watch();
  view.start();
  state.exchanges = 50;
  await vi.advanceTimersByTimeAsync(2000);
  expect({ done, screens }).toEqual({ done: false, screens: [] });
  await vi.advanceTimersByTimeAsync(10_000);
  expect(done).toBe(true);
  expect(screens).toHaveLength(1);
  view.abandon();
  expect(state.closed).toEqual([]);
});

test('keys and a new size are shown at once', async () => {
  const { view, screens, state, press, resize, last } = show(true);
  state.exchanges = 5;
  view.start();
  await vi.advanceTimersByTimeAsync(2000);
  const before = screens.length;
  press('down');
  expect(last()).toContain('>   GET /a');
  state.columns = 60;
  resize();
  expect(Math.max(...(screens.at(-1) ?? []).map((line) => line.length))).toBeLessThanOrEqual(60);
  expect(screens).toHaveLength(before + 2);
  press('q', 'interrupt');
  expect(state.ends).toBe(2);
  view.abandon();
});

test('a probe that goes is told of, what was known stays, and it may come again', async () => {
  const { view, state, last } = show(true);
  state.exchanges = 5;
  view.start();
  await vi.advanceTimersByTimeAsync(2000);
  state.broken = 'no probe answers';
  await vi.advanceTimersByTimeAsync(1000);
  expect(last()).toContain('no probe answers');
  expect(last()).toContain('shop server http');
  state.broken = undefined;
  await vi.advanceTimersByTimeAsync(1000);
  expect(last()).not.toContain('no probe answers');
  view.abandon();
});

test('exchanges are followed where they are shown, and not any longer', async () => {
  const { view, state, press, followed, last } = show(true);
  state.exchanges = 5;
  view.start();
  await vi.advanceTimersByTimeAsync(2000);
  press('down', 'enter');
  expect(followed.map(({ query }) => query)).toEqual([
    { service: 'shop', role: 'server', protocol: 'http', route: 'GET /a' },
  ]);
  followed[0]?.follower.onExchange(exchangeLine({ resource: '/first' }));
  followed[0]?.follower.onExchange(exchangeLine({ resource: '/second', conn: '2' }));
  await vi.advanceTimersByTimeAsync(1000);
  expect(last()).toMatch(/\/second[\s\S]*\/first/);
  press('enter');
  expect(followed).toHaveLength(1);
  expect(followed[0]?.stopped).toBe(false);
  press('escape');
  followed[0]?.follower.onEnd('it has ended');
  await vi.advanceTimersByTimeAsync(1000);
  expect(last()).toContain('it has ended');
  press('escape');
  expect(followed[0]?.stopped).toBe(true);
  view.abandon();
});

test('held, it shows what was there', async () => {
  const { view, state, press, last } = show(true);
  state.exchanges = 5;
  view.start();
  await vi.advanceTimersByTimeAsync(2000);
  press(' ');
  const held = last();
  state.exchanges = 900;
  await vi.advanceTimersByTimeAsync(3000);
  expect(last()).toBe(held);
  expect(held).toContain('PAUSED');
  view.abandon();
});

test('the terminal is given back once, however often it is asked for', async () => {
  const { view, state } = show(true);
  view.start();
  await vi.advanceTimersByTimeAsync(1000);
  view.abandon();
  state.closed = undefined;
  view.abandon();
  await view.stop();
  expect(state.closed).toBeUndefined();
});
