/**
 * Every internal name in one place: DataGroup names, label keys, and the values that labels take.
 * Exporters rename these in their adapters; nothing else does.
 */

/** Names of the DataGroups that flow through the pipeline. */
export const GROUP = {
  request: 'net_request_metric_group',
  tcpConnect: 'tcp_connect_metric_group',
  tcpClose: 'tcp_close_metric_group',
  tcpQuality: 'tcp_quality_metric_group',
  tcpRetransmit: 'tcp_retransmit_metric_group',
  tcpReset: 'tcp_reset_metric_group',
  tcpDrop: 'tcp_drop_metric_group',
  tcpConnection: 'tcp_connection_metric_group',
  tcpListen: 'tcp_listen_metric_group',
  udp: 'udp_metric_group',
} as const;

/** Label keys inside the pipeline. */
export const LABEL = {
  protocol: 'protocol',
  role: 'role',
  operation: 'operation',
  /** Clustered resource, for example an HTTP route. Low cardinality. */
  route: 'route',
  status: 'status',
  error: 'error',
  clientAddress: 'client_address',
  serverAddress: 'server_address',
  serverPort: 'server_port',
  pid: 'pid',
  comm: 'comm',
  executable: 'executable',
  containerId: 'container_id',
  serviceName: 'service_name',
  /** The other end's, of what is told by connection and not by exchange. */
  peerAddress: 'peer_address',
  /** How a connect ended. */
  result: 'result',
  /** Which end it was. */
  side: 'side',
  reason: 'reason',
  cause: 'cause',
  /** "true" on the one label set that takes what no longer fits. */
  overflow: 'overflow',
} as const;

export type LabelKey = (typeof LABEL)[keyof typeof LABEL];

/** Why an exchange failed (`error` in docs/exchanges.md). `status`: the protocol said so, the code is in `status`. */
export const ERROR_KINDS = ['connect_failed', 'no_response', 'reset', 'closed', 'malformed', 'status'] as const;
export type ErrorKind = (typeof ERROR_KINDS)[number];

/** How a connect ends (label `result`). */
export const CONNECT_RESULTS = ['ok', 'refused', 'timeout', 'unreachable', 'reset'] as const;
export type ConnectResult = (typeof CONNECT_RESULTS)[number];

/** The two protocols that exist so far; each protocol module brings its own name. */
export const PROTOCOL = { http: 'http', generic: 'generic' } as const;
