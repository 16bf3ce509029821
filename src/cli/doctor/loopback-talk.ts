// A process of `sonde doctor`: it makes the request that the doctor looks for. It tells its parent its port, makes
// one request to itself for each message, and ends with its parent.
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

const server = createServer((_, response) => {
  response.end('ok');
});

function talk(): void {
  const { port } = server.address() as AddressInfo;
  const call = request({ host: '127.0.0.1', port, path: '/sonde-doctor', agent: false }, (response) => {
    response.resume();
    response.once('end', () => process.send?.({ answered: response.statusCode }));
  });
  call.once('error', (error) => process.send?.({ failed: error.message }));
  call.end();
}

server.once('error', (error) => process.send?.({ failed: error.message }));
process.on('message', talk);
process.once('disconnect', () => process.exit(0));
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
