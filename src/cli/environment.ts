/** Variables by name. Only main.ts reads them from the process; everything else is handed them. */
export type Environment = Readonly<Record<string, string | undefined>>;
