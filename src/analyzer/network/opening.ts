import { FLAG, RECORD, ROLE } from '../../model/record.gen.ts';
import { REPLAY_FLAG } from '../../model/replay-flags.ts';
import type { Connection } from './connection.ts';
import { readPort, readWide } from './record-reader.ts';
import type { RecordTimes, RecordViews } from './record-reader.ts';

const { head, open, datagram } = RECORD;

const CONNECTING_TAKES_AT_MOST = 2 ** 50;

/**
 * An open record: who talks to whom.
 *
 * @returns how many message records were lost before it could be written; -1 if the connection was opened already
 */
export function openConnection(
  connection: Connection,
  { bytes, words, halves }: RecordViews,
  offset: number,
  times: RecordTimes,
): number {
  const word = offset >>> 2;
  connection.cookieLow = words[word + open.cookie / 4];
  connection.cookieHigh = words[word + open.cookie / 4 + 1];
  if (connection.role === ROLE.unknown) connection.role = bytes[offset + open.role];
  connection.family = bytes[offset + open.family];
  connection.localPort = readPort(bytes, offset + open.localPort);
  connection.remotePort = readPort(bytes, offset + open.remotePort);
  for (let i = 0; i < 4; i++) {
    connection.addresses[i] = words[word + open.localAddress / 4 + i];
    connection.addresses[4 + i] = words[word + open.remoteAddress / 4 + i];
    connection.addresses[8 + i] = words[word + open.comm / 4 + i];
  }
  const flags = halves[(offset + head.flags) >>> 1];
  connection.localIsServer = (flags & REPLAY_FLAG.localIsServer) !== 0;
  connection.pid = words[word + open.tgid / 4];
  connection.endpoint = null;
  connection.openedAt = times.read(words, offset + head.time);
  if (connection.opened || (flags & REPLAY_FLAG.namesOnly) !== 0) return -1;
  const connectNs = readWide(words, offset + open.connectNs);
  if (connectNs > 0 && connectNs < CONNECTING_TAKES_AT_MOST && connection.role === ROLE.client) {
    connection.connectNs = connectNs;
  }
  connection.opened = true;
  connection.joined = (flags & FLAG.joined) !== 0;
  const number = words[word + open.number / 4];
  if (number === 0) {
    connection.turnNumber = words[word + open.turn / 4];
    connection.tx = words[word + open.tx / 4];
    connection.rx = words[word + open.rx / 4];
  }
  if (connection.joined) connection.joinedTurn = connection.turnNumber + 1;
  // Otherwise the turns before it are missing as well: the first message tells how many from 0 on.
  return number;
}

/** A datagram record that is the first of its socket: role and addresses follow from it. */
export function openDatagrams(
  connection: Connection,
  { bytes, words, halves }: RecordViews,
  offset: number,
  sends: boolean,
): void {
  const word = offset >>> 2;
  connection.opened = true;
  connection.cookieLow = words[word + datagram.cookie / 4];
  connection.cookieHigh = words[word + datagram.cookie / 4 + 1];
  connection.family = bytes[offset + datagram.family];
  connection.localPort = readPort(bytes, offset + datagram.localPort);
  connection.remotePort = readPort(bytes, offset + datagram.remotePort);
  for (let i = 0; i < 4; i++) {
    connection.addresses[i] = words[word + datagram.localAddress / 4 + i];
    connection.addresses[4 + i] = words[word + datagram.remoteAddress / 4 + i];
    connection.addresses[8 + i] = words[word + datagram.comm / 4 + i];
  }
  const flags = halves[(offset + head.flags) >>> 1];
  connection.localIsServer = (flags & REPLAY_FLAG.localIsServer) !== 0;
  connection.pid = words[word + datagram.tgid / 4];
  if ((flags & REPLAY_FLAG.roleClient) !== 0) connection.role = ROLE.client;
  else if ((flags & REPLAY_FLAG.roleServer) !== 0) connection.role = ROLE.server;
  else connection.role = datagramRole(connection, sends);
}

/** Ports from here on are picked by kernels for clients. */
const FIRST_EPHEMERAL = 32_768;

/** A well-known port is the server's; else whoever is seen to send first is the client. */
function datagramRole(connection: Connection, sends: boolean): number {
  const local = connection.localPort;
  const remote = connection.remotePort;
  if (!connection.localIsServer && local !== 0 && remote !== 0) {
    if (local < FIRST_EPHEMERAL !== remote < FIRST_EPHEMERAL) return local < remote ? ROLE.server : ROLE.client;
  }
  return sends ? ROLE.client : ROLE.server;
}
