import { DIRECTION, FLAG, KIND, RECORD, ROLE } from '../../src/model/record.gen.ts';
import type { EventBatch } from '../../src/model/event-batch.ts';

const { head, message, open, totals, align, size } = RECORD;

/** One call on a socket, as a fuzzed conversation makes it. */
export interface Call {
  readonly sends: boolean;
  readonly content: Uint8Array;
  /** Payload bytes that the record carries at most. */
  readonly capture: number;
}

/** What the kernel part keeps of a socket, and the records that it writes of it. */
export class SocketModel {
  readonly #index: number;
  readonly #generation: number;
  readonly #server: boolean;
  #tx = 0;
  #rx = 0;
  #number = 0;
  #turn = 0;
  #sent: boolean | null = null;
  #lastTime = 0n;

  constructor(index: number, generation: number, server: boolean) {
    this.#index = index;
    this.#generation = generation;
    this.#server = server;
  }

  open(time: bigint): Uint8Array {
    const { bytes, view } = this.#record(KIND.open, size.open, time);
    view.setBigUint64(open.cookie, BigInt(this.#index * 65_536 + this.#generation + 1), true);
    bytes.set([127, 0, 0, 1], open.localAddress);
    bytes.set([127, 0, 0, 1], open.remoteAddress);
    view.setUint16(open.localPort, this.#server ? 80 : 40_000 + this.#index);
    view.setUint16(open.remotePort, this.#server ? 40_000 + this.#index : 80);
    bytes[open.family] = 4;
    bytes[open.role] = this.#server ? ROLE.server : ROLE.client;
    return bytes;
  }

  call({ sends, content, capture }: Call, time: bigint): Uint8Array {
    const captured = Math.min(capture, content.length, RECORD.max.payload);
    const { bytes, view } = this.#record(KIND.message, size.message + captured, time);
    const starts = this.#sent !== sends;
    if (starts) this.#turn += 1;
    this.#number += 1;
    if (!sends) this.#rx += content.length;
    bytes[head.direction] = sends ? DIRECTION.send : DIRECTION.receive;
    view.setUint16(head.captured, captured, true);
    view.setUint16(head.flags, starts ? FLAG.start : 0, true);
    view.setBigUint64(message.lastTime, this.#lastTime, true);
    view.setUint32(message.tx, this.#tx, true);
    view.setUint32(message.rx, this.#rx, true);
    view.setUint32(message.size, content.length, true);
    view.setUint32(message.number, this.#number, true);
    view.setUint32(message.turn, this.#turn, true);
    bytes.set(content.subarray(0, captured), size.message);
    if (sends) this.#tx += content.length;
    this.#sent = sends;
    this.#lastTime = time;
    return bytes;
  }

  totals(kind: typeof KIND.totals | typeof KIND.close, reason: number, time: bigint): Uint8Array {
    const { bytes, view } = this.#record(kind, size.totals, time);
    view.setBigUint64(totals.lastSend, this.#lastTime, true);
    view.setBigUint64(totals.lastReceive, this.#lastTime, true);
    view.setUint32(totals.tx, this.#tx, true);
    view.setUint32(totals.rx, this.#rx, true);
    view.setUint32(totals.number, this.#number, true);
    view.setUint32(totals.turn, this.#turn, true);
    bytes[totals.lastDirection] = this.#sent === true ? DIRECTION.send : DIRECTION.receive;
    bytes[totals.reason] = reason;
    return bytes;
  }

  #record(kind: number, length: number, time: bigint): { bytes: Uint8Array; view: DataView } {
    const bytes = new Uint8Array(Math.ceil(length / align) * align);
    const view = new DataView(bytes.buffer);
    view.setUint32(head.length, bytes.length, true);
    bytes[head.kind] = kind;
    view.setUint32(head.index, this.#index, true);
    view.setUint16(head.generation, this.#generation, true);
    view.setBigUint64(head.time, time, true);
    return { bytes, view };
  }
}

/** Records back to back, as a receiver hands them over. What lies behind the valid part is not zero. */
export function batchOf(records: readonly Uint8Array[]): EventBatch {
  const length = records.reduce((sum, record) => sum + record.length, 0);
  const bytes = new Uint8Array(Math.ceil(length / align) * align + align).fill(0x2f);
  let at = 0;
  for (const record of records) {
    bytes.set(record, at);
    at += record.length;
  }
  return { bytes, words: new Uint32Array(bytes.buffer), halves: new Uint16Array(bytes.buffer), length };
}
