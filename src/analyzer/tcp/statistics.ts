import type { StageCount } from '../../model/law.ts';

/** What the TCP analyzer counts. Unit of the law's terms: records of the kinds that it takes. */
export class TcpStatistics {
  produced = 0;
  delivered = 0;
  /** The connection's open record never came, or came too late. */
  droppedGap = 0;
  droppedTableFull = 0;
  droppedBadRecord = 0;
  /** Records of a connection that is over, or that say nothing new. */
  skippedLate = 0;

  stage(inFlight: number): StageCount {
    return {
      produced: this.produced - this.skippedLate,
      delivered: this.delivered,
      inFlight,
      dropped: { gap: this.droppedGap, table_full: this.droppedTableFull, bad_record: this.droppedBadRecord },
      skipped: { late: this.skippedLate },
    };
  }
}
