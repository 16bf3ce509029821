import type { Metric } from './metric.ts';

/** Metrics about what was seen and what was lost. They are named the same whatever naming is configured. */
export const SONDE_METRICS = {
  produced: {
    name: 'sonde_produced_total',
    type: 'counter',
    help: 'What entered a stage of the law: hook: runs of the socket hooks; ring: records; analyzer: messages; tcp: records of the life and fate of sockets; window: exchanges; window.tcp: groups of TCP and UDP; export.prometheus: samples; export.stdout: exchanges.',
    labels: ['stage'],
  },
  delivered: {
    name: 'sonde_delivered_total',
    type: 'counter',
    help: 'What left a stage of the law for the next one.',
    labels: ['stage'],
  },
  dropped: {
    name: 'sonde_dropped_total',
    type: 'counter',
    help: 'What a stage of the law lost, by reason. produced = delivered + in flight + dropped.',
    labels: ['stage', 'reason'],
  },
  skipped: {
    name: 'sonde_skipped_total',
    type: 'counter',
    help: 'What a stage of the law passed over by design, by reason.',
    labels: ['stage', 'reason'],
  },
  inFlight: {
    name: 'sonde_in_flight',
    type: 'gauge',
    help: 'What is inside a stage of the law at this moment. For window: exchanges of the open window.',
    labels: ['stage'],
  },
  completeness: {
    name: 'sonde_completeness_ratio',
    type: 'gauge',
    help: 'Share of the last closed window that was seen: 1 - dropped/produced of the stage hook, times the same of the stage ring, times the share of exchanges that were not estimated.',
    labels: [],
  },
  exchanges: {
    name: 'sonde_exchanges_total',
    type: 'counter',
    help: 'Exchanges (a request and its response, or the lack of one).',
    labels: ['protocol', 'role'],
  },
  incomplete: {
    name: 'sonde_exchanges_incomplete_total',
    type: 'counter',
    help: 'Exchanges of which a part was lost or cut.',
    labels: ['protocol', 'role'],
  },
  estimated: {
    name: 'sonde_exchanges_estimated_total',
    type: 'counter',
    help: 'Exchanges that were counted without being watched, because the governor sampled: they have no operation, status or duration, and are incomplete too.',
    labels: ['protocol', 'role'],
  },
  expired: {
    name: 'sonde_series_expired_exchanges_total',
    type: 'counter',
    help: 'Exchanges counted in series that have expired; with those of the series shown they add up to sonde_exchanges_total.',
    labels: ['protocol', 'role'],
  },
  series: {
    name: 'sonde_series',
    type: 'gauge',
    help: 'Label sets with series of their own.',
    labels: [],
  },
  seriesOverflowed: {
    name: 'sonde_series_overflowed_total',
    type: 'counter',
    help: 'Label sets that found no room and are counted in a series with otel_metric_overflow="true".',
    labels: [],
  },
  labelSets: {
    name: 'sonde_label_sets',
    type: 'gauge',
    help: 'Distinct sets of labels held inside the pipeline.',
    labels: [],
  },
  labelSetsOverflowed: {
    name: 'sonde_label_sets_overflowed_total',
    type: 'counter',
    help: 'Times that a new set of labels found no room and was replaced by an overflow set.',
    labels: [],
  },
  connections: {
    name: 'sonde_connections',
    type: 'gauge',
    help: 'TCP connections that are followed, with UDP sockets where capture.udp is on.',
    labels: [],
  },
  connectionsOpened: {
    name: 'sonde_connections_opened_total',
    type: 'counter',
    help: 'TCP connections that became known, those that were open before the start included.',
    labels: [],
  },
  connectionsClosed: {
    name: 'sonde_connections_closed_total',
    type: 'counter',
    help: 'TCP connections whose end was seen.',
    labels: [],
  },
  connectionsLost: {
    name: 'sonde_connections_lost_total',
    type: 'counter',
    help: 'TCP connections whose end was not seen: the record of it was lost.',
    labels: [],
  },
  lostRecords: {
    name: 'sonde_lost_records_total',
    type: 'counter',
    help: 'Message records that never came, by their numbers. Why is in sonde_dropped_total of the stages hook and ring.',
    labels: [],
  },
  lostTurns: {
    name: 'sonde_lost_turns_total',
    type: 'counter',
    help: 'Changes of direction that lie in lost records: two of them make an exchange, which is counted as incomplete.',
    labels: [],
  },
  uncountedExchanges: {
    name: 'sonde_exchanges_uncounted_total',
    type: 'counter',
    help: 'Exchanges that lie in lost records, too many at once to count them: they are in no other number.',
    labels: [],
  },
  crowdedOut: {
    name: 'sonde_exchanges_crowded_out_total',
    type: 'counter',
    help: 'Exchanges that ended early, incomplete, because too many were open on their connection.',
    labels: [],
  },
  decidedEarly: {
    name: 'sonde_protocols_decided_early_total',
    type: 'counter',
    help: 'Connections whose protocol was decided on too few bytes because too much waited on all of them.',
    labels: [],
  },
  headsCutShort: {
    name: 'sonde_heads_cut_short_total',
    type: 'counter',
    help: 'HTTP heads that were read as far as they had come because too much of such heads waited on all connections.',
    labels: [],
  },
} as const satisfies Record<string, Metric>;
