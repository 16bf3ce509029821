import { describe, expect, it, vi } from 'vitest';
import { POLICY } from '../../../../src/model/record.gen.ts';
import { createPolicyControl, type PolicyControlOptions } from '../../../../src/receiver/kernel/policy-control.ts';
import { RecordWriter, Socket, type SocketOptions } from '../../analyzer/records.ts';

const at = (port: number) => ({ address: [10, 0, 0, 1], port });
const HEADERS = POLICY.headers | (7 << POLICY.receiveClassShift) | (7 << POLICY.sendClassShift);
const WISH = POLICY.headers | (4 << POLICY.receiveClassShift) | (3 << POLICY.sendClassShift);

function scene(change: Partial<PolicyControlOptions> = {}) {
  const words = new Map<string, number>();
  const ignored: [number, boolean][] = [];
  let writes = 0;
  const control = createPolicyControl({
    table: {
      set(index, generation, word) {
        writes += 1;
        words.set(`${index}.${generation}`, word & ~POLICY.set);
      },
    },
    maxConnections: 1000,
    headers: HEADERS,
    onIgnored: (index, _, now) => ignored.push([index, now]),
    ...change,
  });
  const writer = new RecordWriter();
  const deliver = (): void => {
    const batch = writer.take();
    for (let at = 0; at < batch.length; at += batch.words[at >> 2] ?? 0) control.life?.(batch, at);
  };
  return {
    control,
    ignored,
    writes: () => writes,
    word: (socket: Socket) => words.get(`${socket.index}.${socket.generation}`),
    open: (options: Omit<SocketOptions, 'writer'>): Socket => {
      const socket = new Socket({ ...options, writer }).open(1);
      deliver();
      return socket;
    },
    tell: (socket: Socket, what: (socket: Socket) => unknown): void => {
      what(socket);
      deliver();
    },
  };
}

describe('without rules', () => {
  it('what the analyzer wishes goes through, and nothing is written before it does', () => {
    const { control, open, word, writes } = scene();
    const socket = open({ index: 5 });
    expect(writes()).toBe(0);
    control.set(5, socket.generation, WISH | POLICY.set);
    expect(word(socket)).toBe(WISH);
    control.set(5, socket.generation, WISH | POLICY.set);
    expect(writes()).toBe(1);
  });

  it('wishes for connections whose open record was lost go through too', () => {
    const { control, writes } = scene();
    control.set(77, 3, WISH);
    expect(writes()).toBe(1);
  });

  it('a configured policy holds whatever the analyzer wishes', () => {
    const { control, open, writes } = scene({ fixed: POLICY.count });
    const socket = open({ index: 5 });
    control.set(5, socket.generation, WISH);
    control.set(78, 1, WISH);
    expect(writes()).toBe(0);
  });
});

describe('rules', () => {
  it('by port, pid and name; the first that fits decides, all of its keys must fit', () => {
    const { control, open, word } = scene();
    const a = open({ index: 1, local: at(80), pid: 10, comm: 'nginx' });
    const b = open({ index: 2, local: at(50_000), remote: at(80), pid: 11, comm: 'curl' });
    const c = open({ index: 3, local: at(81), pid: 11, comm: 'curl' });
    control.setRules([
      { port: 80, pid: 10, policy: 'count' },
      { port: 80, policy: 'ignore' },
      { comm: 'curl', policy: 'headers' },
      { policy: 'stream' },
    ]);
    expect([word(a), word(b), word(c)]).toEqual([POLICY.count, POLICY.ignore, HEADERS]);
    expect(control.matches()).toEqual([1, 1, 1, 0]);
  });

  it('a connection is read once to be counted, however many rules there are', () => {
    const { control, open } = scene();
    for (let index = 1; index <= 10; index++) open({ index, comm: 'nginx' });
    control.setRules(Array.from({ length: 64 }, (_, i) => ({ port: i + 1, policy: 'count' as const })));
    const characters = vi.spyOn(String, 'fromCharCode');
    try {
      control.matches();
      expect(characters).toHaveBeenCalledTimes(10 * 'nginx'.length);
    } finally {
      characters.mockRestore();
    }
  });

  it('auto leaves a connection to the analyzer, and ends the search', () => {
    const { control, open, word } = scene();
    control.setRules([{ port: 80, policy: 'auto' }, { policy: 'ignore' }]);
    const a = open({ index: 1, local: at(80) });
    const b = open({ index: 2, local: at(81) });
    expect(word(a)).toBeUndefined();
    expect(word(b)).toBe(POLICY.ignore);
    control.set(1, a.generation, WISH);
    expect(word(a)).toBe(WISH);
  });

  it('headers takes as much of a message as the analyzer wants, if it has said so', () => {
    const { control, open, word } = scene();
    const socket = open({ index: 1 });
    control.setRules([{ policy: 'headers' }]);
    expect(word(socket)).toBe(HEADERS);
    control.set(1, socket.generation, WISH);
    expect(word(socket)).toBe(WISH);
    control.set(1, socket.generation, POLICY.stream);
    expect(word(socket)).toBe(HEADERS);
  });

  it('what is removed is taken back: the last wish holds again', () => {
    const { control, open, word, ignored } = scene();
    const socket = open({ index: 1 });
    control.set(1, socket.generation, WISH);
    control.setRules([{ policy: 'ignore' }]);
    expect(ignored).toEqual([[1, true]]);
    control.set(1, socket.generation, POLICY.stream);
    expect(word(socket)).toBe(POLICY.ignore);
    control.setRules([]);
    expect(word(socket)).toBe(POLICY.stream);
    expect(ignored).toEqual([
      [1, true],
      [1, false],
    ]);
  });

  it('are held against the process that uses the socket now', () => {
    const { control, open, word, tell } = scene();
    control.setRules([{ pid: 20, policy: 'ignore' }]);
    const socket = open({ index: 1, pid: 10 });
    expect(word(socket)).toBeUndefined();
    tell(socket, (one) => one.owner(5, 20, 'worker'));
    expect(word(socket)).toBe(POLICY.ignore);
    tell(socket, (one) => one.owner(6, 10, 'master'));
    expect(word(socket)).toBe(POLICY.stream);
  });

  it('do not reach a connection that is over, nor the next one of its index by a late wish', () => {
    const { control, open, tell, writes } = scene();
    const socket = open({ index: 1 });
    tell(socket, (one) => one.close(9));
    control.setRules([{ policy: 'ignore' }]);
    expect(writes()).toBe(0);
    expect(control.matches()).toEqual([0]);
  });

  it('many connections, also beyond the first places and beyond the bound', () => {
    const { control, open, word } = scene();
    const sockets = [0, 255, 256, 700, 999, 1000].map((index) => open({ index, local: at(80) }));
    control.setRules([{ port: 80, policy: 'count' }]);
    expect(sockets.map(word)).toEqual([...Array<number>(5).fill(POLICY.count), undefined]);
  });
});

it('a cap comes after the rules, is applied at once, and can be taken away', () => {
  const { control, open, word } = scene();
  const a = open({ index: 1, local: at(80) });
  const b = open({ index: 2, local: at(81) });
  control.set(1, a.generation, WISH);
  control.setRules([{ port: 81, policy: 'stream' }]);
  control.setCap(({ index, localPort }, wished) => (index === 2 && localPort === 81 ? POLICY.count : wished));
  expect([word(a), word(b)]).toEqual([WISH, POLICY.count]);
  control.setCap(undefined);
  expect([word(a), word(b)]).toEqual([WISH, POLICY.stream]);
});
