/** What the network analyzer counts beside the law, each shown as a metric of its own. */
export const NETWORK_COUNTS = [
  'connections',
  'connectionsOpened',
  'connectionsClosed',
  'connectionsLost',
  'lostRecords',
  'lostTurns',
  'uncountedExchanges',
  'crowdedOut',
  'decidedEarly',
  'headsCutShort',
] as const;

/** `connections`: followed at this moment; the others only grow. */
export type NetworkCounts = Readonly<Record<(typeof NETWORK_COUNTS)[number], number>>;
