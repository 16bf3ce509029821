import { GROUP, LABEL } from '../../model/names.ts';
import type { LabelKey } from '../../model/names.ts';
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
import { DURATION_BOUNDS } from './layout.ts';
import type { MetricChoice, MetricChoices } from './layout.ts';

/** What one kind of group is summed up to. */
export interface GroupSpec {
  /** One of `GROUP` in names.ts. */
  readonly name: string;
  /** Where the group's `metrics` has which value. */
  readonly positions: Readonly<Record<string, number>>;
  /** What is kept of which value. */
  readonly metrics: MetricChoices;
  /** Labels that its series keep. */
  readonly keys: readonly LabelKey[];
}

const PEER: readonly LabelKey[] = [LABEL.serviceName, LABEL.role, LABEL.peerAddress, LABEL.serverPort];

const SUM: MetricChoice = { kinds: ['sum'] };
const LEVEL: MetricChoice = { kinds: ['level'] };

const histogram = (bounds: readonly number[]): MetricChoice => ({ kinds: ['histogram'], bounds });

/** Round trips, in ns: from within a host to around the world. */
const RTT_BOUNDS = [2.5e4, 5e4, 1e5, 2.5e5, 5e5, 1e6, 2.5e6, 5e6, 1e7, 2.5e7, 5e7, 1e8, 1.5e8, 2e8, 3e8, 5e8, 1e9, 3e9];
/** How long connections are open, in ns. */
const LIFE_BOUNDS = [1e6, 1e7, 1e8, 1e9, 1e10, 6e10, 6e11, 3.6e12, 8.64e13];
/** Bytes a second. */
const RATE_BOUNDS = [1e4, 1e5, 1e6, 3e6, 1e7, 3e7, 1e8, 3e8, 1e9, 3e9, 1e10];

const sums = <Name extends string>(...names: readonly Name[]): Record<Name, MetricChoice> =>
  Object.fromEntries(names.map((name) => [name, SUM])) as Record<Name, MetricChoice>;

/** What is summed up of TCP and UDP. */
export const NETWORK_GROUPS: readonly GroupSpec[] = [
  {
    name: GROUP.tcpConnect,
    positions: CONNECT_METRIC,
    metrics: { duration: histogram(DURATION_BOUNDS), ...sums('connects', 'accepts') },
    keys: [...PEER, LABEL.result],
  },
  {
    name: GROUP.tcpClose,
    positions: CLOSE_METRIC,
    metrics: { duration: histogram(LIFE_BOUNDS), ...sums('closes') },
    keys: [...PEER, LABEL.side, LABEL.reason],
  },
  {
    name: GROUP.tcpQuality,
    positions: QUALITY_METRIC,
    metrics: {
      rtt: histogram(RTT_BOUNDS),
      rttVariation: histogram(RTT_BOUNDS),
      minRtt: histogram(RTT_BOUNDS),
      deliveryRate: histogram(RATE_BOUNDS),
      ...sums(
        'sentBytes',
        'retransmittedBytes',
        'receivedBytes',
        'sentSegments',
        'receivedSegments',
        'spurious',
        'lossProbes',
        'outOfOrder',
        'reordered',
        'delivered',
        'busy',
        'receiverLimited',
        'bufferLimited',
        'zeroWindow',
      ),
    },
    keys: PEER,
  },
  {
    name: GROUP.tcpRetransmit,
    positions: RETRANSMIT_METRIC,
    metrics: sums('segments'),
    keys: [...PEER, LABEL.cause],
  },
  { name: GROUP.tcpReset, positions: RESET_METRIC, metrics: sums('resets'), keys: [...PEER, LABEL.side, LABEL.reason] },
  { name: GROUP.tcpDrop, positions: DROP_METRIC, metrics: sums('packets'), keys: [...PEER, LABEL.reason] },
  {
    name: GROUP.tcpConnection,
    positions: CONNECTION_METRIC,
    metrics: { connections: LEVEL, unread: LEVEL, unsent: LEVEL },
    keys: PEER,
  },
  {
    name: GROUP.tcpListen,
    positions: LISTEN_METRIC,
    metrics: { backlog: LEVEL, maxBacklog: LEVEL, overflows: SUM },
    keys: [LABEL.serviceName, LABEL.serverAddress, LABEL.serverPort],
  },
  {
    name: GROUP.udp,
    positions: UDP_METRIC,
    metrics: sums('sentDatagrams', 'sentBytes', 'receivedDatagrams', 'receivedBytes'),
    keys: PEER,
  },
];
