import type { Texts } from '../../texts.ts';
import type { ProtocolModule } from '../protocol.ts';
import { detectRequest, detectResponse } from './detect.ts';
import { HttpParser } from './http-parser.ts';
import { HeadBudget } from './partial-head.ts';
import { RequestHead } from './request-head.ts';
import { ResponseHead } from './response-head.ts';
import { StatusTexts } from './status-texts.ts';

/** HTTP/1.0 and HTTP/1.1, RFC 9110 and RFC 9112. */
export function createHttp(texts: Texts): ProtocolModule {
  const scratch = {
    request: new RequestHead(texts),
    response: new ResponseHead(),
    heads: new HeadBudget(),
    statuses: new StatusTexts(texts.words),
  };
  return {
    name: 'http',
    mode: 'pipelined',
    transports: ['tcp'],
    ports: [80, 8080],
    timeoutNs: 60e9,
    detect: (bytes, start, end, fromClient, whole) =>
      fromClient ? detectRequest(bytes, start, end, whole) : detectResponse(bytes, start, end, whole),
    create: (host) => new HttpParser(host, scratch),
  };
}
