import type { PolicySink } from '../../model/event-batch.ts';
import { POLICY, ROLE } from '../../model/record.gen.ts';
import type { Endpoint } from './endpoint.ts';
import type { Exchange } from './exchange.ts';
import type { Parser, ProtocolHost, RefusalReason } from './protocol/protocol.ts';
import type { Protocol, Protocols } from './protocols.ts';
import type { RecordStore } from './record-store.ts';
import type { Segment } from './segment.ts';
import type { NetworkStatistics } from './statistics.ts';
import type { Texts } from './texts.ts';
import type { TransportHistory } from './transport-history.ts';

/** What all connections of one analyzer share. */
export interface Environment {
  readonly texts: Texts;
  readonly protocols: Protocols;
  readonly statistics: NetworkStatistics;
  readonly policy: PolicySink | null;
  /** How many of so many exchanges, of which nothing is known but that they were, may be yielded now. */
  spendLost(count: number): number;
  /** Counts and yields an exchange; it may be used again when this returns. */
  finished(exchange: Exchange, connection: Connection): void;
}

/** Open exchanges of one connection; a pipeline that is deeper loses its oldest, counted. */
const MAX_OPEN = 1024;

/** One socket: who talks, how far its streams were followed, and its open exchanges in order. */
export class Connection implements ProtocolHost {
  readonly environment: Environment;
  index = 0;
  generation = 0;
  /** Some socket had this place. */
  begun = false;
  /** Between its first record and its close. */
  live = false;
  /** Its records can be taken as they come: it is opened, and nothing is held. */
  direct = false;
  opened = false;

  cookieLow = 0;
  cookieHigh = 0;
  role: number = ROLE.unknown;
  family = 0;
  localPort = 0;
  remotePort = 0;
  /** Local address, remote address, comm: four words each. */
  readonly addresses = new Uint32Array(12);
  /** `local` is the server's end whatever the role: a replay that was told who is who, but not where it sat. */
  localIsServer = false;
  /** It was open before it was followed. */
  joined = false;
  /** Policy `ignore`: what still comes is passed over. */
  ignored = false;
  /** It was interrupted: it is taken up again by its next request, or when none was seen for a while. */
  resumes = false;
  /** Time from which on it is taken up by any record; NaN until the first one since. */
  resumesBy = Number.NaN;
  /** The turn whose beginning may not have been seen, until an exchange began in it; -1 if there is none. */
  joinedTurn = -1;
  pid = 0;
  openedAt = Number.NaN;
  /** Given to the first exchange of a client, then NaN. */
  connectNs = Number.NaN;

  number = 0;
  turnNumber = 0;
  tx = 0;
  rx = 0;
  /** Message records that never came, since the last one that did. */
  missing = 0;
  /** Turns passed for which no record was asked (policy `count`), since the last record of a message. */
  counted = false;
  /** What the parser is told now was counted, not seen. */
  estimating = false;

  parser: Parser | null = null;
  protocol: Protocol;
  endpoint: Endpoint | null = null;
  /** What the network did to it; null while nothing is known. */
  transport: TransportHistory | null = null;
  /** Records that came too early. */
  held: RecordStore | null = null;
  heldSince = 0;
  /** Records that wait until the protocol is known. */
  undecided: RecordStore | null = null;
  undecidedSince = Number.NaN;

  /** 1 while the record in work belongs to no exchange yet. */
  news = 0;
  refusal: RefusalReason = 'unrequested';

  first: Exchange | null = null;
  last: Exchange | null = null;
  openExchanges = 0;

  constructor(environment: Environment) {
    this.environment = environment;
    this.protocol = environment.protocols.generic;
  }

  /** What it speaks is decided. */
  get recognised(): boolean {
    return this.parser !== null;
  }

  get serverPort(): number {
    return this.role === ROLE.server ? this.localPort : this.remotePort;
  }

  get isServer(): boolean {
    return this.role === ROLE.server;
  }

  get texts(): Texts {
    return this.environment.texts;
  }

  get timeoutNs(): number {
    return this.protocol.timeoutNs;
  }

  /** A new socket takes this place. */
  begin(index: number, generation: number): void {
    this.index = index;
    this.generation = generation;
    this.begun = true;
    this.live = true;
    this.direct = false;
    this.opened = false;
    this.cookieLow = 0;
    this.cookieHigh = 0;
    this.role = ROLE.unknown;
    this.family = 0;
    this.localPort = 0;
    this.remotePort = 0;
    this.addresses.fill(0);
    this.localIsServer = false;
    this.joined = false;
    this.ignored = false;
    this.resumes = false;
    this.joinedTurn = -1;
    this.pid = 0;
    this.openedAt = Number.NaN;
    this.connectNs = Number.NaN;
    this.number = 0;
    this.turnNumber = 0;
    this.tx = 0;
    this.rx = 0;
    this.missing = 0;
    this.counted = false;
    this.estimating = false;
    this.parser = null;
    this.protocol = this.environment.protocols.generic;
    this.endpoint = null;
    this.transport = null;
    this.held = null;
    this.undecided = null;
    this.undecidedSince = Number.NaN;
  }

