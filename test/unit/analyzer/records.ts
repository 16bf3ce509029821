import { CLOSE, DIRECTION, FLAG, KIND, RECORD, ROLE } from '../../../src/model/record.gen.ts';
import type { EventBatch } from '../../../src/model/event-batch.ts';

const { head, message, open, owner, totals, datagram, size: sizes } = RECORD;

export type Bytes = string | Uint8Array;

export function bytesOf(data: Bytes): Uint8Array {
  return typeof data === 'string' ? Buffer.from(data, 'latin1') : data;
}

/** Writes records of bpf/include/record.h into a buffer, back to back. */
export class RecordWriter {
  #bytes = new Uint8Array(4096);
  #length = 0;

  /** What was written so far; the writer starts afresh. */
  take(): EventBatch {
    const buffer = this.#bytes.buffer.slice(0, this.#length);
    const length = this.#length;
    this.#length = 0;
    return {
      bytes: new Uint8Array(buffer),
      words: new Uint32Array(buffer),
      halves: new Uint16Array(buffer),
      length,
    };
  }

  /** Adds records that were taken from another writer. */
  append(batch: EventBatch): void {
    this.#reserve(batch.length);
    this.#bytes.set(batch.bytes.subarray(0, batch.length), this.#length - batch.length);
  }

  record(kind: number, fixed: number, index: number, generation: number, time: number, payload?: Uint8Array): DataView {
    const length = (fixed + (payload?.length ?? 0) + 63) & ~63;
    const view = this.#reserve(length);
    view.setUint32(head.length, length, true);
    view.setUint8(head.kind, kind);
    view.setUint16(head.captured, payload?.length ?? 0, true);
    view.setUint32(head.index, index, true);
    view.setUint16(head.generation, generation, true);
    view.setBigUint64(head.time, BigInt(time), true);
    if (payload !== undefined) new Uint8Array(view.buffer, view.byteOffset + fixed).set(payload);
    return view;
  }

