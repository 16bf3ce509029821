import type { Exchange } from '../exchange.ts';
import type { Segment } from '../segment.ts';
import type { Texts } from '../texts.ts';

/** What `detect` says of some bytes. */
export const DETECTION = {
  /** They are not this protocol's. */
  no: 0,
  /** They may be: ask again with more of them. */
  maybe: 1,
  yes: 2,
} as const;
export type Detection = (typeof DETECTION)[keyof typeof DETECTION];

/** How requests and responses of a protocol find each other. */
export type ProtocolMode =
  /** One request, then its response: a change of direction is a boundary. */
  | 'half_duplex'
  /** Several requests may wait; responses come in the requests' order. */
  | 'pipelined'
  /** Several requests may wait; an id tells which one a response is for. */
  | 'multiplexed';

/** One protocol. It has no state: what belongs to a connection lies in the parser that `create` makes. */
export interface ProtocolModule {
  /** The `protocol` label. */
  readonly name: string;
  readonly mode: ProtocolMode;
  /** What the module can be given. Datagrams come one a `data` call. */
  readonly transports: readonly ('tcp' | 'udp')[];
  /** Ports that break a tie where the bytes cannot tell; never needed. */
  readonly ports: readonly number[];
  /** How long a request may wait for its answer before it is `no_response`, unless configured. */
  readonly timeoutNs: number;
  /**
   * Whether bytes[start, end), the beginning of a message, are this protocol's. Must look at a bounded number of
   * bytes, never throw, and never say `yes` for another protocol's message.
   *
   * @param fromClient the side that is assumed to have sent them; with an unknown role both are tried
   * @param whole no more bytes of this message will ever be seen: `maybe` is then as good as `no`
   */
  detect(bytes: Uint8Array, start: number, end: number, fromClient: boolean, whole: boolean): Detection;
  create(host: ProtocolHost): Parser;
}

/** How a connection ended for a parser. */
export type ConnectionEnd =
  /** Either end closed it. */
  | 'closed'
  | 'reset'
  /** The peer stopped answering at all. */
  | 'timeout'
  /** The recording ends here, the connection may have gone on. */
  | 'input_end'
  /** The analyzer stops here, the connection goes on. */
  | 'flush'
  /** It is over, but its close record was lost or it had to make room. */
  | 'lost';

/** Records that never came, between two that did. */
export interface Gap {
  /** Who sent the message that was seen last before the gap. */
  readonly lastFromClient: boolean;
  /** Messages (turns) that lie wholly in the gap. */
  readonly turns: number;
  /** Who sends the message that follows; its first bytes are in the gap too if `headless`. */
  readonly nextFromClient: boolean;
  readonly headless: boolean;
  /** What passed unseen. */
  readonly clientBytes: number;
  readonly serverBytes: number;
  /** Time of the last call in the gap. */
  readonly time: number;
}

/**
 * The state of one connection in one protocol. The analyzer calls it in the order of the stream:
 *
 * - `turn` when a message of a side begins, then `data` with what was captured of a call and how much of it was
 *   not (`Segment.unseen`, which follows the captured bytes), and `skip` for bytes of calls that left no record
 *   (policy `headers`) or whose record was lost within a turn.
 * - `gap` instead of `turn` when whole messages are missing.
 *
 * A parser finds frame boundaries through all of this: it keeps its framing over bytes that it did not see as
 * long as a length covers them, and where it cannot, it says so (`Exchange.complete`) and finds the next boundary
 * at the next turn or by a frame it recognises. State is bounded in bytes and in open exchanges.
 */
export interface Parser {
  data(fromClient: boolean, segment: Segment): void;
  skip(fromClient: boolean, bytes: number, time: number): void;
  turn(fromClient: boolean, segment: Segment): void;
  gap(gap: Gap): void;
  /** About once a second of the events' time while exchanges are open. */
  tick(now: number): void;
  /**
   * The oldest exchange has to make room, incomplete: finish it and keep no hold of it. Needed where several are
   * open: its response may be under way, or yet come, and is no other exchange's.
   */
  evict?(exchange: Exchange): void;
  /** Ends every open exchange. Nothing is called afterwards. */
  end(reason: ConnectionEnd, time: number): void;
}

/** Why a record went into no exchange. The first two are drops, the others by design. */
export type RefusalReason =
  /** Its counterpart lies before the capture or in a gap. */
  | 'gap'
  /** It cannot be read. */
  | 'parse'
  /** Nobody asked: greetings, pushes, what follows a finished exchange. */
  | 'unrequested'
  /** The answer to an exchange that was reported as `no_response`. */
  | 'late'
  /** Its protocol is switched off. */
  | 'off';

/** What a parser sees of its connection and may do with it. */
export interface ProtocolHost {
  /** True if the capture sits at the server's end. */
  readonly isServer: boolean;
  readonly texts: Texts;
  readonly timeoutNs: number;
  /** The exchange whose request came first, and the last one; linked by `next`. */
  readonly first: Exchange | null;
  readonly last: Exchange | null;
  readonly openExchanges: number;

  /** A request begins in this segment. At the bound of open exchanges the oldest ends first, incomplete. */
  open(segment: Segment): Exchange;
  /** A request that was not seen is known to have begun, not after `time`. */
  openUnseen(time: number): Exchange;
  /** The segment belongs to the exchange: the law counts the record there. */
  credit(exchange: Exchange, segment: Segment): void;
  /** Why the segment now in `data` will be part of no exchange, should it be. */
  refuse(reason: RefusalReason): void;
  /** Yields the exchange, wherever in the queue it stands, and takes it back. */
  finish(exchange: Exchange): void;
  /** Yields the exchange as it stands, and keeps it in the queue to pair a late response. */
  report(exchange: Exchange): void;
  /** Yields so many exchanges of which nothing is known but that they were; what is too many at once is counted apart. */
  lost(count: number, requestBytes: number, responseBytes: number, time: number): void;

  /** Counts a message that is read as far as it came, because too much is kept for all connections together. */
  cutShort(): void;

  /**
   * From the next message on, its first bytes are enough: policy `headers` with a size class for each side (0 no
   * payload, else up to 32 << class bytes). Bytes that are not captured come as `unseen` and `skip`.
   */
  narrow(requestClass: number, responseClass: number): void;
  /** Every call is needed again: policy `stream`. */
  widen(): void;
  /** What follows is another protocol (an upgrade), or never was this one: the generic parser takes over. */
  handOver(): Parser;
}
