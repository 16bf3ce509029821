import type { Labels } from '../../model/label-sets.ts';
import { RECORD, RETRANSMIT, ROLE, TCP_EVENT } from '../../model/record.gen.ts';
import { DROP_METRIC, RESET_METRIC, RETRANSMIT_METRIC } from '../../model/tcp.ts';
import { readPort } from '../network/record-reader.ts';
import type { RecordTimes, RecordViews } from '../network/record-reader.ts';
import type { LabelInterner } from '../network/label-cache.ts';
import type { Connections } from './connections.ts';
import { untoldReason } from './drop-totals.ts';
import type { DropTotals } from './drop-totals.ts';
import type { GroupOutput } from './group-output.ts';
import type { PeerTable } from './peer-table.ts';
import { PEER_WORDS, PeerIdentity } from './peer.ts';
import type { Peer } from './peer.ts';
import { reasonName } from './reasons.ts';
import type { EnumNames } from './reasons.ts';
import type { TcpStatistics } from './statistics.ts';
import { WaitingSynAcks } from './syn-acks.ts';
import type { SynAcks } from './syn-acks.ts';

const { head, tcpEvent } = RECORD;

/** Events that wait for the open record of their socket, at most. */
const MAX_EARLY = 1024;
/** States of TCP, in include/net/tcp_states.h. */
const SYN_SENT = 2;
const SYN_RECEIVED = 3;
const LISTEN = 10;
const NEW_SYN_RECEIVED = 12;

export interface HappeningsParts {
  readonly connections: Connections;
  readonly peers: PeerTable;
  readonly labels: LabelInterner;
  readonly output: GroupOutput;
  readonly statistics: TcpStatistics;
  readonly times: RecordTimes;
  readonly enumName: EnumNames;
  readonly dropTotals: DropTotals;
}

interface Early {
  readonly index: number;
  readonly generation: number;
  readonly event: number;
  readonly cause: number;
  readonly time: number;
  readonly identity: Uint32Array;
  ticks: number;
}

/** Yields resets and drops, and hands retransmissions to their connections. */
export class Happenings {
  readonly #parts: HappeningsParts;
  readonly #identity = new PeerIdentity();
  readonly #synAcks = new WaitingSynAcks();
  #early: Early[] = [];

  constructor(parts: HappeningsParts) {
    this.#parts = parts;
  }

  /** Events that wait. */
  get waiting(): number {
    return this.#early.length + this.#synAcks.count;
  }

  /** A tcp event record. */
  record(views: RecordViews, offset: number): void {
    const { words, halves } = views;
    const { connections, statistics, times } = this.#parts;
    const word = offset >>> 2;
    const event = words[word + tcpEvent.event / 4];
    const cause = words[word + tcpEvent.cause / 4];
    const generation = halves[(offset + head.generation) >>> 1];
    if (event === TCP_EVENT.retransmit && generation !== 0) {
      statistics.delivered++;
      connections.retransmit(views, offset, cause);
      return;
    }
    const time = times.read(words, offset + head.time);
    if (event === TCP_EVENT.drop) this.#parts.dropTotals.seen(cause);
    const peer = connections.at(views, offset)?.peer;
    if (peer != null) {
      this.#tell(peer, event, cause, time);
      return;
    }
    this.#identify(views, offset);
    if (event === TCP_EVENT.retransmit) {
      const crowdedOut = this.#synAcks.add(views, offset, this.#identity.words, time);
      if (crowdedOut !== undefined) this.#tellSynAcks(crowdedOut);
      return;
    }
    if (generation === 0 || this.#early.length >= MAX_EARLY) {
      this.#tell(this.#parts.peers.find(this.#identity, time), event, cause, time);
      return;
    }
    const index = words[(offset + head.index) >>> 2];
    const identity = this.#identity.words.slice();
    this.#early.push({ index, generation, event, cause, time, identity, ticks: 0 });
  }

