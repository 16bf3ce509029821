import { CLOSE, DIRECTION, FLAG, KIND, RECORD, ROLE } from '../../model/record.gen.ts';
import { REPLAY_FLAG } from '../../model/replay-flags.ts';
import type { BatchWriter } from './batch-writer.ts';
import type { ReplayedConnection } from './replayed-connections.ts';
import type { SegmentLine } from './segment-line.ts';
import type { SocketAddress } from './socket-address.ts';

const { head, open, owner, message, totals, datagram, size: sizes } = RECORD;

/** A longer segment becomes several records of one time. */
const LARGEST_PAYLOAD = 32_768;
const COMM_BYTES = 15;

/** Writes what lines say as the records that the kernel would have written in policy `stream`. */
export class RecordScribe {
  readonly #writer: BatchWriter;

  constructor(writer: BatchWriter) {
    this.#writer = writer;
  }

  open(connection: ReplayedConnection, time: bigint): void {
    const { ends } = connection;
    const at = this.#begin(KIND.open, connection, time, sizes.open);
    const { view } = this.#writer;
    const localIsServer = ends.role !== 'client';
    view.setUint16(at + head.flags, localIsServer ? REPLAY_FLAG.localIsServer : 0, true);
    this.#cookie(at + open.cookie, connection);
    view.setUint32(at + open.tgid, ends.pid ?? 0, true);
    this.#ends(connection, at + open.localPort, at + open.localAddress, at + open.remotePort, at + open.remoteAddress);
    this.#comm(at + open.comm, ends.comm);
    view.setUint8(at + open.family, familyOf(connection));
    view.setUint8(at + open.role, roleOf(connection));
  }

  owner(connection: ReplayedConnection, time: bigint): void {
    const at = this.#begin(KIND.owner, connection, time, sizes.owner);
    this.#writer.view.setUint32(at + owner.tgid, connection.ends.pid ?? 0, true);
    this.#comm(at + owner.comm, connection.ends.comm);
  }

  segment(connection: ReplayedConnection, time: bigint, line: SegmentLine): void {
    let at = 0;
    do {
      const payload = line.payload.subarray(at, at + LARGEST_PAYLOAD);
      at += payload.length;
      // What was cut off lies behind the last captured byte.
      const isLast = at === line.payload.length;
      this.#message(connection, time, line.sends, payload, isLast ? line.size - at + payload.length : payload.length);
    } while (at < line.payload.length);
  }

