import type { LabelSetId, Labels } from '../../model/label-sets.ts';
import type { LabelInterner } from '../network/label-cache.ts';
import { Peer, PEER_WORDS } from './peer.ts';
import type { PeerIdentity } from './peer.ts';

/** A peer that nothing is open with and that was not heard of for so long is forgotten. */
const IDLE_NS = 60e9;

/** The other ends of this host's connections. Bounded: what finds no room shares one peer that is nobody. */
export class PeerTable {
  readonly #labels: LabelInterner;
  readonly #capacity: number;
  #peers = new Map<number, Peer>();
  #count = 0;
  readonly #nobody = new Peer(new Uint32Array(PEER_WORDS), undefined);

  constructor(labels: LabelInterner, capacity: number) {
    this.#labels = labels;
    this.#capacity = capacity;
  }

  /** The peer of an identity, which is copied if it is new. */
  find({ words }: PeerIdentity, now: number): Peer {
    let hash = 0;
    for (let i = 0; i < PEER_WORDS; i++) hash = Math.imul(hash ^ words[i], 0x9e3779b1) ^ (hash >>> 15);
    const first = this.#peers.get(hash);
    for (let peer = first; peer !== undefined; peer = peer.next) {
      if (isSame(peer.identity, words)) {
        peer.usedAt = now;
        return peer;
      }
    }
    if (this.#count >= this.#capacity) return this.#nobody;
    const peer = new Peer(words.slice(), first);
    peer.usedAt = now;
    this.#peers.set(hash, peer);
    this.#count++;
    return peer;
  }

  /** The label set of a peer with these labels added. @param key tells them apart from others of the peer */
  labels(peer: Peer, key = '', added: Labels | (() => Labels) = {}): LabelSetId {
    const known = peer.sets.get(key);
    if (known !== undefined) return known;
    const id = this.#labels.intern({ ...peer.labels(), ...(typeof added === 'function' ? added() : added) });
    // An overflow set is not kept: there may be room next time.
    if (this.#labels.labels(id).overflow === undefined) peer.sets.set(key, id);
    return id;
  }

  *all(): Iterable<Peer> {
    yield this.#nobody;
    for (const first of this.#peers.values()) {
      for (let peer: Peer | undefined = first; peer !== undefined; peer = peer.next) yield peer;
    }
  }

  /** Forgets peers that are gone. */
  sweep(now: number): void {
    const kept = new Map<number, Peer>();
    this.#count = 0;
    for (const [hash, first] of this.#peers) {
      let next: Peer | undefined;
      for (let peer: Peer | undefined = first; peer !== undefined; peer = next) {
        next = peer.next;
        if (peer.connections === 0 && peer.datagrams === 0 && now - peer.usedAt >= IDLE_NS) {
          this.#release(peer);
          continue;
        }
        peer.next = kept.get(hash);
        kept.set(hash, peer);
        this.#count++;
      }
    }
    this.#peers = kept;
  }

  #release(peer: Peer): void {
    for (const id of peer.sets.values()) if (this.#labels.alive(id)) this.#labels.release(id);
    peer.sets.clear();
  }
}

function isSame(a: Uint32Array, b: Uint32Array): boolean {
  for (let i = 0; i < PEER_WORDS; i++) if (a[i] !== b[i]) return false;
  return true;
}
