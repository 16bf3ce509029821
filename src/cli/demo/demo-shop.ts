// A small HTTP service for `sonde run --demo`, in a process of its own since the probe never observes itself. It
// tells its parent the port it took, and ends with it.
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const server = createServer((request, response) => {
  request.resume();
  request.once('end', () => answer(request, response));
});

function answer(request: IncomingMessage, response: ServerResponse): void {
  const path = (request.url ?? '/').split('?')[0];
  if (path === '/') {
    respond(response, 200, 'a shop of nothing\n');
  } else if (/^\/products\/\d+$/.test(path)) {
    setTimeout(() => respond(response, 200, JSON.stringify({ id: path.slice(10), price: 1 })), 2 + Math.random() * 6);
  } else if (path === '/orders' && request.method === 'POST') {
    setTimeout(() => respond(response, 201, '{"order":1}'), 10 + Math.random() * 40);
  } else if (path === '/checkout') {
    const broken = Math.random() < 0.2;
    setTimeout(() => respond(response, broken ? 503 : 200, broken ? 'try again\n' : 'paid\n'), 5 + Math.random() * 100);
  } else if (path === '/catalogue') {
    respond(response, 200, 'x'.repeat(64 * 1024));
  } else {
    respond(response, 404, 'no such page\n');
  }
}

function respond(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

process.once('disconnect', () => process.exit(0));
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