  speak(protocol: Protocol): void {
    this.protocol = protocol;
    this.parser = protocol.module.create(this);
  }

  open(segment: Segment): Exchange {
    const exchange = this.#append();
    exchange.start = segment.time;
    exchange.lastActivity = segment.time;
    exchange.queueNs = segment.queueNs;
    exchange.messages = this.news;
    this.news = 0;
    return exchange;
  }

  openUnseen(time: number): Exchange {
    const exchange = this.#append();
    exchange.start = time;
    exchange.lastActivity = time;
    exchange.timed = false;
    exchange.estimated = this.estimating;
    return exchange;
  }

  credit(exchange: Exchange): void {
    exchange.messages += this.news;
    this.news = 0;
  }

  refuse(reason: RefusalReason): void {
    this.refusal = reason;
  }

  finish(exchange: Exchange): void {
    this.#remove(exchange);
    const environment = this.environment;
    if (exchange.reported) environment.statistics.refused('late', exchange.messages);
    else environment.finished(exchange, this);
    exchange.messages = 0;
    this.protocol.pool.give(exchange);
  }

  report(exchange: Exchange): void {
    this.environment.finished(exchange, this);
    exchange.messages = 0;
    exchange.reported = true;
  }

  lost(count: number, requestBytes: number, responseBytes: number, time: number): void {
    const bounded = this.environment.spendLost(count);
    this.environment.statistics.uncountedExchanges += count - bounded;
    if (bounded === 0) return;
    const request = Math.floor(requestBytes / bounded);
    const response = Math.floor(responseBytes / bounded);
    const pool = this.protocol.pool;
    const exchange = pool.take();
    for (let i = 0; i < bounded; i++) {
      const last = i === bounded - 1;
      exchange.start = time;
      exchange.timed = false;
      exchange.complete = false;
      exchange.estimated = this.estimating;
      exchange.describe = null;
      exchange.requestBytes = last ? requestBytes - request * i : request;
      exchange.responseBytes = last ? responseBytes - response * i : response;
      this.environment.finished(exchange, this);
    }
    pool.give(exchange);
  }

  cutShort(): void {
    this.environment.statistics.headsCutShort++;
  }

  narrow(requestClass: number, responseClass: number): void {
    const receive = this.isServer ? requestClass : responseClass;
    const send = this.isServer ? responseClass : requestClass;
    this.environment.statistics.narrowed++;
    this.#setPolicy(
      POLICY.headers | (receive << POLICY.receiveClassShift) | (send << POLICY.sendClassShift) | POLICY.set,
    );
  }

  widen(): void {
    this.environment.statistics.widened++;
    this.#setPolicy(POLICY.stream | POLICY.set);
  }

  /**
   * Ends what is open, incomplete. What it speaks is to be recognised afresh from its next message on, and what
   * passes until then is not counted as lost.
   */
  interrupt(time: number): void {
    this.parser?.end('flush', time);
    this.parser = null;
    this.direct = false;
    this.joined = true;
    this.resumes = true;
    this.resumesBy = Number.NaN;
    this.widen();
  }

  handOver(): Parser {
    this.environment.statistics.handedOver++;
    this.protocol = this.environment.protocols.generic;
    const parser = this.protocol.module.create(this);
    this.parser = parser;
    this.widen();
    return parser;
  }

  #append(): Exchange {
    if (this.openExchanges >= MAX_OPEN && this.first !== null) {
      this.environment.statistics.crowdedOut++;
      this.first.complete = false;
      if (this.parser?.evict === undefined) this.finish(this.first);
      else this.parser.evict(this.first);
    }
    const exchange = this.protocol.pool.take();
    exchange.connectNs = this.connectNs;
    this.connectNs = Number.NaN;
    exchange.joined = this.turnNumber <= this.joinedTurn;
    this.joinedTurn = -1;
    if (this.last === null) this.first = exchange;
    else this.last.next = exchange;
    this.last = exchange;
    this.openExchanges++;
    return exchange;
  }

  #remove(exchange: Exchange): void {
    this.openExchanges--;
    if (this.first === exchange) {
      this.first = exchange.next;
      if (this.first === null) this.last = null;
      exchange.next = null;
      return;
    }
    let before = this.first;
    while (before !== null && before.next !== exchange) before = before.next;
    if (before === null) return;
    before.next = exchange.next;
    if (this.last === exchange) this.last = before;
    exchange.next = null;
  }

  #setPolicy(word: number): void {
    this.environment.policy?.set(this.index, this.generation, word);
  }
}
