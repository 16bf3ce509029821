// The client of demo-shop.ts: about 25 requests a second on the port given as argument, until its parent ends.
import { Agent, request } from 'node:http';

const REQUESTS_PER_SECOND = 25;
const port = Number(process.argv[2]);
const agent = new Agent({ keepAlive: true, maxSockets: 4 });

const VISITS: readonly { readonly method: string; readonly path: () => string; readonly weight: number }[] = [
  { method: 'GET', path: () => '/', weight: 4 },
  { method: 'GET', path: () => `/products/${Math.floor(Math.random() * 1000)}?from=demo`, weight: 10 },
  { method: 'POST', path: () => '/orders', weight: 3 },
  { method: 'GET', path: () => '/checkout', weight: 2 },
  { method: 'GET', path: () => '/catalogue', weight: 1 },
  { method: 'GET', path: () => '/no-such-page', weight: 1 },
];
const TOTAL_WEIGHT = VISITS.reduce((sum, visit) => sum + visit.weight, 0);

function visit(): void {
  let place = Math.random() * TOTAL_WEIGHT;
  const chosen = VISITS.find((one) => (place -= one.weight) < 0) ?? VISITS[0];
  const call = request({ host: '127.0.0.1', port, agent, method: chosen?.method, path: chosen?.path() }, (response) => {
    response.resume();
  });
  // The service ends with the same parent; a refused connection just before that is nobody's concern.
  call.once('error', () => {});
  call.end(chosen?.method === 'POST' ? '{"product":1}' : undefined);
}

process.once('disconnect', () => process.exit(0));
setInterval(visit, 1000 / REQUESTS_PER_SECOND);
