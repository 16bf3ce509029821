import { addressText } from './address.ts';

/** The server that is talked to, and who was seen talking, as labels tell it. Compared by identity and `id`. */
export interface Endpoint {
  readonly id: number;
  readonly isServer: boolean;
  readonly serverAddress: string;
  readonly serverPort: number;
  readonly pid: number;
  readonly comm: string;
}

/** Words of an identity: server address (4), comm (4), pid, server port, role and family. */
export const IDENTITY_WORDS = 11;

interface Entry extends Endpoint {
  readonly identity: Uint32Array;
  readonly next: Entry | undefined;
}

/** Endpoints by identity. Bounded: when it is full it starts afresh; endpoints in use stay with their connections. */
export class EndpointTable {
  readonly #capacity: number;
  readonly #entries = new Map<number, Entry>();
  #count = 0;
  #lastId = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** @param identity IDENTITY_WORDS words; copied if it is new */
  intern(identity: Uint32Array): Endpoint {
    let hash = 0;
    for (let i = 0; i < IDENTITY_WORDS; i++) hash = Math.imul(hash ^ identity[i], 0x9e3779b1) ^ (hash >>> 15);
    const first = this.#entries.get(hash);
    for (let entry = first; entry !== undefined; entry = entry.next) {
      if (isSame(entry.identity, identity)) return entry;
    }
    if (this.#count >= this.#capacity) {
      this.#entries.clear();
      this.#count = 0;
    }
    const entry = this.#make(identity.slice(0, IDENTITY_WORDS), this.#entries.get(hash));
    this.#entries.set(hash, entry);
    this.#count++;
    return entry;
  }

  #make(identity: Uint32Array, next: Entry | undefined): Entry {
    const bytes = new Uint8Array(identity.buffer);
    const family = identity[10] >>> 8;
    this.#lastId = (this.#lastId + 1) & 0x3fffffff;
    return {
      id: this.#lastId,
      isServer: (identity[10] & 0xff) === 1,
      serverAddress: addressText(bytes.subarray(0, 16), family),
      serverPort: identity[9],
      pid: identity[8],
      comm: commText(bytes.subarray(16, 32)),
      identity,
      next,
    };
  }
}

function isSame(a: Uint32Array, b: Uint32Array): boolean {
  for (let i = 0; i < IDENTITY_WORDS; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** The name of a process as a record has it: up to the first zero. */
export function commText(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return Buffer.from(bytes.subarray(0, end < 0 ? bytes.length : end)).toString('utf8');
}
