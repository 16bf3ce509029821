/** Methods whose requests are recognised. */
export const METHODS = ['GET', 'POST', 'PUT', 'HEAD', 'DELETE', 'PATCH', 'OPTIONS', 'CONNECT', 'TRACE'];
export const VERSIONS = ['HTTP/1.0', 'HTTP/1.1'];
/** What an absolute target begins with. */
export const SCHEMES = ['http://', 'https://'];
/** What a head may begin with, cut anywhere. */
export const BEGINNINGS: ReadonlySet<string> = new Set(
  [...METHODS, ...VERSIONS].flatMap((word) => Array.from({ length: word.length }, (_, i) => word.slice(0, i + 1))),
);

/** Header fields whose values stay: what frames messages, names the server, or ties them to a trace. */
export const KEPT_FIELDS: ReadonlySet<string> = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'traceparent',
  'b3',
  'x-b3-traceid',
  'x-b3-spanid',
  'x-b3-parentspanid',
  'x-b3-sampled',
  'uber-trace-id',
  'apm-transactionid',
  'sw8',
]);