  /** An open record came: what happened to its socket before can be told with its process. */
  opened(views: RecordViews, offset: number): void {
    const { connections, statistics } = this.#parts;
    const synAcks = this.#synAcks.opened(views, offset);
    statistics.delivered += synAcks;
    for (let i = 0; i < synAcks; i++) connections.retransmit(views, offset, RETRANSMIT.syn);
    if (this.#early.length === 0) return;
    const peer = connections.at(views, offset)?.peer;
    if (peer == null) return;
    const index = views.words[(offset + head.index) >>> 2];
    const generation = views.halves[(offset + head.generation) >>> 1];
    this.#early = this.#early.filter((early) => {
      if (early.index !== index || early.generation !== generation) return true;
      this.#tell(peer, early.event, early.cause, early.time);
      return false;
    });
  }

  /** What has waited for a whole tick is told without a process. @param all whatever it has waited */
  tick(now: number, all: boolean): void {
    for (const synAcks of this.#synAcks.givenUp(all ? Infinity : now)) this.#tellSynAcks(synAcks);
    if (this.#early.length === 0) return;
    this.#early = this.#early.filter((early) => {
      early.ticks++;
      if (early.ticks < 2 && !all) return true;
      this.#identity.words.set(early.identity);
      this.#tell(this.#parts.peers.find(this.#identity, early.time), early.event, early.cause, early.time);
      return false;
    });
  }

  #tell(peer: Peer, event: number, cause: number, time: number): void {
    const { output, peers, statistics, enumName } = this.#parts;
    statistics.delivered++;
    const labels = (key: string, make: () => Labels): number => peers.labels(peer, `${key} ${cause}`, make);
    switch (event) {
      case TCP_EVENT.resetSent:
      case TCP_EVENT.resetReceived: {
        const side = event === TCP_EVENT.resetSent ? 'sent' : 'received';
        // 0 is "not specified", and what kernels before 6.10 give.
        const reason = (): Labels => (cause === 0 ? {} : { reason: reasonName(enumName, 'sk_rst_reason', cause) });
        output.reset.metrics[RESET_METRIC.resets] = 1;
        output.reset.yield(
          labels(`reset ${side}`, () => ({ side, ...reason() })),
          time,
        );
        return;
      }
      case TCP_EVENT.drop:
        output.drop.metrics[DROP_METRIC.packets] = 1;
        output.drop.yield(
          labels('drop', () => ({ reason: reasonName(enumName, 'skb_drop_reason', cause) })),
          time,
        );
    }
  }

  /** Drops that no event told of, without a peer. @param isLast no event will come any more */
  tellUntoldDrops(now: number, isLast: boolean): void {
    const { output, labels, enumName, dropTotals } = this.#parts;
    for (const [reason, packets] of dropTotals.untold(isLast)) {
      const one = untoldReason(reason);
      const id = labels.intern({ reason: one === null ? 'other' : reasonName(enumName, 'skb_drop_reason', one) });
      output.drop.metrics[DROP_METRIC.packets] = packets;
      output.drop.yield(id, now);
      labels.release(id);
    }
  }

  /** Their connection did not come about, so nobody else counts them. */
  #tellSynAcks({ identity, count, time }: SynAcks): void {
    const { output, peers, statistics } = this.#parts;
    statistics.delivered += count;
    this.#identity.words.set(identity);
    const peer = peers.find(this.#identity, time);
    output.retransmit.metrics[RETRANSMIT_METRIC.segments] = count;
    output.retransmit.yield(peers.labels(peer, 'retransmit syn', { cause: 'syn' }), time);
  }

  /** The other end by the addresses of the event alone. */
  #identify({ bytes, words }: RecordViews, offset: number): void {
    const identity = this.#identity;
    identity.words.fill(0, 0, PEER_WORDS);
    identity.setAddress(words, (offset + tcpEvent.remoteAddress) >>> 2, bytes[offset + tcpEvent.family]);
    identity.setRole(
      roleOf(bytes[offset + tcpEvent.state]),
      readPort(bytes, offset + tcpEvent.localPort),
      readPort(bytes, offset + tcpEvent.remotePort),
    );
  }
}

function roleOf(state: number): number {
  switch (state) {
    case SYN_SENT:
      return ROLE.client;
    case SYN_RECEIVED:
    case NEW_SYN_RECEIVED:
    case LISTEN:
      return ROLE.server;
    default:
      return ROLE.unknown;
  }
}
