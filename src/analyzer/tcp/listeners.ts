import type { LabelSetId, Labels } from '../../model/label-sets.ts';
import { LABEL } from '../../model/names.ts';
import type { LabelKey } from '../../model/names.ts';
import { RECORD } from '../../model/record.gen.ts';
import { LISTEN_METRIC } from '../../model/tcp.ts';
import { addressText } from '../network/address.ts';
import { commText } from '../network/endpoint.ts';
import type { LabelInterner } from '../network/label-cache.ts';
import { readPort, readWide } from '../network/record-reader.ts';
import type { RecordTimes, RecordViews } from '../network/record-reader.ts';
import type { GroupOutput } from './group-output.ts';
import type { TcpStatistics } from './statistics.ts';

const { head, listener: layout } = RECORD;

const MAX_LISTENERS = 4096;
/** Listening sockets are looked at each second: one that was not seen for so long is closed. */
const GONE_NS = 10e9;
/** What is seen so soon after the first of all was there before anybody looked. */
const FIRST_LOOK_NS = 2e9;

const HALF = 0x80000000;

interface Listener {
  labels: Labels;
  backlog: number;
  maxBacklog: number;
  drops: number;
  /** Since they were yielded last. */
  newDrops: number;
  tgid: number;
  seenAt: number;
  /** Closed, or not looked at for a while: kept for what it has counted, should it come back. */
  isGone: boolean;
}

export interface ListenersParts {
  readonly labels: LabelInterner;
  readonly output: GroupOutput;
  readonly statistics: TcpStatistics;
  readonly times: RecordTimes;
}

/** Listening sockets: who waits to be accepted, and who was turned away. */
export class Listeners {
  readonly #parts: ListenersParts;
  readonly #listeners = new Map<number, Listener>();
  #firstLook = Number.NaN;

  constructor(parts: ListenersParts) {
    this.#parts = parts;
  }

  record(views: RecordViews, offset: number): void {
    const { words } = views;
    const { statistics, times } = this.#parts;
    const word = offset >>> 2;
    const time = times.read(words, offset + head.time);
    if (Number.isNaN(this.#firstLook)) this.#firstLook = time;
    const cookie = readWide(words, offset + layout.cookie);
    const drops = words[word + layout.drops / 4];
    const tgid = words[word + layout.tgid / 4];
    let listener = this.#listeners.get(cookie);
    if (listener === undefined) {
      if (!this.#hasRoom()) {
        statistics.droppedTableFull++;
        return;
      }
      const before = time - this.#firstLook < FIRST_LOOK_NS ? drops : 0;
      listener = {
        labels: {},
        backlog: 0,
        maxBacklog: 0,
        drops: before,
        newDrops: 0,
        tgid: -1,
        seenAt: time,
        isGone: false,
      };
      this.#listeners.set(cookie, listener);
    }
    statistics.delivered++;
    if (listener.tgid !== tgid) {
      listener.tgid = tgid;
      listener.labels = labelsOf(views, offset);
    }
    const more = (drops - listener.drops) >>> 0;
    // Back, not on: a record that comes late.
    if (more >= HALF) return;
    listener.newDrops += more;
    listener.drops = drops;
    listener.backlog = words[word + layout.backlog / 4];
    listener.maxBacklog = words[word + layout.maxBacklog / 4];
    listener.seenAt = time;
    listener.isGone = false;
  }

  /** Those that are gone make room, the oldest first. */
  #hasRoom(): boolean {
    if (this.#listeners.size < MAX_LISTENERS) return true;
    for (const [cookie, { isGone }] of this.#listeners) {
      if (!isGone) continue;
      this.#listeners.delete(cookie);
      return true;
    }
    return false;
  }

  /** Tells how the queues stand. */
  observe(now: number): void {
    const { labels, output } = this.#parts;
    const { listen } = output;
    for (const listener of this.#listeners.values()) {
      if (listener.isGone) continue;
      const isGone = now - listener.seenAt > GONE_NS;
      listener.isGone = isGone;
      if (isGone && listener.newDrops === 0) continue;
      listen.metrics[LISTEN_METRIC.backlog] = isGone ? 0 : listener.backlog;
      listen.metrics[LISTEN_METRIC.maxBacklog] = isGone ? 0 : listener.maxBacklog;
      listen.metrics[LISTEN_METRIC.overflows] = listener.newDrops;
      listener.newDrops = 0;
      const id: LabelSetId = labels.intern(listener.labels);
      listen.yield(id, now);
      labels.release(id);
    }
  }
}

function labelsOf({ bytes, words }: RecordViews, offset: number): Labels {
  const labels: Partial<Record<LabelKey, string>> = { [LABEL.role]: 'server' };
  const at = offset + layout.address;
  const address = addressText(bytes.subarray(at, at + 16), bytes[offset + layout.family]);
  if (address !== '') labels[LABEL.serverAddress] = address;
  labels[LABEL.serverPort] = String(readPort(bytes, offset + layout.port));
  const tgid = words[(offset + layout.tgid) >>> 2];
  if (tgid !== 0) labels[LABEL.pid] = String(tgid);
  const comm = commText(bytes.subarray(offset + layout.comm, offset + layout.comm + 16));
  if (comm !== '') labels[LABEL.comm] = comm;
  return labels;
}
