import type { ConnectResult } from '../../model/names.ts';

/** Linux's errno of x86, arm64 and most others. */
const ECONNRESET = 104;
const ETIMEDOUT = 110;
const ECONNREFUSED = 111;

/**
 * How a connect failed, by the socket's errno. Without one the application gave up before there was an answer. All
 * others are told by the route or by ICMP (include/net/icmp.h, icmp_err_convert): the way there is closed.
 */
export function connectResult(errno: number): Exclude<ConnectResult, 'ok'> {
  switch (errno) {
    case 0:
    case ETIMEDOUT:
      return 'timeout';
    case ECONNREFUSED:
      return 'refused';
    case ECONNRESET:
      return 'reset';
    default:
      return 'unreachable';
  }
}
