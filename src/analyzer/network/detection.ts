import { DIRECTION, FLAG, RECORD, ROLE } from '../../model/record.gen.ts';
import type { Connection } from './connection.ts';
import { DETECTION } from './protocol/protocol.ts';
import type { Protocol, Protocols } from './protocols.ts';
import type { RecordStore } from './record-store.ts';

const { head, message, size: sizes } = RECORD;

/** A connection is generic when so many records, bytes or turns of it were of no known protocol. */
const MAX_RECORDS = 32;
const MAX_BYTES = 32_768;
const MAX_TURNS = 4;
/** Bytes of a message that a protocol is asked about. */
const LONGEST_LOOK = 4096;

/**
 * Recognises what a connection speaks, and who is its client, from the records that wait in
 * `Connection.undecided`. Both directions are tried, and each new message afresh, so that a connection that was
 * joined in the middle is recognised too.
 */
export class Detection {
  readonly #protocols: Protocols;
  readonly #look = new Uint8Array(LONGEST_LOOK);

  constructor(protocols: Protocols) {
    this.#protocols = protocols;
  }

  /**
   * The common case: the first record of a connection tells by itself what it speaks.
   *
   * @returns true if the connection's role and parser are set
   */
  decideAtOnce(connection: Connection, bytes: Uint8Array, halves: Uint16Array, offset: number): boolean {
    const captured = halves[(offset + head.captured) >>> 1];
    if (captured === 0 || connection.role === ROLE.unknown) return false;
    const fromClient = (bytes[offset + head.direction] === DIRECTION.send) === (connection.role === ROLE.client);
    const start = offset + sizes.message;
    for (const protocol of this.#protocols.detected) {
      const detection = protocol.module.detect(bytes, start, start + captured, fromClient, false);
      if (detection === DETECTION.yes) return this.#recognised(connection, protocol, connection.role);
    }
    return false;
  }

  /**
   * Looks at the message that the last record belongs to. Sets the connection's role and parser if it is decided.
   *
   * @param final decide now, no more will come
   */
  decide(connection: Connection, records: RecordStore, final: boolean): boolean {
    const last = lastRecord(records);
    const turn = records.words[(last + message.turn) >>> 2];
    const sends = records.bytes[last + head.direction] === DIRECTION.send;
    const { length, cut } = this.#gather(records, turn);
    const firstTurn = records.words[message.turn / 4];
    const full = final || records.count >= MAX_RECORDS || records.length >= MAX_BYTES || turn - firstTurn >= MAX_TURNS;
    let undecided = length === 0;
    if (length > 0) {
      for (const protocol of this.#protocols.detected) {
        for (const role of connection.role === ROLE.unknown ? [ROLE.server, ROLE.client] : [connection.role]) {
          const fromClient = sends === (role === ROLE.client);
          const detection = protocol.module.detect(this.#look, 0, length, fromClient, cut || full);
          if (detection === DETECTION.yes) return this.#recognised(connection, protocol, role);
          if (detection === DETECTION.maybe) undecided = true;
        }
      }
    }
    if (full) return this.#giveUp(connection, records, length === 0);
    // A message of the client that is of no protocol, from its first byte on: there is nothing to wait for.
    const fromClient = connection.role !== ROLE.unknown && sends === (connection.role === ROLE.client);
    const seenFromStart = !connection.joined && (records.halves[(last + head.flags) >>> 1] & FLAG.start) !== 0;
    if (!undecided && fromClient && (seenFromStart || records.count > 1) && !connection.joined) {
      return this.#giveUp(connection, records, false);
    }
    return false;
  }

  /** The captured bytes of a turn, together. */
  #gather(records: RecordStore, turn: number): { length: number; cut: boolean } {
    let length = 0;
    for (let offset = 0; offset < records.length; offset += records.lengthAt(offset)) {
      if (records.words[(offset + message.turn) >>> 2] !== turn) continue;
      const captured = records.halves[(offset + head.captured) >>> 1];
      const start = offset + sizes.message;
      const taken = Math.min(captured, LONGEST_LOOK - length);
      this.#look.set(records.bytes.subarray(start, start + taken), length);
      length += taken;
      const size = records.words[(offset + message.size) >>> 2];
      if (size > captured || taken < captured) return { length, cut: true };
    }
    return { length, cut: false };
  }

  /** Decides without a single byte: by role and ports alone. */
  presume(connection: Connection): void {
    const role = connection.role === ROLE.unknown ? ROLE.server : connection.role;
    settle(connection, this.#protocols.byPort(serverPort(connection, role)) ?? this.#protocols.generic, role);
  }

  #recognised(connection: Connection, protocol: Protocol, role: number): true {
    this.#protocols.learn(serverPort(connection, role), protocol);
    return settle(connection, protocol, role);
  }

  #giveUp(connection: Connection, records: RecordStore, unreadable: boolean): true {
    const role = roleOf(connection, records);
    const hinted = unreadable ? this.#protocols.byPort(serverPort(connection, role)) : undefined;
    return settle(connection, hinted ?? this.#protocols.generic, role);
  }
}

function serverPort(connection: Connection, role: number): number {
  return role === ROLE.server || connection.localIsServer ? connection.localPort : connection.remotePort;
}

function settle(connection: Connection, protocol: Protocol, role: number): true {
  connection.role = role;
  connection.endpoint = null;
  connection.speak(protocol);
  return true;
}

/** The lower port is the server's; if that cannot tell, whoever speaks first is the client. */
function roleOf(connection: Connection, records: RecordStore): number {
  if (connection.role !== ROLE.unknown) return connection.role;
  const { localPort, remotePort } = connection;
  if (!connection.localIsServer && localPort !== remotePort && localPort !== 0 && remotePort !== 0) {
    return localPort < remotePort ? ROLE.server : ROLE.client;
  }
  return records.bytes[head.direction] === DIRECTION.send ? ROLE.client : ROLE.server;
}

function lastRecord(records: RecordStore): number {
  let last = 0;
  for (let offset = 0; offset < records.length; offset += records.lengthAt(offset)) last = offset;
  return last;
}
