// Node's own http client. Arguments: URL, number of requests, connections, `keep` or `close`.
// Prints one JSON line: how many answers of which status, bytes over all connections.
import { Agent, get } from 'node:http';

const [url, total, connections, life] = process.argv.slice(2);
const agent = new Agent({ keepAlive: life === 'keep', maxSockets: Number(connections) });
const result = { statuses: {}, sent: 0, received: 0 };
const sockets = new Set();
let started = 0;

function next() {
  if (started >= Number(total)) return Promise.resolve();
  started++;
  return new Promise((resolve, reject) => {
    const request = get(url, { agent }, (response) => {
      result.statuses[response.statusCode] = (result.statuses[response.statusCode] ?? 0) + 1;
      response.resume().on('end', resolve).on('error', reject);
    });
    request.on('error', reject);
    request.on('socket', (socket) => {
      if (sockets.has(socket)) return;
      sockets.add(socket);
      socket.on('close', () => {
        result.sent += socket.bytesWritten;
        result.received += socket.bytesRead;
        sockets.delete(socket);
        if (started >= Number(total) && sockets.size === 0 && done) console.log(JSON.stringify(result));
      });
    });
  }).then(next);
}

let done = false;
await Promise.all(Array.from({ length: Number(connections) }, next));
done = true;
if (sockets.size === 0) console.log(JSON.stringify(result));
agent.destroy();
