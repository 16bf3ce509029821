import type { EventBatch } from '../../../src/model/event-batch.ts';
import { KIND, RECORD } from '../../../src/model/record.gen.ts';
import { createKernelReceiver, type KernelReceiver } from '../../../src/receiver/kernel/kernel-receiver.ts';
import { createPolicyTable } from '../../../src/receiver/kernel/policy-table.ts';
import type { CaptureFilter } from '../../../src/receiver/kernel/filter-maps.ts';
import type { Scene } from '../../traffic/scene.ts';

type Fields<Layout> = { readonly [Name in keyof Layout]: number };

/** `index.generation` of its socket, `0.0` if it has none; addresses as the bytes in hex. */
export interface TcpEvent extends Fields<Omit<typeof RECORD.tcpEvent, 'localAddress' | 'remoteAddress'>> {
  readonly socket: string;
  readonly time: number;
  readonly localAddress: string;
  readonly remoteAddress: string;
}

export interface TcpSocket {
  readonly id: string;
  readonly role: number;
  readonly localPort: number;
  readonly remotePort: number;
  readonly netns: number;
  /** Its tcp records, in order. */
  readonly quality: Fields<typeof RECORD.tcp>[];
  /** Kinds of all its records, in order. */
  readonly kinds: number[];
  /** Errno and reason of its close record. */
  closed?: { readonly error: number; readonly reason: number };
}

export interface Listener extends Fields<Omit<typeof RECORD.listener, 'address' | 'comm'>> {
  readonly address: string;
  readonly comm: string;
}

export interface TcpRecorder {
  readonly receiver: KernelReceiver;
  readonly events: TcpEvent[];
  readonly listeners: Listener[];
  readonly sockets: ReadonlyMap<string, TcpSocket>;
  /** The socket with this local port that was opened last. */
  at(localPort: number): TcpSocket | undefined;
}

const NONE = { include: [], exclude: [] };
const WIDE = new Set<string>([
  'bytesSent',
  'bytesRetransmitted',
  'bytesReceived',
  'busyUs',
  'receiverLimitedUs',
  'bufferLimitedUs',
  'deliveryRate',
  'cookie',
]);
const BYTE = new Set<string>(['family', 'state']);

export interface TcpRecorderOptions {
  readonly filter?: Partial<CaptureFilter>;
  readonly ringBytes?: number;
  readonly tcp?: boolean;
  /** Keep sockets and events of these network namespaces only: the rest of the machine may be busy. Default: all. */
  readonly namespaces?: readonly number[];
}

/** Starts the kernel receiver and keeps what it says of TCP. Message records are not asked for. */
export function startTcpRecorder(
  scene: Scene,
  { filter, ringBytes = 8 << 20, tcp, namespaces }: TcpRecorderOptions = {},
): TcpRecorder {
  const events: TcpEvent[] = [];
  const listeners: Listener[] = [];
  const sockets = new Map<string, TcpSocket>();
  const receiver = createKernelReceiver({
    ringBytes,
    maxConnections: 4096,
    payloadBytes: 64,
    queueTime: 'off',
    udp: false,
    ...(tcp === undefined ? {} : { tcp }),
    filter: { ports: NONE, pids: NONE, cgroups: NONE, ...filter },
    policy: 'count',
    policies: createPolicyTable(),
    next: {
      consume: (batch) => decode(batch, { events, listeners, sockets, namespaces }),
      tick: () => undefined,
      flush: () => undefined,
    },
  });
  receiver.start();
  scene.onEnd(() => receiver.stop());
  const at = (port: number): TcpSocket | undefined =>
    [...sockets.values()].findLast(({ localPort }) => localPort === port);
  return { receiver, events, listeners, sockets, at };
}

interface Found {
  readonly events: TcpEvent[];
  readonly listeners: Listener[];
  readonly sockets: Map<string, TcpSocket>;
  readonly namespaces: readonly number[] | undefined;
}

function decode(batch: EventBatch, { events, listeners, sockets, namespaces }: Found): void {
  const { bytes } = batch;
  const view = new DataView(bytes.buffer, bytes.byteOffset, batch.length);
  const { head, open, totals } = RECORD;
  for (let at = 0; at < batch.length; at += view.getUint32(at, true)) {
    const kind = view.getUint8(at + head.kind);
    const id = `${view.getUint32(at + head.index, true)}.${view.getUint16(at + head.generation, true)}`;
    const port = (offset: number): number => view.getUint16(at + offset, false);
    const hex = (offset: number): string => Buffer.from(bytes.subarray(at + offset, at + offset + 16)).toString('hex');
    const fields = <Layout extends Readonly<Record<string, number>>>(layout: Layout): Fields<Layout> => {
      const values: Record<string, number> = {};
      for (const [name, offset] of Object.entries(layout)) {
        if (WIDE.has(name)) values[name] = Number(view.getBigUint64(at + offset, true));
        else if (BYTE.has(name)) values[name] = view.getUint8(at + offset);
        else if (/port$/i.test(name)) values[name] = port(offset);
        else if (!/address|comm/i.test(name)) values[name] = view.getUint32(at + offset, true);
      }
      return values as Fields<Layout>;
    };
    const netnsAt = kind === KIND.open ? open.netns : kind === KIND.tcpEvent ? RECORD.tcpEvent.netns : undefined;
    if (netnsAt !== undefined && namespaces?.includes(view.getUint32(at + netnsAt, true)) === false) {
      // The index may have been another socket's before.
      if (kind === KIND.open) sockets.delete(id);
      continue;
    }
    if (kind === KIND.open) {
      sockets.set(id, {
        id,
        role: view.getUint8(at + open.role),
        localPort: port(open.localPort),
        remotePort: port(open.remotePort),
        netns: view.getUint32(at + open.netns, true),
        quality: [],
        kinds: [],
      });
    } else if (kind === KIND.tcpEvent) {
      const layout = RECORD.tcpEvent;
      events.push({
        ...fields(layout),
        socket: id,
        time: Number(view.getBigUint64(at + head.time, true)),
        localAddress: hex(layout.localAddress),
        remoteAddress: hex(layout.remoteAddress),
      });
    } else if (kind === KIND.listener) {
      const comm = Buffer.from(bytes.subarray(at + RECORD.listener.comm, at + RECORD.listener.comm + 16));
      listeners.push({
        ...fields(RECORD.listener),
        address: hex(RECORD.listener.address),
        comm: comm.toString('latin1').replace(/\0.*$/s, ''),
      });
    }
    const socket = sockets.get(id);
    socket?.kinds.push(kind);
    if (kind === KIND.tcp) socket?.quality.push(fields(RECORD.tcp));
    if (kind === KIND.close && socket !== undefined) {
      socket.closed = {
        error: view.getUint16(at + totals.error, true),
        reason: view.getUint8(at + totals.reason),
      };
    }
  }
}
