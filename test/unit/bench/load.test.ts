import { describe, expect, it } from 'vitest';
import { parseAb, parseH2load, parseWrk } from '../../../bench/load.ts';

const WRK = `Running 2s test @ http://127.0.0.1:29080/
  1 threads and 16 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     2.31ms    2.49ms  17.00ms   85.22%
    Req/Sec     8.63k     1.21k   11.62k    70.00%
  17260 requests in 2.01s, 13.99MB read
Requests/sec:   8568.61
Transfer/sec:      6.95MB
`;

describe('parseWrk', () => {
  it('reads requests and seconds, and keeps what may be under way', () => {
    expect(parseWrk(WRK, 16)).toEqual({ requests: 17_260, failed: 0, seconds: 2.01, open: 16 });
  });

  it('reads a run of more than a minute', () => {
    expect(parseWrk('  5 requests in 1.50m, 1KB read\n', 1).seconds).toBe(90);
  });

  it('adds up errors of sockets and statuses', () => {
    const text = `${WRK}  Socket errors: connect 1, read 20, write 300, timeout 4000\n  Non-2xx or 3xx responses: 50000\n`;
    expect(parseWrk(text, 16).failed).toBe(54_321);
  });

  it('throws on what wrk says instead of a result', () => {
    expect(() => parseWrk('unable to connect to 127.0.0.1:1 Connection refused\n', 1)).toThrow(/Connection refused/);
  });
});

describe('parseH2load', () => {
  it('reads what succeeded and what failed', () => {
    const text = `finished in 15.56ms, 1028.34 req/s, 853.61KB/s
requests: 16 total, 16 started, 16 done, 14 succeeded, 2 failed, 0 errored, 0 timeout
`;
    const result = parseH2load(text);
    expect(result).toMatchObject({ requests: 14, failed: 2, open: 0 });
    expect(result.seconds).toBeCloseTo(0.015_56, 9);
  });
});

describe('parseAb', () => {
  it('reads complete and failed requests', () => {
    const text = `Time taken for tests:   1.003 seconds\nComplete requests:      2000\nFailed requests:        3\n`;
    expect(parseAb(text)).toEqual({ requests: 2000, failed: 3, seconds: 1.003, open: 0 });
  });
});
