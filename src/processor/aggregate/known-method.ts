/** Methods that OpenTelemetry's semantic conventions for HTTP know. */
const METHODS: ReadonlySet<string> = new Set([
  'CONNECT',
  'DELETE',
  'GET',
  'HEAD',
  'OPTIONS',
  'PATCH',
  'POST',
  'PUT',
  'QUERY',
  'TRACE',
]);

/**
 * The method as series keep it: one that the conventions do not know is `_OTHER`, so that no client makes a series of
 * each word that it sends. Exchange lines say what was sent.
 * https://opentelemetry.io/docs/specs/semconv/http/http-metrics/
 */
export function knownMethod(method: string): string {
  return METHODS.has(method) ? method : '_OTHER';
}
