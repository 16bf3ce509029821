import type { LabelSetId, Labels } from '../../model/label-sets.ts';
import { LABEL } from '../../model/names.ts';
import type { LabelKey } from '../../model/names.ts';
import { ROLE } from '../../model/record.gen.ts';
import { addressText } from '../network/address.ts';
import { commText } from '../network/endpoint.ts';

/** Words of an identity: address of the other end (4), comm (4), process, server port, family and role. */
export const PEER_WORDS = 11;
const PROCESS = 8;
const PORT = 9;
const KIND = 10;

/** Fills in who is talked to, by whom. */
export class PeerIdentity {
  readonly words = new Uint32Array(PEER_WORDS);

  /** @param address four words, in network order */
  setAddress(source: Uint32Array, at: number, family: number): void {
    for (let i = 0; i < 4; i++) this.words[i] = source[at + i];
    this.words[KIND] = (family << 8) | (this.words[KIND] & 0xff);
  }

  setRole(role: number, localPort: number, remotePort: number): void {
    this.words[KIND] = (this.words[KIND] & ~0xff) | role;
    this.words[PORT] = serverPort(role, localPort, remotePort);
  }

  setProcess(pid: number, source: Uint32Array, comm: number): void {
    this.words[PROCESS] = pid;
    for (let i = 0; i < 4; i++) this.words[4 + i] = source[comm + i];
  }

  copy(peer: Peer): void {
    this.words.set(peer.identity);
  }
}

/** Ports from here on are picked by kernels for clients. */
const FIRST_EPHEMERAL = 32_768;

/** The server's port, 0 if it cannot be told: never one that was picked for a client. */
function serverPort(role: number, localPort: number, remotePort: number): number {
  if (role === ROLE.client) return remotePort;
  if (role === ROLE.server) return localPort;
  const low = localPort === 0 || remotePort === 0 ? Math.max(localPort, remotePort) : Math.min(localPort, remotePort);
  return low < FIRST_EPHEMERAL ? low : 0;
}

/** One other end as one process of this host talks to it: what is open with it, and the label sets that tell of it. */
export class Peer {
  readonly identity: Uint32Array;
  /** Of the same hash. */
  next: Peer | undefined;
  /** Label sets by what they add to the peer's own, see PeerTable.labels. */
  readonly sets = new Map<string, LabelSetId>();
  usedAt = 0;

  connections = 0;
  /** Bytes. */
  unread = 0;
  unsent = 0;
  /** Since they were yielded last. */
  sentDatagrams = 0;
  sentBytes = 0;
  receivedDatagrams = 0;
  receivedBytes = 0;

  constructor(identity: Uint32Array, next: Peer | undefined) {
    this.identity = identity;
    this.next = next;
  }

  /** Those that were not yielded yet. */
  get datagrams(): number {
    return this.sentDatagrams + this.receivedDatagrams;
  }

  labels(): Labels {
    const bytes = new Uint8Array(this.identity.buffer);
    const labels: Partial<Record<LabelKey, string>> = {};
    const role = this.identity[KIND] & 0xff;
    if (role === ROLE.client) labels[LABEL.role] = 'client';
    else if (role === ROLE.server) labels[LABEL.role] = 'server';
    const address = addressText(bytes.subarray(0, 16), this.identity[KIND] >>> 8);
    if (address !== '') labels[LABEL.peerAddress] = address;
    if (this.identity[PORT] !== 0) labels[LABEL.serverPort] = String(this.identity[PORT]);
    if (this.identity[PROCESS] !== 0) labels[LABEL.pid] = String(this.identity[PROCESS]);
    const comm = commText(bytes.subarray(16, 32));
    if (comm !== '') labels[LABEL.comm] = comm;
    return labels;
  }
}
