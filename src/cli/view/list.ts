import { inOrder } from './columns.ts';
import type { Order } from './columns.ts';
import type { Picture, Row, ServiceRow } from './model.ts';
import type { Place, Selectable, Subject } from './state.ts';

/** A line of a list of services, routes or peers. */
export interface ListLine extends Selectable {
  readonly label: string;
  readonly row: Row;
  /** 1: a route below its service. */
  readonly depth: 0 | 1;
}

export interface List {
  readonly lines: readonly ListLine[];
  /** What the first column is called. */
  readonly title: string;
  /** What belongs to the list and is not in it, to say so; empty if that is nothing. */
  readonly rest: string;
}

/** The list of a place, as it is now. `room`: lines that can be seen at once. */
export function listOf(picture: Picture, place: Place, order: Order, room: number): List {
  const { subject } = place;
  const matches = matcher(place.filter);
  switch (subject.kind) {
    case 'peers':
      return peerList(picture, matches, order);
    case 'service':
      return routeList(picture, subject, matches, order);
    default:
      return serviceList(picture, matches, order, room);
  }
}

/** A service or peer without an exchange is worth a line while it has connections, or trouble with them. */
function hasNews({ total, tcp }: Row): boolean {
  return total > 0 || (tcp !== null && (tcp.connections > 0 || tcp.retransmits > 0 || tcp.broken > 0));
}

type Matches = (...texts: readonly string[]) => boolean;

function matcher(filter: string): Matches {
  const wanted = filter.toLowerCase();
  return (...texts) => texts.some((text) => text.toLowerCase().includes(wanted));
}

/** `shop server http` */
export function serviceName({ service, role, protocols }: Pick<ServiceRow, 'service' | 'role' | 'protocols'>): string {
  return `${service} ${role} ${protocols.join('+')}`.trim();
}

/** Every service gets its line first, then the busiest routes as far as there is room. */
function serviceList(picture: Picture, matches: Matches, order: Order, room: number): List {
  const services = inOrder(picture.services.filter(hasNews), order).flatMap((service) => {
    const own = matches(serviceName(service));
    const routes = inOrder(own ? service.routes : service.routes.filter(({ route }) => matches(route)), order);
    return own || routes.length > 0 ? [{ service, routes }] : [];
  });
  const left = room - services.length;
  const shares = share(
    services.map(({ routes }) => routes.length),
    left,
  );
  let hidden = 0;
  const lines: ListLine[] = [];
  for (const [index, { service, routes }] of services.entries()) {
    const shown = routes.slice(0, shares[index]);
    hidden += routes.length - shown.length + service.hiddenRoutes;
    lines.push(serviceLine(service), ...shown.map((route) => routeLine(service, route, 1)));
  }
  const more = [
    ...(hidden > 0 ? [`${hidden} routes`] : []),
    ...(picture.hiddenServices > 0 ? [`${picture.hiddenServices} services`] : []),
  ];
  return { lines, title: 'SERVICE / ROUTE', rest: more.length === 0 ? '' : `${more.join(' and ')} not shown` };
}

/** Shares of the room by turns, so that one service with many routes does not hide the routes of the others. */
function share(wishes: readonly number[], room: number): number[] {
  const shares = wishes.map(() => 0);
  let left = room;
  for (let grown = true; grown && left > 0; ) {
    grown = false;
    for (const [index, wish] of wishes.entries()) {
      if (left > 0 && shares[index] < wish) {
        shares[index] = shares[index] + 1;
        left -= 1;
        grown = true;
      }
    }
  }
  return shares;
}

function serviceLine(row: ServiceRow): ListLine {
  const { service, role } = row;
  return {
    key: `${service}\0${role}`,
    label: serviceName(row),
    row,
    depth: 0,
    opens: { kind: 'service', service, role },
  };
}

function routeLine(service: ServiceRow, route: ServiceRow['routes'][number], depth: 0 | 1): ListLine {
  const name = route.route === '' ? `(any ${route.protocol})` : route.route;
  return {
    key: `${service.service}\0${service.role}\0${route.protocol}\0${route.route}`,
    label: name,
    row: route,
    depth,
    opens: {
      kind: 'exchanges',
      title: `${service.service} ${service.role} ${name}`,
      query: { service: service.service, role: service.role, protocol: route.protocol, route: route.route },
    },
  };
}

function peerLine(peer: ServiceRow['peers'][number], label: string): ListLine {
  return {
    key: `${peer.service}\0${peer.role}\0to\0${peer.peer}`,
    label,
    row: peer,
    depth: 0,
    opens: {
      kind: 'exchanges',
      title: `${peer.service} with ${peer.peer}`,
      query: { service: peer.service, role: peer.role, peer: peer.peer },
    },
  };
}

function routeList(
  picture: Picture,
  subject: Extract<Subject, { kind: 'service' }>,
  matches: Matches,
  order: Order,
): List {
  const service = picture.services.find((one) => one.service === subject.service && one.role === subject.role);
  if (service === undefined) {
    return { lines: [], title: 'ROUTE', rest: '' };
  }
  const lines = [
    ...inOrder(service.routes, order).map((route) => routeLine(service, route, 0)),
    ...inOrder(service.peers, order).map((peer) =>
      peerLine(peer, peer.role === 'server' ? `from ${peer.peer}` : `to ${peer.peer}`),
    ),
  ];
  return {
    lines: lines.filter(({ label }) => matches(label)),
    title: service.peers.length > 0 ? 'ROUTE / PEER' : 'ROUTE',
    rest: service.hiddenRoutes > 0 ? `${service.hiddenRoutes} routes not shown` : '',
  };
}

function peerList(picture: Picture, matches: Matches, order: Order): List {
  const peers = inOrder(
    picture.services.flatMap((service) => service.peers.filter(hasNews)),
    order,
  );
  const lines = peers.map((peer) =>
    peerLine(peer, `${peer.peer} ${peer.role === 'server' ? 'calls' : 'called by'} ${peer.service}`),
  );
  return { lines: lines.filter(({ label }) => matches(label)), title: 'PEER', rest: '' };
}
