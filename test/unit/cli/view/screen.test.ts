import { describe, expect, test } from 'vitest';
import { compareReports } from '../../../../src/cli/view/model.ts';
import type { Picture } from '../../../../src/cli/view/model.ts';
import { drawScreen } from '../../../../src/cli/view/screen.ts';
import type { Page, Screen } from '../../../../src/cli/view/screen.ts';
import { placeOf, press, START } from '../../../../src/cli/view/state.ts';
import type { Subject, ViewState } from '../../../../src/cli/view/state.ts';
import { fit, formatCompleteness, formatCount, formatQuantile, width } from '../../../../src/cli/view/text.ts';
import type { ServiceSums } from '../../../../src/control/services.ts';
import { exchangeLine } from '../exchange-line.fixture.ts';
import { peer, report, route, service } from './reports.ts';

function picture(services: readonly ServiceSums[]): Picture {
  return compareReports(undefined, report(5000, services));
}

const SHOP = service('shop', 100, { errors: 10, routes: [route('GET /a', 60), route('GET /b', 40, { errors: 10 })] });
const CLIENT = service('shopper', 50, {
  role: 'client',
  routes: [route('GET /a', 50)],
  peers: [peer('10.0.0.1:80', 30), peer('10.0.0.2:80', 20)],
});

const SCREEN: Screen = {
  title: 'sonde on a host with quite a long name, 5 s   http://127.0.0.1:9500/metrics',
  picture: picture([SHOP, CLIENT]),
  state: START,
  exchanges: [],
  stages: [{ stage: 'hook', produced: 1, delivered: 1, in_flight: 0, dropped: { ring_full: 0 }, skipped: {} }],
  cost: { cpuRatio: 0.012, rssBytes: 71e6, kernelRatio: 0.002 },
  problem: undefined,
  notes: [],
  idle: ['make some traffic'],
};
const PAGE: Page = { columns: 80, rows: 24, colour: false, keys: true };

const draw = (screen: Partial<Screen>, page: Partial<Page> = {}): string[] => [
  ...drawScreen({ ...SCREEN, ...screen }, { ...PAGE, ...page }).text,
];
const at = (subject: Subject, more: Partial<ViewState> = {}): ViewState => ({
  ...START,
  places: [...START.places, placeOf(subject)],
  ...more,
});
const many = picture(
  Array.from({ length: 60 }, (_, index) => service(`服务${index}`, 100 - index, { routes: [route('GET /a', 9)] })),
);
const EVIL = '\u001b[2Jb\nc\u009b31m\u202e';

