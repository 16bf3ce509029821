import type { Attributes, Exchange } from '../../exchange.ts';
import type { Text } from '../../text-table.ts';

/** What HTTP keeps of an exchange beside the common fields. */
export class HttpDetail {
  isHead = false;
  isConnect = false;
  expectContinue = false;
  /** Both messages were framed by what was seen of their heads. */
  exact = true;
  /** 10, 11, or 0. */
  version = 0;
  status = 0;
  host: Text | null = null;
  agent: Text | null = null;

  reset(): void {
    this.isHead = false;
    this.isConnect = false;
    this.expectContinue = false;
    this.exact = true;
    this.version = 0;
    this.status = 0;
    this.host = null;
    this.agent = null;
  }
}

/** The detail of an exchange that HTTP opened. */
export function detailOf(exchange: Exchange): HttpDetail {
  return exchange.detail as HttpDetail;
}

/** Makes a fresh exchange HTTP's. */
export function beginDetail(exchange: Exchange): HttpDetail {
  if (exchange.describe !== describe) exchange.describe = describe;
  if (exchange.detail !== null) {
    const known = detailOf(exchange);
    known.reset();
    return known;
  }
  const detail = new HttpDetail();
  exchange.detail = detail;
  return detail;
}

/** OpenTelemetry semantic conventions for HTTP; what was not seen is absent. */
function describe(exchange: Exchange): Attributes {
  const detail = detailOf(exchange);
  const attributes: Record<string, string | number | boolean> = {};
  if (exchange.operation !== null) attributes['http.request.method'] = exchange.operation.text;
  if (exchange.route !== null) attributes['http.route'] = exchange.route.text;
  if (exchange.resource !== null && !detail.isConnect) attributes['url.path'] = exchange.resource.text;
  if (detail.host !== null) addServer(attributes, detail.host.text);
  if (detail.status !== 0) attributes['http.response.status_code'] = detail.status;
  if (detail.version !== 0) attributes['network.protocol.version'] = detail.version === 11 ? '1.1' : '1.0';
  if (detail.agent !== null) attributes['user_agent.original'] = detail.agent.text;
  return attributes;
}

/** `host`, `host:port`, `[v6]:port` */
function addServer(attributes: Record<string, string | number | boolean>, host: string): void {
  const match = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(host);
  if (match === null || match[1] === '') return;
  attributes['server.address'] = match[1].replace(/^\[|\]$/g, '');
  if (match[2] !== undefined) attributes['server.port'] = Number(match[2]);
}
