import type { ServicesReport } from '../../control/services.ts';
import type { Status } from '../../control/status.ts';
import type { ExchangeLine } from '../../model/exchange-line.ts';
import type { ExchangeSubject } from '../../control/exchange-subject.ts';

/** A probe at one moment. */
export interface Reading {
  readonly services: ServicesReport;
  readonly status: Pick<Status, 'uptime_s' | 'loss' | 'cost'>;
}

/** Where the view gets what it shows: a probe in this process, or one that runs elsewhere. */
export interface ViewSource {
  /** Which probe it is, and what else a person should know of it: on the first line. */
  readonly name: string;
  readonly remark: string;
  /** @throws Error whose message says what is wrong, as a sentence for people */
  read(): Promise<Reading>;
  /** Hands over each exchange that the query asks for until it is stopped; `onEnd` tells why it ended before. */
  follow(query: ExchangeSubject, follower: ExchangeFollower): () => void;
  close(): void;
}

export interface ExchangeFollower {
  readonly onExchange: (exchange: ExchangeLine) => void;
  readonly onEnd: (reason: string) => void;
}
