import type { Labels } from '../../model/label-sets.ts';
import { GROUP, LABEL } from '../../model/names.ts';
import type { LabelKey } from '../../model/names.ts';
import type { Kind, SeriesLayout } from '../../model/series.ts';
import type { MetricType } from './metric.ts';
import type { SeriesFamily } from './naming.ts';

/** Internal label keys under the names that people see, in the order in which they are written. */
const NAMES: readonly (readonly [LabelKey, string])[] = [
  [LABEL.serviceName, 'service_name'],
  [LABEL.role, 'role'],
  [LABEL.peerAddress, 'network_peer_address'],
  [LABEL.serverAddress, 'server_address'],
  [LABEL.serverPort, 'server_port'],
  [LABEL.result, 'result'],
  [LABEL.side, 'side'],
  [LABEL.reason, 'reason'],
  [LABEL.cause, 'cause'],
];
const OVERFLOW = [LABEL.overflow, 'otel_metric_overflow'] as const;
const PEER: readonly LabelKey[] = [LABEL.serviceName, LABEL.role, LABEL.peerAddress, LABEL.serverPort];

interface Shown {
  readonly name: string;
  readonly kind: Extract<Kind, 'sum' | 'histogram' | 'level'>;
  readonly help: string;
  /** Default 1; 1e9 makes seconds of ns. */
  readonly divisor?: number;
  /** A label that is the same for all of it. */
  readonly constant?: readonly [string, string];
  readonly accepts?: (labels: Labels) => boolean;
}

interface ShownGroup {
  readonly keys: readonly LabelKey[];
  /** By name of the value. One value may be shown by several, and several in one metric, one after the other. */
  readonly shown: readonly (readonly [string, Shown])[];
}

const SECONDS = 1e9;

const counter = (name: string, help: string, more: Partial<Shown> = {}): Shown => ({
  name,
  kind: 'sum',
  help,
  ...more,
});
const seconds = (name: string, help: string, more: Partial<Shown> = {}): Shown =>
  counter(name, help, { divisor: SECONDS, ...more });
const histogram = (name: string, help: string, more: Partial<Shown> = {}): Shown => ({
  name,
  kind: 'histogram',
  help,
  divisor: SECONDS,
  ...more,
});
const gauge = (name: string, help: string): Shown => ({ name, kind: 'level', help });

const ZERO_WINDOW =
  'Time in which nothing could be sent for want of a receive window: side="send": the peer had none or too little; side="receive": this end was seen to have none, a lower bound.';

