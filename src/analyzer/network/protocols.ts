import { ExchangePool } from './exchange-pool.ts';
import { createGeneric, createGenericDatagrams } from './protocol/generic/generic.ts';
import { createHttp } from './protocol/http/http.ts';
import type { ProtocolModule } from './protocol/protocol.ts';
import type { Texts } from './texts.ts';

/** Of one protocol, from the configuration (`analyzers.network.protocols.<name>`). */
export interface ProtocolSettings {
  /** Default true. */
  readonly enabled?: boolean;
  /** Ports that break a tie where the bytes cannot tell. */
  readonly ports?: readonly number[];
  /** A response after this is slow. Kept for the sampling of traces. */
  readonly slowNs?: number;
  /** A request without an answer for so long is `no_response`. */
  readonly timeoutNs?: number;
}

/** A module with its settings and what belongs to it in one analyzer. */
export class Protocol {
  readonly module: ProtocolModule;
  /** Small and unique in the analyzer. */
  readonly id: number;
  timeoutNs = 0;
  ports: ReadonlySet<number> = new Set();
  readonly pool = new ExchangePool();
  /** Off: its exchanges are not yielded, and no connection is recognised as speaking it. */
  enabled: boolean;

  constructor(module: ProtocolModule, id: number, settings: ProtocolSettings) {
    this.module = module;
    this.id = id;
    this.enabled = settings.enabled ?? true;
    this.configure(settings);
  }

  configure(settings: ProtocolSettings): void {
    this.timeoutNs = settings.timeoutNs ?? this.module.timeoutNs;
    this.ports = new Set(settings.ports ?? this.module.ports);
  }
}

/** Ports whose protocol was learned; more are forgotten, oldest first. */
const MAX_LEARNED = 1024;

/** The protocols of one analyzer: those that bytes are asked for, in this order, and what takes the rest. */
export class Protocols {
  detected: readonly Protocol[] = [];
  readonly generic: Protocol;
  readonly datagrams: Protocol;
  readonly #known: readonly Protocol[];
  readonly #learned = new Map<number, Protocol>();

  constructor(texts: Texts, settings: Readonly<Record<string, ProtocolSettings>>) {
    let id = 0;
    const make = (module: ProtocolModule): Protocol => new Protocol(module, id++, settings[module.name] ?? {});
    this.generic = make(createGeneric());
    this.datagrams = make(createGenericDatagrams());
    this.#known = [createHttp(texts)].map((module) => make(module));
    this.detected = this.#known.filter((protocol) => protocol.enabled);
  }

  enable(name: string, enabled: boolean): void {
    for (const protocol of this.#named(name)) protocol.enabled = enabled;
    this.detected = this.#known.filter((protocol) => protocol.enabled);
    for (const [port, protocol] of this.#learned) if (!protocol.enabled) this.#learned.delete(port);
  }

  configure(name: string, settings: ProtocolSettings): void {
    for (const protocol of this.#named(name)) protocol.configure(settings);
  }

  /** A connection to this server port was recognised. */
  learn(port: number, protocol: Protocol): void {
    if (port === 0 || this.#learned.get(port) === protocol) return;
    const [oldest] = this.#learned.keys();
    if (oldest !== undefined && this.#learned.size >= MAX_LEARNED) this.#learned.delete(oldest);
    this.#learned.set(port, protocol);
  }

  /** For connections of which no byte could be read: what this server port spoke before, or is configured for. */
  byPort(port: number): Protocol | undefined {
    return this.#learned.get(port) ?? this.detected.find((protocol) => protocol.ports.has(port));
  }

  #named(name: string): Protocol[] {
    return [...this.#known, this.generic, this.datagrams].filter(({ module }) => module.name === name);
  }
}
