import { ROLE } from '../../model/record.gen.ts';
import type { Peer } from './peer.ts';
import type { RetransmitCauses } from './retransmit-causes.ts';

/** One TCP socket, from its open record to its close. */
export class TcpConnection {
  readonly index: number;
  generation = 0;
  /** Some socket had this place. */
  begun = false;
  live = false;
  joined = false;
  /** A tcp record came. */
  measured = false;
  role: number = ROLE.unknown;
  peer: Peer | null = null;
  /** When it was seen first, ns. */
  openedAt = Number.NaN;
  connectNs = Number.NaN;
  /** It may yet turn out that the connect failed: the close record that says so follows the open record at once. */
  connecting = false;
  /** Bytes that count in its peer's sums. */
  unread = 0;
  unsent = 0;
  causes: RetransmitCauses | null = null;

  constructor(index: number) {
    this.index = index;
  }

  begin(generation: number): void {
    this.generation = generation;
    this.begun = true;
    this.live = true;
    this.joined = false;
    this.measured = false;
    this.role = ROLE.unknown;
    this.peer = null;
    this.openedAt = Number.NaN;
    this.connectNs = Number.NaN;
    this.connecting = false;
    this.unread = 0;
    this.unsent = 0;
    this.causes = null;
  }

  /** It counts with this peer from now on; null: with none. */
  belongTo(peer: Peer | null): void {
    if (this.peer !== null) {
      this.peer.connections--;
      this.peer.unread -= this.unread;
      this.peer.unsent -= this.unsent;
    }
    this.peer = peer;
    if (peer === null) return;
    peer.connections++;
    peer.unread += this.unread;
    peer.unsent += this.unsent;
  }

  hold(unread: number, unsent: number): void {
    if (this.peer !== null) {
      this.peer.unread += unread - this.unread;
      this.peer.unsent += unsent - this.unsent;
    }
    this.unread = unread;
    this.unsent = unsent;
  }
}