  #reserve(length: number): DataView {
    while (this.#length + length > this.#bytes.length) {
      const grown = new Uint8Array(this.#bytes.length * 2);
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes.fill(0, this.#length, this.#length + length);
    const view = new DataView(this.#bytes.buffer, this.#length, length);
    this.#length += length;
    return view;
  }
}

export interface SocketOptions {
  readonly writer: RecordWriter;
  readonly index?: number;
  readonly generation?: number;
  readonly role?: 'client' | 'server' | 'unknown';
  readonly local?: { address: readonly number[]; port: number };
  readonly remote?: { address: readonly number[]; port: number };
  readonly pid?: number;
  readonly comm?: string;
  readonly cookie?: number;
  readonly connectNs?: number;
  readonly joined?: boolean;
  /** Payload bytes that a record carries at most. */
  readonly payload?: number;
}

const ROLES = { client: ROLE.client, server: ROLE.server, unknown: ROLE.unknown } as const;

/** One TCP socket as the kernel records it: keeps its counters, and writes what its policy asks for. */
export class Socket {
  readonly index: number;
  readonly generation: number;
  policy: 'stream' | 'headers' | 'count' = 'stream';
  receiveClass = 0;
  sendClass = 0;
  /** Set to lose the records that follow: the counters go on. */
  lossy = false;
  /** Set to have totals and close records say that no call was ever seen. */
  untimed = false;
  number = 0;
  turn = 0;

  readonly #options: SocketOptions;
  readonly #writer: RecordWriter;
  #tx = 0;
  #rx = 0;
  #direction = -1;
  #lastSend = 0;
  #lastReceive = 0;

  constructor(options: SocketOptions) {
    this.#options = options;
    this.#writer = options.writer;
    this.index = options.index ?? 0;
    this.generation = options.generation ?? 1;
  }

  get writer(): RecordWriter {
    return this.#writer;
  }

  open(time: number): this {
    const options = this.#options;
    const view = this.#writer.record(KIND.open, sizes.open, this.index, this.generation, time);
    view.setUint16(head.flags, options.joined === true ? FLAG.joined : 0, true);
    view.setBigUint64(open.cookie, BigInt(options.cookie ?? 1000 + this.index), true);
    view.setBigUint64(open.connectNs, BigInt(options.connectNs ?? 0), true);
    view.setUint32(open.tgid, options.pid ?? 77, true);
    view.setUint32(open.tx, this.#tx, true);
    view.setUint32(open.rx, this.#rx, true);
    view.setUint32(open.number, this.number, true);
    view.setUint32(open.turn, this.turn, true);
    const local = options.local ?? { address: [10, 0, 0, 1], port: 80 };
    const remote = options.remote ?? { address: [10, 0, 0, 2], port: 40_000 };
    view.setUint16(open.localPort, local.port, false);
    view.setUint16(open.remotePort, remote.port, false);
    for (const [i, byte] of local.address.entries()) view.setUint8(open.localAddress + i, byte);
    for (const [i, byte] of remote.address.entries()) view.setUint8(open.remoteAddress + i, byte);
    for (const [i, byte] of bytesOf(options.comm ?? 'nginx').entries()) view.setUint8(open.comm + i, byte);
    view.setUint8(open.family, local.address.length === 4 ? 4 : 6);
    view.setUint8(open.role, ROLES[options.role ?? 'server']);
    return this;
  }

  receive(time: number, data: Bytes, more: CallOptions = {}): this {
    return this.#call(DIRECTION.receive, time, data, more);
  }

  send(time: number, data: Bytes, more: CallOptions = {}): this {
    return this.#call(DIRECTION.send, time, data, more);
  }

  /** Bytes that move without a call that is recorded, as splice moves them. */
  splice(direction: 'send' | 'receive', size: number): this {
    if (direction === 'send') this.#tx = (this.#tx + size) >>> 0;
    else this.#rx = (this.#rx + size) >>> 0;
    return this;
  }

  owner(time: number, pid: number, comm: string): this {
    const view = this.#writer.record(KIND.owner, sizes.owner, this.index, this.generation, time);
    view.setUint32(owner.tgid, pid, true);
    for (const [i, byte] of bytesOf(comm).entries()) view.setUint8(owner.comm + i, byte);
    return this;
  }

  totals(time: number): this {
    this.#totals(KIND.totals, time);
    return this;
  }

  close(time: number, reason: number = CLOSE.local): this {
    this.#totals(KIND.close, time).setUint8(totals.reason, reason);
    return this;
  }

  #totals(kind: number, time: number): DataView {
    const view = this.#writer.record(kind, sizes.totals, this.index, this.generation, time);
    view.setBigUint64(totals.lastSend, BigInt(this.untimed ? 0 : this.#lastSend), true);
    view.setBigUint64(totals.lastReceive, BigInt(this.untimed ? 0 : this.#lastReceive), true);
    view.setUint32(totals.tx, this.#tx, true);
    view.setUint32(totals.rx, this.#rx, true);
    view.setUint32(totals.number, this.number, true);
    view.setUint32(totals.turn, this.turn, true);
    view.setUint8(totals.lastDirection, Math.max(this.#direction, 0));
    view.setBigUint64(totals.cookie, BigInt(this.#options.cookie ?? 1000 + this.index), true);
    return view;
  }

  #call(direction: number, time: number, data: Bytes, more: CallOptions): this {
    const bytes = bytesOf(data);
    const size = more.size ?? bytes.length;
    const start = this.#direction !== direction;
    const last = Math.max(this.#lastSend, this.#lastReceive);
    const before = this.#tx;
    if (direction === DIRECTION.send) {
      this.#tx = (this.#tx + size) >>> 0;
      this.#lastSend = time;
    } else {
      this.#rx = (this.#rx + size) >>> 0;
      this.#lastReceive = time;
    }
    if (start) this.turn++;
    this.#direction = direction;
    if (this.policy === 'count' || (this.policy === 'headers' && !start)) return this;
    this.number++;
    if (this.lossy || more.lost === true) return this;
    const limit = this.policy === 'headers' ? this.#limit(direction) : (this.#options.payload ?? 4096);
    const payload = more.unreadable === true ? new Uint8Array(0) : bytes.subarray(0, limit);
    const view = this.#writer.record(KIND.message, sizes.message, this.index, this.generation, time, payload);
    view.setUint8(head.direction, direction);
    let flags = start ? FLAG.start : 0;
    if (more.unreadable === true) flags |= FLAG.noPayload;
    if (more.queueTicks !== undefined) flags |= FLAG.queueTicks;
    if (more.queueUs !== undefined) flags |= FLAG.queueUs;
    view.setUint16(head.flags, flags, true);
    view.setBigUint64(message.lastTime, BigInt(last), true);
    view.setUint32(message.tx, before, true);
    view.setUint32(message.rx, this.#rx, true);
    view.setUint32(message.size, size, true);
    view.setUint32(message.number, this.number, true);
    view.setUint32(message.turn, this.turn, true);
    view.setUint32(message.tgid, more.pid ?? this.#options.pid ?? 77, true);
    view.setUint32(message.queue, more.queueTicks ?? more.queueUs ?? 0, true);
    return this;
  }

  #limit(direction: number): number {
    const size = direction === DIRECTION.send ? this.sendClass : this.receiveClass;
    return size === 0 ? 0 : 32 << size;
  }
}

export interface CallOptions {
  /** Bytes of the call, if more than `data`. */
  readonly size?: number;
  readonly unreadable?: boolean;
  readonly lost?: boolean;
  readonly queueTicks?: number;
  readonly queueUs?: number;
  readonly pid?: number;
}

export interface DatagramOptions {
  readonly cookie?: number;
  readonly direction: 'send' | 'receive';
  readonly time: number;
  readonly data: Bytes;
  readonly localPort?: number;
  /** 0: not known. */
  readonly remotePort?: number;
  readonly remote?: readonly number[];
}

/** One UDP datagram. */
export function writeDatagram(writer: RecordWriter, options: DatagramOptions): void {
  const view = writer.record(KIND.datagram, sizes.datagram, 0, 0, options.time, bytesOf(options.data));
  view.setUint8(head.direction, options.direction === 'send' ? DIRECTION.send : DIRECTION.receive);
  view.setBigUint64(datagram.cookie, BigInt(options.cookie ?? 9), true);
  view.setUint32(datagram.size, options.data.length, true);
  view.setUint32(datagram.tgid, 55, true);
  view.setUint16(datagram.localPort, options.localPort ?? 40_000, false);
  view.setUint16(datagram.remotePort, options.remotePort ?? 53, false);
  for (const [i, byte] of [10, 0, 0, 1].entries()) view.setUint8(datagram.localAddress + i, byte);
  if (options.remotePort !== 0) {
    for (const [i, byte] of (options.remote ?? [10, 0, 0, 53]).entries())
      view.setUint8(datagram.remoteAddress + i, byte);
  }
  view.setUint8(datagram.family, 4);
}
