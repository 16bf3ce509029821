import type { StageCount } from '../../model/law.ts';
import type { NetworkCounts } from '../../model/network-counts.ts';
import type { RefusalReason } from './protocol/protocol.ts';

/** What the network analyzer counts. Unit of the law's terms: message and datagram records. */
export class NetworkStatistics {
  produced = 0;
  delivered = 0;
  /** Records that could not be paired: late after a gap, or their counterpart lies before the capture. */
  droppedGap = 0;
  droppedTableFull = 0;
  droppedParse = 0;
  /** Records whose length or kind cannot be. */
  droppedBadRecord = 0;
  /** Records that no exchange waits for: greetings, pushes, answers after the timeout. */
  skippedUnrequested = 0;
  skippedLate = 0;
  /** Records in exchanges of a protocol that is switched off. */
  skippedOff = 0;

  exchanges = 0;
  incomplete = 0;
  connectionsOpened = 0;
  connectionsClosed = 0;
  /** Connections that ended because their index came back in another generation: their close record was lost. */
  connectionsLost = 0;
  /** Records that never came, by their numbers. */
  lostRecords = 0;
  /** Messages (turns) that never came. */
  lostTurns = 0;
  /** Messages (turns) that were not asked for: policy `count`. */
  countedTurns = 0;
  /** Records that came before their turn and were held. */
  reordered = 0;
  narrowed = 0;
  widened = 0;
  /** Connections handed over: upgrades, and guesses that were given up. */
  handedOver = 0;
  /** Exchanges that ended early because too many were open on their connection. */
  crowdedOut = 0;
  /** Connections whose protocol was decided early because too much waited, on all of them, to be recognised. */
  decidedEarly = 0;
  /** Heads read as far as they had come because too much of such heads waited on all connections. */
  headsCutShort = 0;

  /** Exchanges that must have been, but too many at once to yield: they are in no other number. */
  uncountedExchanges = 0;

  refused(reason: RefusalReason, count: number): void {
    switch (reason) {
      case 'gap':
        this.droppedGap += count;
        return;
      case 'parse':
        this.droppedParse += count;
        return;
      case 'unrequested':
        this.skippedUnrequested += count;
        return;
      case 'late':
        this.skippedLate += count;
        return;
      case 'off':
        this.skippedOff += count;
    }
  }

  /** @param connections followed at this moment */
  counts(connections: number): NetworkCounts {
    const { connectionsOpened, connectionsClosed, connectionsLost, lostRecords, lostTurns } = this;
    const { uncountedExchanges, crowdedOut, decidedEarly, headsCutShort } = this;
    return {
      connections,
      connectionsOpened,
      connectionsClosed,
      connectionsLost,
      lostRecords,
      lostTurns,
      uncountedExchanges,
      crowdedOut,
      decidedEarly,
      headsCutShort,
    };
  }

  /** @param inFlight counted by the caller, over what is open and held */
  stage(inFlight: number): StageCount {
    return {
      // Messages that are no part of an exchange by design are not in the law.
      produced: this.produced - this.skippedUnrequested - this.skippedLate - this.skippedOff,
      delivered: this.delivered,
      inFlight,
      dropped: {
        gap: this.droppedGap,
        table_full: this.droppedTableFull,
        parse: this.droppedParse,
        bad_record: this.droppedBadRecord,
      },
      skipped: { unrequested: this.skippedUnrequested, late: this.skippedLate, off: this.skippedOff },
    };
  }
}
