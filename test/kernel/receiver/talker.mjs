/** Asks itself so many questions over one TCP connection as the parent wants, each answered before the next. */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import process from 'node:process';

const server = createServer((socket) => {
  socket.setNoDelay(true);
  socket.on('data', (data) => socket.write(String(data).replace('question', 'answer')));
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address();

let client;
async function talk(rounds) {
  if (client === undefined) {
    client = connect(port, '127.0.0.1');
    client.setNoDelay(true);
    await once(client, 'connect');
  }
  for (let i = 0; i < rounds; i++) {
    client.write(`question ${i}`);
    await once(client, 'data');
  }
  process.send({ rounds });
}
process.on('message', ({ rounds }) => void talk(rounds));
process.on('disconnect', () => process.exit(0));
process.send({ port });
