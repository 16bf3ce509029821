/** Asks itself one question over UDP: the asking socket is connected, the answering one is not. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import process from 'node:process';

const server = createSocket('udp4');
server.on('message', (question, from) => server.send(`answer to ${String(question)}`, from.port, from.address));
server.bind(0, '127.0.0.1');
await once(server, 'listening');
const client = createSocket('udp4');
client.connect(server.address().port, '127.0.0.1');
await once(client, 'connect');
process.on('message', () => {
  client.once('message', (answer) => process.send({ answer: String(answer) }));
  client.send('question');
});
process.on('disconnect', () => process.exit(0));
process.send({ port: server.address().port });
