import { shownPlace } from './state.ts';
import type { ViewState } from './state.ts';

/** What `?` shows. */
export const HELP: readonly string[] = [
  'up, down, j, k, PgUp, PgDn, Home, End   select a line',
  'Enter, right    open it: service, its routes and peers, last exchanges, one exchange',
  'Esc, left       back',
  'Tab             services, or peers: the other ends of their connections',
  '/               show only lines that hold a text; Enter keeps it, Esc drops it',
  's, S            sort by the next column, by the one before;  r  the other way round',
  'space           hold the screen, go on',
  'q, Ctrl-C       end',
  '',
  'RATE/s   exchanges a second            ERRORS   share of them that failed',
  'P50 P99  of the durations              QUEUE    P99 of the time in the socket,',
  'BYTES/s  requests and responses                 before the server read the request',
  'RETR/s   TCP segments sent again       RST/s    resets, and connects that failed',
  'RTT      median of the round trips     CONNS    open connections',
  'TOTAL    exchanges since the start     ≤ > -    at most, more than, not known',
];

/** The keys that help most here, on one line. */
export function hints(state: ViewState): string {
  if (state.typing) {
    return 'type a text   Enter keeps it   Esc drops it';
  }
  if (state.help) {
    return 'any key: back   q ends';
  }
  const { subject } = shownPlace(state);
  switch (subject.kind) {
    case 'exchange':
      return 'Esc back   ? help   q ends';
    case 'exchanges':
      return 'Enter shows all of it   Esc back   / filter   space holds   ? help   q ends';
    case 'service':
      return 'Enter last exchanges   Esc back   s sorts   / filter   ? help   q ends';
    default:
      return 'Enter opens   Tab services/peers   s sorts   / filter   ? help   q ends';
  }
}
