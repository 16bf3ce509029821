import { CLOSE, ROLE } from '../../model/record.gen.ts';
import type { Connection } from './connection.ts';
import { ERROR } from './exchange.ts';
import type { ConnectionEnd } from './protocol/protocol.ts';
import { Segment } from './segment.ts';

/** A close record: ends what is open. @param reason CLOSE */
export function endConnection(connection: Connection, reason: number, time: number): void {
  if (reason === CLOSE.connectFailed) failConnect(connection, time);
  stopConnection(connection, endOf(reason), time);
  connection.environment.statistics.connectionsClosed++;
}

/** It is over without a close record. */
export function stopConnection(connection: Connection, reason: ConnectionEnd, time: number): void {
  connection.parser?.end(reason, time);
  connection.live = false;
  connection.direct = false;
  connection.parser = null;
  connection.undecided = null;
}

/** Nobody could send a request: the attempt itself is the exchange that failed. */
function failConnect(connection: Connection, time: number): void {
  const { environment } = connection;
  connection.role = ROLE.client;
  connection.protocol = environment.protocols.byPort(connection.remotePort) ?? environment.protocols.generic;
  const waited = connection.connectNs;
  connection.connectNs = Number.NaN;
  connection.news = 0;
  const segment = new Segment();
  segment.time = Number.isNaN(waited) ? Math.min(connection.openedAt || time, time) : time - waited;
  const exchange = connection.open(segment);
  exchange.describe = null;
  exchange.error = ERROR.connectFailed;
  exchange.end = time;
  connection.finish(exchange);
}

function endOf(reason: number): ConnectionEnd {
  switch (reason) {
    case CLOSE.resetLocal:
    case CLOSE.resetRemote:
      return 'reset';
    case CLOSE.timeout:
      return 'timeout';
    case CLOSE.switchedOff:
      return 'flush';
    case CLOSE.unknown:
      return 'input_end';
    default:
      return 'closed';
  }
}
