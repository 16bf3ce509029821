/** A process as it was looked up, for a recording: whoever replays it has no /proc to ask. */
export interface ProcessNote {
  readonly pid: string;
  /** Clock ticks since the machine's start; tells processes with the same id apart. */
  readonly start_time: string;
  readonly comm: string;
  /** Base name; null for what has none. */
  readonly executable: string | null;
  /** 64 hexadecimal digits; null outside of containers. */
  readonly container_id: string | null;
  readonly service_name: string;
}
