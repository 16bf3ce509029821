/** A string that came from the wire, kept once. Texts are compared by `id`; the ids are never used twice. */
export class Text {
  readonly id: number;
  readonly text: string;
  /** As they stood on the wire: what a lookup compares. */
  readonly bytes: Uint8Array;
  readonly hash: number;
  /** What a protocol derives from the text, for example the route of a path. Made once, by the protocol. */
  derived: Text | null = null;

  constructor(id: number, text: string, bytes: Uint8Array, hash: number) {
    this.id = id;
    this.text = text;
    this.bytes = bytes;
    this.hash = hash;
  }
}

const FNV_OFFSET = 0x811c9dc5 | 0;
const FNV_PRIME = 0x01000193;

/** Start of a running hash; feed it byte by byte through `hashByte`. */
export const HASH_START = FNV_OFFSET;

export function hashByte(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, FNV_PRIME);
}

/** Whether `text` is exactly the bytes from start to end. */
export function textEquals(text: Text, bytes: Uint8Array, start: number, end: number): boolean {
  const own = text.bytes;
  const length = own.length;
  if (length !== end - start) return false;
  for (let i = 0; i < length; i++) {
    if (own[i] !== bytes[start + i]) return false;
  }
  return true;
}

export interface TextTableOptions {
  /** How many texts are kept at most; rounded up to a power of two. */
  readonly capacity: number;
  /** Bytes beyond this are cut. Default 1,024. */
  readonly maxBytes?: number;
  /** Where ids come from: tables whose texts are compared with each other share one. */
  readonly ids: TextIds;
}

/** Gives each Text a number of its own. */
export class TextIds {
  #last = 0;

  next(): number {
    this.#last = (this.#last + 1) & 0x3fffffff;
    return this.#last;
  }
}

const WAYS = 4;

/**
 * Strings by their bytes: hashed in place, decoded once per distinct value. The table is bounded (four places
 * for each hash, the one taken longest ago goes first); a Text that left it stays valid for whoever holds it.
 */
export class TextTable {
  readonly #places: (Text | null)[];
  readonly #next: Uint8Array;
  readonly #mask: number;
  readonly #maxBytes: number;
  readonly #ids: TextIds;

  constructor(options: TextTableOptions) {
    let sets = 1;
    while (sets * WAYS < options.capacity) sets *= 2;
    this.#places = Array.from({ length: sets * WAYS }, () => null);
    this.#next = new Uint8Array(sets);
    this.#mask = sets - 1;
    this.#maxBytes = options.maxBytes ?? 1024;
    this.#ids = options.ids;
  }

  /** The Text of the bytes from start to end. */
  intern(bytes: Uint8Array, start: number, end: number): Text {
    let hash = HASH_START;
    for (let i = start; i < end; i++) hash = hashByte(hash, bytes[i]);
    return this.internHashed(bytes, start, end, hash);
  }

  /** The same for a caller that ran `hashByte` over the bytes already. */
  internHashed(bytes: Uint8Array, start: number, end: number, hash: number): Text {
    const set = (hash ^ (hash >>> 15)) & this.#mask;
    const first = set * WAYS;
    const last = Math.min(end, start + this.#maxBytes);
    for (let i = first; i < first + WAYS; i++) {
      const text = this.#places[i];
      if (text !== null && text.hash === hash && textEquals(text, bytes, start, last)) return text;
    }
    const place = this.#next[set];
    this.#next[set] = (place + 1) % WAYS;
    const own = new Uint8Array(bytes.subarray(start, last));
    const made = new Text(this.#ids.next(), Buffer.from(own.buffer).toString(), own, hash);
    this.#places[first + place] = made;
    return made;
  }

  /** The Text of a string of the program's own. */
  internString(text: string): Text {
    const bytes = Buffer.from(text);
    return this.intern(bytes, 0, bytes.length);
  }
}
