import type { LabelSetId, Labels } from '../../model/label-sets.ts';
import { LABEL } from '../../model/names.ts';
import type { LabelKey } from '../../model/names.ts';
import { ROLE } from '../../model/record.gen.ts';
import type { Connection } from './connection.ts';
import { EndpointTable, IDENTITY_WORDS } from './endpoint.ts';
import type { Endpoint } from './endpoint.ts';
import { errorName } from './exchange.ts';
import type { Exchange } from './exchange.ts';
import { LabelCache, LabelKeyWords } from './label-cache.ts';
import type { LabelInterner } from './label-cache.ts';

const MAX_ENDPOINTS = 16_384;
const MAX_LABEL_SETS = 16_384;

/** Gives an exchange its label set, by integers where it was seen before. */
export class Labeller {
  readonly #labels: LabelInterner;
  readonly #cache: LabelCache;
  readonly #endpoints = new EndpointTable(MAX_ENDPOINTS);
  readonly #key = new LabelKeyWords();
  readonly #identity = new Uint32Array(IDENTITY_WORDS);
  readonly #identityBytes = new Uint8Array(this.#identity.buffer);

  constructor(labels: LabelInterner) {
    this.#labels = labels;
    this.#cache = new LabelCache(labels, MAX_LABEL_SETS);
  }

  label(exchange: Exchange, connection: Connection): LabelSetId {
    const endpoint = this.endpoint(exchange, connection);
    const key = this.#key;
    key.endpoint = endpoint.id;
    key.operation = exchange.operation === null ? 0 : exchange.operation.id;
    key.route = exchange.route === null ? 0 : exchange.route.id;
    key.status = exchange.status === null ? 0 : exchange.status.id;
    key.outcome = (connection.protocol.id << 4) | exchange.error;
    const known = this.#cache.find(key);
    if (known !== 0) return known;
    const id = this.#labels.intern(labelsOf(exchange, connection, endpoint));
    this.#cache.add(key, id);
    return id;
  }

  endpoint(exchange: Exchange, connection: Connection): Endpoint {
    if (exchange.peer !== null) return this.#intern(exchange, connection);
    connection.endpoint ??= this.#intern(exchange, connection);
    return connection.endpoint;
  }

  /** Now and then: lets go of label sets that are not used any more. */
  sweep(): void {
    this.#cache.sweep();
  }

  clear(): void {
    this.#cache.clear();
  }

  #intern(exchange: Exchange, connection: Connection): Endpoint {
    const identity = this.#identity;
    const addresses = connection.addresses;
    const localIsServer = isLocalServer(connection);
    const server = localIsServer ? 0 : 4;
    for (let i = 0; i < 4; i++) {
      identity[i] = addresses[server + i];
      identity[4 + i] = addresses[8 + i];
    }
    let serverPort = localIsServer ? connection.localPort : connection.remotePort;
    const peer = exchange.peer;
    if (peer !== null && !localIsServer) {
      this.#identityBytes.fill(0, 0, 16);
      this.#identityBytes.set(peer.address, 0);
      serverPort = peer.port;
    }
    identity[8] = connection.pid;
    identity[9] = serverPort;
    identity[10] = (connection.family << 8) | (connection.isServer ? 1 : 0);
    return this.#endpoints.intern(identity);
  }
}

/** Whether the local end of the connection is the server's. */
export function isLocalServer(connection: Connection): boolean {
  return connection.localIsServer || connection.role === ROLE.server;
}

/** The client's address is no label: a server with many clients would fill every table. Exchanges tell it. */
function labelsOf(exchange: Exchange, connection: Connection, endpoint: Endpoint): Labels {
  const labels: Partial<Record<LabelKey, string>> = {
    [LABEL.protocol]: connection.protocol.module.name,
    [LABEL.role]: endpoint.isServer ? 'server' : 'client',
  };
  if (exchange.operation !== null) labels[LABEL.operation] = exchange.operation.text;
  if (exchange.route !== null) labels[LABEL.route] = exchange.route.text;
  if (exchange.status !== null) labels[LABEL.status] = exchange.status.text;
  const error = errorName(exchange.error);
  if (error !== null) labels[LABEL.error] = error;
  if (endpoint.serverAddress !== '') labels[LABEL.serverAddress] = endpoint.serverAddress;
  if (endpoint.serverPort !== 0) labels[LABEL.serverPort] = String(endpoint.serverPort);
  if (endpoint.pid !== 0) labels[LABEL.pid] = String(endpoint.pid);
  if (endpoint.comm !== '') labels[LABEL.comm] = endpoint.comm;
  return labels;
}