describe('a screen', () => {
  const exchanges = Array.from({ length: 40 }, (_, index) =>
    exchangeLine({ conn: String(index), resource: `/${'x'.repeat(200)}`, attributes: { 'url.path': 'y'.repeat(900) } }),
  );
  const states: Record<string, ViewState> = {
    services: START,
    peers: { ...START, places: [placeOf({ kind: 'peers' })] },
    'one service': at({ kind: 'service', service: 'shop', role: 'server' }),
    exchanges: at({ kind: 'exchanges', query: {}, title: 'shop' }),
    'one exchange': at({ kind: 'exchange', exchange: exchanges[0] }),
    help: { ...START, help: true },
  };
  test.each([
    [80, 24],
    [80, 6],
    [120, 50],
    [60, 12],
    [40, 10],
    [20, 3],
  ])('fits %d x %d, wherever one is', (columns, rows) => {
    for (const keys of [true, false]) {
      for (const state of Object.values(states)) {
        for (const shown of [SCREEN.picture, many, picture([])]) {
          const lines = draw({ picture: shown, state, exchanges, problem: 'x'.repeat(300) }, { columns, rows, keys });
          expect(lines.length).toBeLessThanOrEqual(rows);
          expect(Math.max(...lines.map(width))).toBeLessThanOrEqual(columns);
        }
      }
    }
  });

  test('holds no control character without colour, whatever was seen', () => {
    const evil = service(EVIL, 1, {
      role: 'client',
      protocols: [EVIL],
      routes: [route(EVIL, 1, { errors: 1 })],
      peers: [peer(EVIL, 1)],
    });
    const line = exchangeLine({ resource: EVIL, comm: EVIL, status: EVIL, src: EVIL, attributes: { [EVIL]: EVIL } });
    const subjects = { evil: at({ kind: 'exchange', exchange: line }), ...states };
    for (const state of Object.values(subjects)) {
      const text = draw({ picture: picture([evil]), state, exchanges: [line], notes: [EVIL], problem: EVIL });
      expect(text.join('')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    }
  });

  test('marks errors by colour only where there is colour', () => {
    expect(draw({}, { colour: true }).join('')).toContain('\u001b[31m');
    expect(draw({}).join('')).not.toContain('\u001b');
  });

  test('says what was lost, where and why, or that nothing was', () => {
    const text = (dropped: Record<string, number>) =>
      draw({ stages: [{ stage: 'hook', produced: 9, delivered: 1, in_flight: 0, dropped, skipped: {} }] }).join('\n');
    expect(text({ ring_full: 0 })).toContain('nothing lost; last window complete to 100%');
    expect(text({ ring_full: 8 })).toContain('lost since the start: hook 8 ring_full');
  });

  test('says what to do when there is nothing to see', () => {
    const text = draw({ picture: picture([]) }).join('\n');
    expect(text).toContain('make some traffic');
    expect(text).not.toContain('RATE');
  });

  test('says what is wrong, and shows what was known before', () => {
    const text = draw({ problem: 'no probe answers at http://127.0.0.1:1 (ECONNREFUSED)' }).join('\n');
    expect(text).toContain('ECONNREFUSED');
    expect(text).toContain('shop server http');
  });
});

describe('the list of services', () => {
  test('shows each with its routes, busiest first, and marks where one is', () => {
    const lines = draw({}).map((line) => line.slice(0, 26).trimEnd());
    expect(lines.slice(2, 7)).toEqual([
      '> shop server http',
      '    GET /a',
      '    GET /b',
      '  shopper client http',
      '    GET /a',
    ]);
  });

  test('is sorted by the chosen column, which the head tells', () => {
    const state: ViewState = { ...START, order: { column: 'errors', ascending: false } };
    const lines = draw({ state });
    expect(lines[1]).toContain('ERRORS↓');
    expect(lines.findIndex((line) => line.includes('GET /b'))).toBeLessThan(
      lines.findIndex((line) => line.includes('GET /a')),
    );
    const up: ViewState = { ...START, order: { column: 'rate', ascending: true } };
    expect(draw({ state: up })[2]).toContain('shopper');
  });

  test('leaves out what has neither exchanges nor connections', () => {
    const idle = { connections: 0, retransmits: 0, resets: 0, failed_connects: 0, rtt: [0, 0] };
    const text = draw({ picture: picture([SHOP, service('idle', 0, { tcp: idle }), service('open', 0)]) }).join('\n');
    expect(text).not.toContain('idle');
    expect(text).toContain('open server');
  });

  test('gives every service its line before the routes of the busiest one', () => {
    const routes = Array.from({ length: 50 }, (_, index) => route(`/r${index}`, 50 - index));
    const lines = draw({ picture: picture([service('busy', 1000, { routes }), CLIENT]) });
    expect(lines.join('\n')).toContain('shopper client http');
    expect(lines.join('\n')).toMatch(/… \d+ routes not shown/);
  });

  test('scrolls where there are more services than lines', () => {
    let state = START;
    const shown = () => drawScreen({ ...SCREEN, picture: many, state }, PAGE);
    expect(shown().text.join('\n')).toContain('1 to 17 of 60');
    for (let i = 0; i < 40; i++) {
      state = press(state, 'down', shown());
    }
    const text = shown().text.join('\n');
    expect(text).toContain('> 服务40');
    expect(text).toMatch(/… \d+ to \d+ of 60/);
    state = press(state, 'end', shown());
    expect(shown().text.join('\n')).toContain('> 服务59');
  });

  test('shows what holds the filter, services with all their routes and routes with their service', () => {
    const filtered = (filter: string) =>
      draw({ state: { ...START, places: [{ ...START.places[0], filter }] } }).join('\n');
    expect(filtered('SHOPPER')).not.toContain('shop server');
    expect(filtered('/b')).toMatch(/shop server http.*\n.*GET \/b/);
    expect(filtered('/b')).not.toContain('GET /a');
    expect(filtered('nowhere')).toContain('nothing holds "nowhere"');
  });
});

describe('below it', () => {
  test('a service shows its routes and whom it calls', () => {
    const text = draw({ state: at({ kind: 'service', service: 'shopper', role: 'client' }) }).join('\n');
    expect(text).toContain('shopper client');
    expect(text).toMatch(/> GET \/a .*\n {2}to 10\.0\.0\.1:80 .*\n {2}to 10\.0\.0\.2:80/);
    expect(draw({ state: at({ kind: 'service', service: 'gone', role: 'client' }) }).join('\n')).toContain(
      'nothing is left',
    );
  });

  test('the peers are listed with who calls them', () => {
    const lines = draw({ state: { ...START, places: [placeOf({ kind: 'peers' })] } });
    expect(lines[2]).toContain('> 10.0.0.1:80 called by');
  });

  test('a route leads to its last exchanges, and each to all that is known of it', () => {
    let state = at({ kind: 'service', service: 'shop', role: 'server' });
    const exchange = exchangeLine({ resource: '/b/7', status: '503', error: 'status', trace_id: 'abc' });
    const shown = () => drawScreen({ ...SCREEN, state, exchanges: [exchange] }, { ...PAGE, rows: 40 });
    state = press(press(state, 'down', shown()), 'enter', shown());
    expect(state.places.at(-1)?.subject).toMatchObject({
      kind: 'exchanges',
      query: { service: 'shop', role: 'server', protocol: 'http', route: 'GET /b' },
    });
    expect(shown().text.join('\n')).toMatch(/> 22:13:20\.000000 +503 +1\.23ms .*GET \/b\/7/);
    state = press(state, 'enter', shown());
    expect(shown().text.join('\n')).toMatch(/trace_id +abc/);
    expect(shown().text).toHaveLength(40);
    expect(shown().text.join('\n')).toMatch(/time +2023-11-14 22:13:20\.000000 UTC/);
  });
});

test('an exchange of which more is known than there is room for can be scrolled', () => {
  const attributes = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`attribute.${index}`, index]));
  let state = at({ kind: 'exchange', exchange: exchangeLine({ attributes }) });
  const shown = () => drawScreen({ ...SCREEN, state }, PAGE);
  expect(shown().text.join('\n')).not.toContain('attribute.39');
  expect(shown().text.at(-1)).toContain('q ends');
  state = press(state, 'end', shown());
  expect(shown().text.join('\n')).toMatch(/attribute\.39 +39/);
});