  datagram(connection: ReplayedConnection, time: bigint, line: SegmentLine): void {
    const { payload, size } = line;
    const { ends } = connection;
    const at = this.#begin(KIND.datagram, connection, time, sizes.datagram + payload.length);
    const { view } = this.#writer;
    view.setUint8(at + head.direction, line.sends ? DIRECTION.send : DIRECTION.receive);
    view.setUint16(at + head.captured, payload.length, true);
    view.setUint16(at + head.flags, datagramFlags(connection), true);
    this.#cookie(at + datagram.cookie, connection);
    view.setUint32(at + datagram.size, size, true);
    view.setUint32(at + datagram.tgid, ends.pid ?? 0, true);
    this.#ends(
      connection,
      at + datagram.localPort,
      at + datagram.localAddress,
      at + datagram.remotePort,
      at + datagram.remoteAddress,
    );
    this.#comm(at + datagram.comm, ends.comm);
    view.setUint8(at + datagram.family, familyOf(connection));
    this.#writer.bytes.set(payload, at + sizes.datagram);
  }

  close(connection: ReplayedConnection, time: bigint, reason: number): void {
    const at = this.#begin(KIND.close, connection, time, sizes.totals);
    const { view } = this.#writer;
    view.setBigUint64(at + totals.lastSend, connection.lastSend, true);
    view.setBigUint64(at + totals.lastReceive, connection.lastReceive, true);
    view.setUint32(at + totals.tx, connection.tx, true);
    view.setUint32(at + totals.rx, connection.rx, true);
    view.setUint32(at + totals.number, connection.number, true);
    view.setUint32(at + totals.turn, connection.turn, true);
    view.setUint8(at + totals.lastDirection, Math.max(connection.direction, 0));
    view.setUint8(at + totals.reason, reason);
    this.#cookie(at + totals.cookie, connection);
  }

  #message(connection: ReplayedConnection, time: bigint, sends: boolean, payload: Uint8Array, size: number): void {
    const direction = sends ? DIRECTION.send : DIRECTION.receive;
    const starts = connection.direction !== direction;
    const sentBefore = connection.tx;
    const last = connection.lastSend > connection.lastReceive ? connection.lastSend : connection.lastReceive;
    if (starts) connection.turn++;
    connection.direction = direction;
    connection.number++;
    if (sends) {
      connection.tx = (connection.tx + size) >>> 0;
      connection.lastSend = time;
    } else {
      connection.rx = (connection.rx + size) >>> 0;
      connection.lastReceive = time;
    }
    const at = this.#begin(KIND.message, connection, time, sizes.message + payload.length);
    const { view } = this.#writer;
    view.setUint8(at + head.direction, direction);
    view.setUint16(at + head.captured, payload.length, true);
    view.setUint16(at + head.flags, (starts ? FLAG.start : 0) | (payload.length === 0 ? FLAG.noPayload : 0), true);
    view.setBigUint64(at + message.lastTime, last, true);
    view.setUint32(at + message.tx, sentBefore, true);
    view.setUint32(at + message.rx, connection.rx, true);
    view.setUint32(at + message.size, size, true);
    view.setUint32(at + message.number, connection.number, true);
    view.setUint32(at + message.turn, connection.turn, true);
    view.setUint32(at + message.tgid, connection.ends.pid ?? 0, true);
    this.#writer.bytes.set(payload, at + sizes.message);
  }

  #begin(kind: number, connection: ReplayedConnection, time: bigint, size: number): number {
    return this.#writer.begin({ kind, index: connection.index, generation: connection.generation, time, size });
  }

  /** The cookie is place and generation, so that the name can be found again. */
  #cookie(at: number, connection: ReplayedConnection): void {
    this.#writer.view.setUint32(at, connection.index, true);
    this.#writer.view.setUint32(at + 4, connection.generation, true);
  }

  #ends(connection: ReplayedConnection, localPort: number, local: number, remotePort: number, remote: number): void {
    const { role, source, destination } = connection.ends;
    this.#end(role === 'client' ? source : destination, localPort, local);
    this.#end(role === 'client' ? destination : source, remotePort, remote);
  }

  #end(address: SocketAddress | null, port: number, bytes: number): void {
    if (address === null) return;
    this.#writer.view.setUint16(port, address.port, false);
    this.#writer.bytes.set(address.bytes, bytes);
  }

  #comm(at: number, comm: string | null): void {
    if (comm === null) return;
    this.#writer.bytes.set(Buffer.from(comm).subarray(0, COMM_BYTES), at);
  }
}

function familyOf({ ends }: ReplayedConnection): number {
  return (ends.source ?? ends.destination)?.family ?? 0;
}

function roleOf({ ends }: ReplayedConnection): number {
  if (ends.role === null) return ROLE.unknown;
  return ends.role === 'client' ? ROLE.client : ROLE.server;
}

function datagramFlags({ ends }: ReplayedConnection): number {
  if (ends.role === 'client') return REPLAY_FLAG.roleClient;
  return REPLAY_FLAG.localIsServer | (ends.role === 'server' ? REPLAY_FLAG.roleServer : 0);
}

/** Reason of a close record, by the input's event. */
export const CLOSE_REASONS = {
  close: CLOSE.local,
  reset: CLOSE.resetRemote,
  connect_failed: CLOSE.connectFailed,
} as const;
