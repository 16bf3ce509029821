/** What an exchange of a conversation must be, whatever way its bytes were cut. */
export interface Expected {
  operation: string | null;
  resource: string | null;
  status: string | null;
  error?: string | null;
  requestBytes: number;
  responseBytes: number;
  complete?: boolean;
}

export interface Conversation {
  readonly name: string;
  /** Client's and server's bytes in their order; the first letter tells the side. */
  readonly steps: readonly (readonly ['client' | 'server', string])[];
  readonly expected: readonly Expected[];
  /** Several requests wait at a time: what is cut off can hide some. */
  readonly pipelined?: boolean;
}

const crlf = (text: string): string => text.replaceAll('\n', '\r\n');

function request(line: string, fields = 'Host: example.org\n', body = ''): string {
  return crlf(`${line} HTTP/1.1\n${fields}\n`) + body;
}

function response(status: string, fields = '', body = ''): string {
  return crlf(`HTTP/1.1 ${status}\nServer: test\n${fields}\n`) + body;
}

const OK = response('200 OK', 'Content-Length: 5\n', 'hello');
const GET = request('GET /plain');

function exchange(
  operation: string,
  resource: string | null,
  status: string,
  requestBytes: number,
  responseBytes: number,
  error: string | null = null,
): Expected {
  return { operation, resource, status, error, requestBytes, responseBytes };
}

/** One request, one response. */
function pair(name: string, ask: string, answer: string, operation: string, resource: string | null): Conversation {
  const status = answer.slice(9, 12);
  return {
    name,
    steps: [
      ['client', ask],
      ['server', answer],
    ],
    expected: [exchange(operation, resource, status, ask.length, answer.length, status >= '500' ? 'status' : null)],
  };
}

function followed(conversation: Conversation): Conversation {
  return {
    ...conversation,
    name: `${conversation.name}, then another request`,
    steps: [...conversation.steps, ['client', GET], ['server', OK]],
    expected: [...conversation.expected, exchange('GET', '/plain', '200', GET.length, OK.length)],
  };
}

const chunkedBody = crlf('5\nhello\n7;name=value\n, world\n0\n\n');
const trailerBody = crlf('a\n0123456789\n000\nX-Sum: 1\nX-Other: 2\n\n');

