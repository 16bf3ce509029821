// An HTTP server on Node's own http module. Argument: port. It prints `listening`, then for each connection that
// ended one JSON line with the bytes that went over it.
import { createServer } from 'node:http';

const server = createServer((request, response) => {
  const [, route, first = '0', second = '0'] = (request.url ?? '/').split('?')[0].split('/');
  const routes = {
    // /fixed/BYTES
    fixed: () => response.setHeader('content-length', first).end(Buffer.alloc(Number(first), 'x')),
    // /chunked/BYTES/CHUNKS
    chunked: () => {
      for (let i = 0; i < Number(second); i++) response.write(Buffer.alloc(Number(first), 'x'));
      response.end();
    },
    // /status/CODE
    status: () => response.writeHead(Number(first)).end(),
    // /delay/MILLISECONDS
    delay: () => setTimeout(() => response.end('late'), Number(first)),
    // /until-close/BYTES: a body that only the end of the connection ends
    'until-close': () => {
      response.useChunkedEncodingByDefault = false;
      response.removeHeader('transfer-encoding');
      response.setHeader('connection', 'close');
      response.writeHead(200).end(Buffer.alloc(Number(first), 'x'));
    },
    // /early: an interim answer first
    early: () => {
      response.writeEarlyHints({ link: '</a.css>; rel=preload; as=style' });
      response.end('done');
    },
    // /upload: reads the request's body and says how long it was
    upload: () => {
      let length = 0;
      request.on('data', (data) => (length += data.length));
      request.on('end', () => response.end(`${length}\n`));
    },
    // /reset-after/BYTES: says it sends 1 MB, sends BYTES of it, then resets the connection
    'reset-after': () => {
      response.setHeader('content-length', 1_000_000);
      response.write(Buffer.alloc(Number(first), 'x'), () => setImmediate(() => request.socket.resetAndDestroy()));
    },
    // /reset: resets instead of an answer
    reset: () => request.socket.resetAndDestroy(),
    // /hang-up: closes instead of an answer
    'hang-up': () => request.socket.destroy(),
  };
  (routes[route] ?? (() => response.end('hello\n')))();
});
server.keepAliveTimeout = 60_000;
server.on('connection', (socket) => {
  const port = socket.remotePort;
  socket.on('close', () => {
    console.log(JSON.stringify({ port, received: socket.bytesRead, sent: socket.bytesWritten }));
  });
});
server.on('upgrade', (request, socket) => {
  socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
  socket.pipe(socket);
});
server.listen({ port: Number(process.argv[2]), host: '::' }, () => console.log('listening'));