const GROUPS: Readonly<Record<string, ShownGroup>> = {
  [GROUP.tcpConnect]: {
    keys: [...PEER, LABEL.result],
    shown: [
      [
        'duration',
        histogram('sonde_tcp_connect_duration_seconds', 'Time to connect, or to fail to: from the first SYN on.', {
          accepts: ({ role }) => role !== 'server',
        }),
      ],
      [
        'connects',
        counter('sonde_tcp_connects_total', 'Connects that ended, by how.', {
          accepts: ({ role }) => role !== 'server',
        }),
      ],
      [
        'accepts',
        counter('sonde_tcp_accepts_total', 'Connections that came in.', { accepts: ({ role }) => role === 'server' }),
      ],
    ],
  },
  [GROUP.tcpClose]: {
    keys: [...PEER, LABEL.side, LABEL.reason],
    shown: [
      [
        'duration',
        histogram(
          'sonde_tcp_connection_duration_seconds',
          'How long connections were open; those that were open before Sonde started are not in it.',
        ),
      ],
      ['closes', counter('sonde_tcp_closes_total', 'Connections that ended, by which side and how.')],
    ],
  },
  [GROUP.tcpQuality]: {
    keys: PEER,
    shown: [
      [
        'rtt',
        histogram('sonde_tcp_rtt_seconds', 'Smoothed round trip time: a sample a look (second) with acknowledgements.'),
      ],
      ['rttVariation', histogram('sonde_tcp_rtt_variation_seconds', 'How much the round trip time varies, likewise.')],
      ['minRtt', histogram('sonde_tcp_min_rtt_seconds', 'Least round trip time of late, likewise.')],
      [
        'deliveryRate',
        histogram('sonde_tcp_delivery_rate_bytes_per_second', 'Rate at which sent bytes arrived, likewise.', {
          divisor: 1,
        }),
      ],
      ['sentBytes', counter('sonde_tcp_sent_bytes_total', 'Bytes sent, with those sent again.')],
      ['retransmittedBytes', counter('sonde_tcp_retransmitted_bytes_total', 'Bytes sent again.')],
      ['receivedBytes', counter('sonde_tcp_received_bytes_total', 'Bytes received.')],
      ['sentSegments', counter('sonde_tcp_sent_segments_total', 'Segments sent.')],
      ['receivedSegments', counter('sonde_tcp_received_segments_total', 'Segments received.')],
      ['delivered', counter('sonde_tcp_delivered_segments_total', 'Segments that the peer acknowledged.')],
      [
        'spurious',
        counter('sonde_tcp_spurious_retransmits_total', 'Segments sent again that the peer had already (DSACK).'),
      ],
      ['lossProbes', counter('sonde_tcp_loss_probes_total', 'Tail loss probes sent.')],
      ['outOfOrder', counter('sonde_tcp_out_of_order_segments_total', 'Segments received before their turn.')],
      [
        'reordered',
        counter('sonde_tcp_reordering_events_total', 'Times that sent segments were seen to be reordered.'),
      ],
      ['busy', seconds('sonde_tcp_busy_seconds_total', 'Time in which something was there to send.')],
      [
        'receiverLimited',
        seconds(
          'sonde_tcp_receiver_limited_seconds_total',
          'Of the busy time: the peer had too little receive window.',
        ),
      ],
      [
        'bufferLimited',
        seconds('sonde_tcp_buffer_limited_seconds_total', 'Of the busy time: the send buffer was too small.'),
      ],
      ['receiverLimited', seconds('sonde_tcp_zero_window_seconds_total', ZERO_WINDOW, { constant: ['side', 'send'] })],
      ['zeroWindow', seconds('sonde_tcp_zero_window_seconds_total', ZERO_WINDOW, { constant: ['side', 'receive'] })],
    ],
  },
  [GROUP.tcpRetransmit]: {
    keys: [...PEER, LABEL.cause],
    shown: [['segments', counter('sonde_tcp_retransmits_total', 'Segments sent again, by cause.')]],
  },
  [GROUP.tcpReset]: {
    keys: [...PEER, LABEL.side, LABEL.reason],
    shown: [['resets', counter('sonde_tcp_resets_total', 'Resets that this host sent or received.')]],
  },
  [GROUP.tcpDrop]: {
    keys: [...PEER, LABEL.reason],
    shown: [
      ['packets', counter('sonde_tcp_drops_total', "TCP packets that this host threw away, by the kernel's reason.")],
    ],
  },
  [GROUP.tcpConnection]: {
    keys: PEER,
    shown: [
      ['connections', gauge('sonde_tcp_connections', 'Open connections.')],
      [
        'unread',
        gauge('sonde_tcp_unread_bytes', 'Bytes received that the application had not taken at the last look.'),
      ],
      ['unsent', gauge('sonde_tcp_unsent_bytes', 'Bytes written that were not sent yet at the last look.')],
    ],
  },
  [GROUP.tcpListen]: {
    keys: [LABEL.serviceName, LABEL.serverAddress, LABEL.serverPort],
    shown: [
      ['backlog', gauge('sonde_tcp_listen_backlog', 'Connections that wait to be accepted.')],
      ['maxBacklog', gauge('sonde_tcp_listen_backlog_limit', 'So many may wait at most.')],
      [
        'overflows',
        counter('sonde_tcp_listen_overflows_total', 'Connections and packets that a listening socket turned away.'),
      ],
    ],
  },
  [GROUP.udp]: {
    keys: PEER,
    shown: [
      ['sentDatagrams', counter('sonde_udp_sent_datagrams_total', 'UDP datagrams sent (needs capture.udp).')],
      ['sentBytes', counter('sonde_udp_sent_bytes_total', 'Bytes in UDP datagrams sent.')],
      ['receivedDatagrams', counter('sonde_udp_received_datagrams_total', 'UDP datagrams received.')],
      ['receivedBytes', counter('sonde_udp_received_bytes_total', 'Bytes in UDP datagrams received.')],
    ],
  },
};

const TYPES = { sum: 'counter', histogram: 'histogram', level: 'gauge' } as const satisfies Record<string, MetricType>;

/** What is shown of a group that is no exchange. Families of one metric follow one another. */
export function networkFamilies(layout: SeriesLayout, group: string): readonly SeriesFamily[] {
  const { keys, shown } = GROUPS[group] ?? { keys: [], shown: [] };
  const names = NAMES.filter(([key]) => keys.includes(key));
  return shown.flatMap(([value, { name, kind, help, divisor = 1, constant, accepts = () => true }]) => {
    const field = layout.fields.find(({ metric, kinds }) => metric === value && kinds.includes(kind));
    if (field === undefined) return [];
    const constants = constant === undefined ? [] : [constant];
    const labels = [...names.map(([, label]) => label), ...constants.map(([label]) => label), OVERFLOW[1]];
    const family: SeriesFamily = {
      metric: { name, type: TYPES[kind], help, labels },
      field,
      kind,
      divisor,
      bounds: field.bounds,
      everyExchange: false,
      accepts,
      labels: (set) => {
        const renamed: (readonly [string, string])[] = [];
        for (const [key, label] of names) {
          const text = set[key];
          if (text !== undefined) renamed.push([label, text]);
        }
        renamed.push(...constants);
        if (set.overflow !== undefined) renamed.push([OVERFLOW[1], set.overflow]);
        return renamed;
      },
    };
    return [family];
  });
}
