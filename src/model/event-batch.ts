/**
 * What receivers hand to analyzers: records of `bpf/include/record.h` back to back, whoever wrote them
 * (the kernel, a replay, a test). Offsets come from record.gen.ts. The views share one buffer that the
 * receiver reuses after `consume` returns.
 */
export interface EventBatch {
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  readonly halves: Uint16Array;
  /** Length of the valid part, in bytes. */
  readonly length: number;
}

export interface EventConsumer {
  consume(batch: EventBatch): void;
  /**
   * Called between batches, with the receiver's clock (ns since its time origin; wall or replayed time), so
   * that timeouts, windows and expiry run on the events' time.
   */
  tick(now: number): void;
  /** No event will follow: everything open ends here. */
  flush(now: number): void;
}

/**
 * How user space tells the source how much it wants of a connection. A replay ignores it.
 * `word` is a policy word without its generation (see POLICY in record.gen.ts).
 */
export interface PolicySink {
  set(index: number, generation: number, word: number): void;
  /** An open, owner or close record, of a connection that the analyzer follows, before it acts on it. */
  life?(batch: EventBatch, offset: number): void;
}
