import type { EventBatch, EventConsumer } from '../../../src/model/event-batch.ts';
import { FLAG, KIND, RECORD } from '../../../src/model/record.gen.ts';
import {
  createKernelReceiver,
  type KernelReceiver,
  type KernelReceiverOptions,
} from '../../../src/receiver/kernel/kernel-receiver.ts';
import { createPolicyTable } from '../../../src/receiver/kernel/policy-table.ts';
import type { Scene } from '../../traffic/scene.ts';

/** A message record in numbers that a test can compare. */
export interface MessageRecord {
  readonly direction: number;
  readonly flags: number;
  readonly time: number;
  readonly tx: number;
  readonly rx: number;
  readonly size: number;
  readonly number: number;
  readonly turn: number;
  readonly tgid: number;
  readonly payload: string;
}

/** All that the kernel told about one socket. */
export interface SocketRecords {
  readonly role: number;
  readonly localPort: number;
  readonly remotePort: number;
  readonly family: number;
  /** `FLAG_JOINED` of its open record. */
  readonly joined: boolean;
  /** Of its open record; 0 if no process was known then. */
  readonly tgid: number;
  readonly comm: string;
  readonly cgroup: bigint;
  /** Counters of its open record. */
  readonly began: { tx: number; rx: number; number: number; turn: number };
  /** Processes of its owner records. */
  readonly owners: { tgid: number; comm: string }[];
  readonly messages: MessageRecord[];
  /** From the close record. */
  closed?: { tx: number; rx: number; number: number; turn: number; reason: number };
}

export interface Recorder {
  readonly receiver: KernelReceiver;
  /** Sockets by index and generation, in the order of their open records. */
  sockets(): SocketRecords[];
  /** Records of sockets of which no open record came before. */
  readonly strays: number[];
}

const NONE = { include: [], exclude: [] };

/** Starts the kernel receiver and keeps every record, decoded. */
export function startRecorder(
  scene: Scene,
  options: Partial<KernelReceiverOptions> & { readonly ports: readonly number[] },
): Recorder {
  const sockets = new Map<string, SocketRecords>();
  const strays: number[] = [];
  const next: EventConsumer = {
    consume: (batch) => decode(batch, sockets, strays),
    tick: () => undefined,
    flush: () => undefined,
  };
  const receiver = createKernelReceiver({
    ringBytes: 8 << 20,
    maxConnections: 4096,
    payloadBytes: 4096,
    queueTime: 'off',
    udp: false,
    filter: { ports: { include: options.ports, exclude: [] }, pids: NONE, cgroups: NONE },
    policy: 'stream',
    next,
    policies: createPolicyTable(),
    ...options,
  });
  receiver.start();
  scene.onEnd(() => receiver.stop());
  return { receiver, sockets: () => [...sockets.values()], strays };
}

function decode(batch: EventBatch, sockets: Map<string, SocketRecords>, strays: number[]): void {
  const view = new DataView(batch.bytes.buffer, batch.bytes.byteOffset, batch.length);
  const { head, message, open, owner, totals } = RECORD;
  const text = (from: number): string =>
    Buffer.from(batch.bytes.subarray(from, from + 16))
      .toString('latin1')
      .replace(/\0.*$/s, '');
  for (let at = 0; at < batch.length; ) {
    const u32 = (offset: number): number => view.getUint32(at + offset, true);
    const kind = view.getUint8(at + head.kind);
    const id = `${u32(head.index)}.${view.getUint16(at + head.generation, true)}`;
    if (kind === KIND.open) {
      sockets.set(id, {
        role: view.getUint8(at + open.role),
        localPort: view.getUint16(at + open.localPort),
        remotePort: view.getUint16(at + open.remotePort),
        family: view.getUint8(at + open.family),
        joined: (view.getUint16(at + head.flags, true) & FLAG.joined) !== 0,
        tgid: u32(open.tgid),
        comm: text(at + open.comm),
        cgroup: view.getBigUint64(at + open.cgroupId, true),
        began: { tx: u32(open.tx), rx: u32(open.rx), number: u32(open.number), turn: u32(open.turn) },
        owners: [],
        messages: [],
      });
    }
    const socket = sockets.get(id);
    if (socket === undefined) {
      // These may have no socket of ours.
      if (kind !== KIND.listener && kind !== KIND.tcpEvent) strays.push(kind);
    } else if (kind === KIND.message) {
      const from = at + RECORD.size.message;
      const captured = view.getUint16(at + head.captured, true);
      socket.messages.push({
        direction: view.getUint8(at + head.direction),
        flags: view.getUint16(at + head.flags, true),
        time: Number(view.getBigUint64(at + head.time, true)),
        tx: u32(message.tx),
        rx: u32(message.rx),
        size: u32(message.size),
        number: u32(message.number),
        turn: u32(message.turn),
        tgid: u32(message.tgid),
        payload: Buffer.from(batch.bytes.subarray(from, from + captured)).toString('latin1'),
      });
    } else if (kind === KIND.owner) {
      socket.owners.push({ tgid: u32(owner.tgid), comm: text(at + owner.comm) });
    } else if (kind === KIND.close) {
      socket.closed = {
        tx: u32(totals.tx),
        rx: u32(totals.rx),
        number: u32(totals.number),
        turn: u32(totals.turn),
        reason: view.getUint8(at + totals.reason),
      };
    }
    at += u32(head.length);
  }
}