test('a narrow page leaves columns out, but not the one that it is sorted by', () => {
  expect(draw({}, { columns: 120 })[1]).toContain('TOTAL');
  expect(draw({}, { columns: 80 })[1]).not.toContain('TOTAL');
  expect(draw({}, { columns: 50 })[1]).toContain('RATE/s');
  const state: ViewState = { ...START, order: { column: 'total', ascending: false } };
  expect(draw({ state }, { columns: 60 })[1]).toContain('TOTAL');
});

test('where nothing can be selected nothing is marked and no keys are named', () => {
  const text = draw({}, { keys: false, rows: Number.POSITIVE_INFINITY }).join('\n');
  expect(text).toMatch(/^shop server http/m);
  expect(text).not.toContain('↓');
  expect(text).not.toContain('q ends');
});

test('quantiles at the ends of the scale are bounds, and say so', () => {
  expect(formatQuantile({ value: 50_000, kind: 'up-to' })).toBe('≤50us');
  expect(formatQuantile({ value: 10e9, kind: 'above' })).toBe('>10s');
  expect(formatQuantile({ value: 10e6, kind: 'at' })).toBe('10.0ms');
  expect(formatQuantile(null)).toBe('-');
});

test('texts are cut and padded by the columns they take', () => {
  expect(fit('abc', 5)).toBe('abc  ');
  expect(fit('abc', 5, 'right')).toBe('  abc');
  expect(fit('abcdef', 5)).toBe('abcd…');
  expect(fit('服务器', 5)).toBe('服务…');
  expect(width('服务')).toBe(4);
});

test('completeness is never rounded up, counts stay short', () => {
  expect(formatCompleteness(0.999999)).toBe('99.999%');
  expect(formatCompleteness(1)).toBe('100%');
  expect([0, 0.4, 12.34, 1234, 123_456, 1_234_567].map(formatCount)).toEqual([
    '0',
    '0.40',
    '12.3',
    '1234',
    '123k',
    '1235k',
  ]);
});