const singles: Conversation[] = [
  pair('a body with a length', GET, OK, 'GET', '/plain'),
  pair('no body', GET, response('200 OK', 'Content-Length: 0\n'), 'GET', '/plain'),
  pair('a request body', request('POST /form', 'content-length:  7\n', 'a=1&b=2'), OK, 'POST', '/form'),
  pair('a query', request('GET /search?q=secret&n=1'), OK, 'GET', '/search'),
  pair('HEAD with a length', request('HEAD /plain'), response('200 OK', 'Content-Length: 500\n'), 'HEAD', '/plain'),
  pair('HEAD, chunked', request('HEAD /x'), response('200 OK', 'Transfer-Encoding: chunked\n'), 'HEAD', '/x'),
  pair('204 without a length', request('DELETE /item'), response('204 No Content'), 'DELETE', '/item'),
  pair('304 with a length', GET, response('304 Not Modified', 'Content-Length: 99\n'), 'GET', '/plain'),
  pair('chunks', GET, response('200 OK', 'Transfer-Encoding: chunked\n', chunkedBody), 'GET', '/plain'),
  pair('trailers', GET, response('200 OK', 'Transfer-Encoding: gzip, chunked\n', trailerBody), 'GET', '/plain'),
  pair(
    'chunks over a length',
    GET,
    response('200 OK', 'Content-Length: 3\nTransfer-Encoding: chunked\n', chunkedBody),
    'GET',
    '/plain',
  ),
  pair(
    'a chunked request',
    request('PUT /up', 'Transfer-Encoding: Chunked\n', chunkedBody),
    response('201 Created', 'Content-Length: 0\n'),
    'PUT',
    '/up',
  ),
  pair(
    'two equal lengths',
    GET,
    response('200 OK', 'Content-Length: 5\nContent-Length: 5\n', 'hello'),
    'GET',
    '/plain',
  ),
  pair('a list of equal lengths', GET, response('200 OK', 'Content-Length: 5, 5\n', 'hello'), 'GET', '/plain'),
  pair(
    'a body that looks like a response',
    GET,
    response('200 OK', `Content-Length: ${OK.length}\n`, OK),
    'GET',
    '/plain',
  ),
  pair(
    'a request body that looks like a request',
    request('POST /p', `Content-Length: ${GET.length}\n`, GET),
    OK,
    'POST',
    '/p',
  ),
  pair('a server error', GET, response('503 Unavailable', 'Content-Length: 0\n'), 'GET', '/plain'),
  pair('a client error is none of the server', GET, response('404 Not Found', 'Content-Length: 0\n'), 'GET', '/plain'),
  pair('a status without a reason', GET, crlf('HTTP/1.1 200\nContent-Length: 0\n\n'), 'GET', '/plain'),
  pair('bare line feeds', 'GET /lf HTTP/1.1\nHost: a\n\n', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok', 'GET', '/lf'),
  pair('the absolute form', request('GET http://user:pw@example.org:81/abs/olute?x'), OK, 'GET', '/abs/olute'),
  pair('the absolute form without a path', request('GET http://example.org'), OK, 'GET', '/'),
  pair('the asterisk form', request('OPTIONS *'), OK, 'OPTIONS', '*'),
  pair(
    'a refused CONNECT',
    request('CONNECT db.internal:5432'),
    response('403 Forbidden', 'Content-Length: 0\n'),
    'CONNECT',
    'db.internal:5432',
  ),
  pair('a method of its own', request('M-SEARCH /x'), OK, 'M-SEARCH', '/x'),
  pair('a length with zeros', GET, response('200 OK', 'Content-Length: 0005\n', 'hello'), 'GET', '/plain'),
  pair(
    'HTTP/1.0 that is kept alive',
    'GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n',
    crlf('HTTP/1.0 200 OK\nContent-Length: 2\n\nok'),
    'GET',
    '/old',
  ),
];

const informational: Conversation[] = [
  {
    name: '100 Continue',
    steps: [
      ['client', request('POST /big', 'Content-Length: 10\nExpect: 100-continue\n')],
      ['server', 'HTTP/1.1 100 Continue\r\n\r\n'],
      ['client', '0123456789'],
      ['server', OK],
    ],
    expected: [
      exchange(
        'POST',
        '/big',
        '200',
        request('POST /big', 'Content-Length: 10\nExpect: 100-continue\n').length + 10,
        OK.length + 25,
      ),
    ],
  },
  {
    name: 'a refused expectation',
    steps: [
      ['client', request('POST /big', 'Content-Length: 10\nExpect: 100-continue\n')],
      ['server', response('417 Expectation Failed', 'Content-Length: 0\n')],
    ],
    expected: [
      exchange(
        'POST',
        '/big',
        '417',
        request('POST /big', 'Content-Length: 10\nExpect: 100-continue\n').length,
        response('417 Expectation Failed', 'Content-Length: 0\n').length,
      ),
    ],
  },
  {
    name: 'early hints',
    steps: [
      ['client', GET],
      ['server', response('103 Early Hints', 'Link: </style.css>\n')],
      ['server', OK],
    ],
    expected: [
      exchange(
        'GET',
        '/plain',
        '200',
        GET.length,
        OK.length + response('103 Early Hints', 'Link: </style.css>\n').length,
      ),
    ],
  },
];

const pipelines: Conversation[] = [
  {
    name: 'three requests in one segment',
    pipelined: true,
    steps: [
      ['client', request('GET /a') + request('POST /b', 'Content-Length: 3\n', 'abc') + request('HEAD /c')],
      [
        'server',
        OK +
          response('500 No', 'Transfer-Encoding: chunked\n', chunkedBody) +
          response('200 OK', 'Content-Length: 9\n'),
      ],
    ],
    expected: [
      exchange('GET', '/a', '200', request('GET /a').length, OK.length),
      exchange(
        'POST',
        '/b',
        '500',
        request('POST /b', 'Content-Length: 3\n', 'abc').length,
        response('500 No', 'Transfer-Encoding: chunked\n', chunkedBody).length,
        'status',
      ),
      exchange('HEAD', '/c', '200', request('HEAD /c').length, response('200 OK', 'Content-Length: 9\n').length),
    ],
  },
  {
    name: 'a request that overtakes a response',
    pipelined: true,
    steps: [
      ['client', request('GET /1')],
      ['server', response('200 OK', 'Content-Length: 6\n', 'abc')],
      ['client', request('GET /2')],
      ['server', 'def'],
      ['server', OK],
    ],
    expected: [
      exchange(
        'GET',
        '/1',
        '200',
        request('GET /1').length,
        response('200 OK', 'Content-Length: 6\n', 'abcdef').length,
      ),
      exchange('GET', '/2', '200', request('GET /2').length, OK.length),
    ],
  },
];

const closing: Conversation[] = [
  {
    name: 'a body that ends with the connection',
    steps: [
      ['client', 'GET /old HTTP/1.0\r\n\r\n'],
      ['server', 'HTTP/1.0 200 OK\r\n\r\nall of it'],
    ],
    expected: [exchange('GET', '/old', '200', 21, 28)],
  },
];

export const conversations: readonly Conversation[] = [
  ...singles,
  ...singles.map((one) => followed(one)),
  ...informational,
  ...informational.map((one) => followed(one)),
  ...pipelines,
  ...pipelines.map((one) => followed(one)),
  ...closing,
];
