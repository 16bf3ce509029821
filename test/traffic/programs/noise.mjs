// Traffic that is not plain HTTP over TCP: HTTP over a UNIX socket, UDP datagrams, HTTPS. It goes on until the
// process ends. Arguments: directory for the socket, port for UDP and HTTPS, key file, certificate file.
// Prints `running` after each kind has made 20 round trips, and the number of round trips so far at SIGTERM.
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { createServer, get } from 'node:http';
import { createServer as createSecureServer, Agent as SecureAgent, get as secureGet } from 'node:https';
import { join } from 'node:path';

const [directory, port, key, certificate] = process.argv.slice(2);
const trips = { unix: 0, udp: 0, tls: 0 };
let announced = false;

function count(kind) {
  trips[kind]++;
  if (!announced && Object.values(trips).every((n) => n >= 20)) {
    announced = true;
    console.log('running');
  }
}

const socketPath = join(directory, 'noise.sock');
createServer((request, response) => response.end('unix')).listen(socketPath, function again() {
  get({ socketPath, path: '/noise' }, (response) => {
    response.resume().on('end', () => {
      count('unix');
      setTimeout(again, 5);
    });
  });
});

const echo = createSocket('udp4', (data, from) => echo.send(data, from.port, from.address));
echo.bind(Number(port), '127.0.0.1', () => {
  const asker = createSocket('udp4', () => {
    count('udp');
    setTimeout(ask, 5);
  });
  const ask = () => asker.send('GET /noise HTTP/1.1\r\n\r\n', Number(port), '127.0.0.1');
  ask();
});

const options = { key: readFileSync(key), cert: readFileSync(certificate) };
const agent = new SecureAgent({ keepAlive: true, rejectUnauthorized: false });
createSecureServer(options, (request, response) => response.end('tls')).listen(Number(port), '127.0.0.1', () => {
  const again = () => {
    secureGet({ port: Number(port), host: '127.0.0.1', path: '/noise', agent }, (response) => {
      response.resume().on('end', () => {
        count('tls');
        setTimeout(again, 5);
      });
    });
  };
  again();
});

process.on('SIGTERM', () => {
  console.log(JSON.stringify(trips));
  process.exit(0);
});
