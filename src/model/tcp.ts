/**
 * Positions in `metrics` of the groups that tell what the network did. Durations in ns, sizes in bytes. Values are
 * what came on top since the group before, but for those of `tcp_connection_metric_group` and the two of a listener's
 * queue, which are how things stand.
 */

/** `tcp_connect_metric_group`: a connect ended, or a connection was accepted. */
export const CONNECT_METRIC = { duration: 0, connects: 1, accepts: 2 } as const;

/** `tcp_close_metric_group`: a connection ended. */
export const CLOSE_METRIC = { duration: 0, closes: 1 } as const;

/** `tcp_quality_metric_group`: how a connection fared since it was looked at before. */
export const QUALITY_METRIC = {
  /** Smoothed round trip; NaN unless something was acknowledged. */
  rtt: 0,
  rttVariation: 1,
  minRtt: 2,
  /** Bytes a second; NaN unless something was acknowledged. */
  deliveryRate: 3,
  sentBytes: 4,
  retransmittedBytes: 5,
  receivedBytes: 6,
  sentSegments: 7,
  receivedSegments: 8,
  spurious: 9,
  lossProbes: 10,
  outOfOrder: 11,
  reordered: 12,
  delivered: 13,
  busy: 14,
  receiverLimited: 15,
  bufferLimited: 16,
  /** This end's receive window was seen closed: a lower bound. */
  zeroWindow: 17,
} as const;

/** `tcp_retransmit_metric_group`: segments sent again, of one cause. */
export const RETRANSMIT_METRIC = { segments: 0 } as const;

/** `tcp_reset_metric_group`. */
export const RESET_METRIC = { resets: 0 } as const;

/** `tcp_drop_metric_group`: packets that this host's kernel threw away. */
export const DROP_METRIC = { packets: 0 } as const;

/** `tcp_connection_metric_group`: the open connections with a peer. */
export const CONNECTION_METRIC = { connections: 0, unread: 1, unsent: 2 } as const;

/** `tcp_listen_metric_group`: a listening socket. */
export const LISTEN_METRIC = { backlog: 0, maxBacklog: 1, overflows: 2 } as const;

/** `udp_metric_group`: datagrams to and from a peer. */
export const UDP_METRIC = { sentDatagrams: 0, sentBytes: 1, receivedDatagrams: 2, receivedBytes: 3 } as const;
