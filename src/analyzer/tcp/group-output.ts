import type { Consumer, DataGroup } from '../../model/data-group.ts';
import type { LabelSetId } from '../../model/label-sets.ts';
import { GROUP } from '../../model/names.ts';
import {
  CLOSE_METRIC,
  CONNECT_METRIC,
  CONNECTION_METRIC,
  DROP_METRIC,
  LISTEN_METRIC,
  QUALITY_METRIC,
  RESET_METRIC,
  RETRANSMIT_METRIC,
  UDP_METRIC,
} from '../../model/tcp.ts';

/** One group that is filled again for each yield. */
export class GroupView implements DataGroup {
  readonly name: string;
  labels: LabelSetId = 0;
  readonly metrics: Float64Array;
  timestamp = Number.NaN;
  readonly #next: Consumer;

  constructor(name: string, positions: Readonly<Record<string, number>>, next: Consumer) {
    this.name = name;
    this.metrics = new Float64Array(Object.keys(positions).length);
    this.#next = next;
  }

  /** Hands over what `metrics` holds. @param time of the event, ns */
  yield(labels: LabelSetId, time: number): void {
    this.labels = labels;
    this.timestamp = time;
    this.#next.consume(this);
  }
}

/** What the analyzer yields, by group. */
export class GroupOutput {
  readonly connect: GroupView;
  readonly close: GroupView;
  readonly quality: GroupView;
  readonly retransmit: GroupView;
  readonly reset: GroupView;
  readonly drop: GroupView;
  readonly connection: GroupView;
  readonly listen: GroupView;
  readonly udp: GroupView;

  constructor(next: Consumer) {
    this.connect = new GroupView(GROUP.tcpConnect, CONNECT_METRIC, next);
    this.close = new GroupView(GROUP.tcpClose, CLOSE_METRIC, next);
    this.quality = new GroupView(GROUP.tcpQuality, QUALITY_METRIC, next);
    this.retransmit = new GroupView(GROUP.tcpRetransmit, RETRANSMIT_METRIC, next);
    this.reset = new GroupView(GROUP.tcpReset, RESET_METRIC, next);
    this.drop = new GroupView(GROUP.tcpDrop, DROP_METRIC, next);
    this.connection = new GroupView(GROUP.tcpConnection, CONNECTION_METRIC, next);
    this.listen = new GroupView(GROUP.tcpListen, LISTEN_METRIC, next);
    this.udp = new GroupView(GROUP.udp, UDP_METRIC, next);
  }
}
