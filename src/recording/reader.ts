import { promisify } from 'node:util';
import { crc32, gunzip } from 'node:zlib';
import { ByteQueue } from './byte-queue.ts';
import {
  decodeSectionHead,
  MAGIC,
  MAX_BLOCK_BYTES,
  MAX_HEADER_BYTES,
  MAX_INDEX_BYTES,
  PREAMBLE_BYTES,
  SECTION,
  SECTION_HEAD_BYTES,
  TRAILER_BYTES,
  TRAILER_MAGIC,
  VERSION,
} from './format.ts';
import type { SectionHead } from './format.ts';
import { decodeHeader, HeaderError } from './header.ts';
import type { RecordingHeader } from './header.ts';
import type { Translation } from './layout.ts';

const decompress = promisify(gunzip);

/** A part of a recording that could not be used; the rest goes on as far as it can be found. */
export interface Damage {
  /** Byte in the file. */
  readonly offset: number;
  readonly reason: string;
  /** Records that are lost by it; null where that is not known. */
  readonly records: number | null;
}

/** A block, decompressed. */
export interface RawBlock {
  readonly offset: number;
  readonly bytes: Uint8Array;
  /** As the section's head says. */
  readonly records: number;
}

/** A recording that is being read. */
export interface OpenRecording {
  readonly header: RecordingHeader;
  readonly translation: Translation;
  /** To be read once. Ends at the end of the input or at damage behind which nothing can be found. */
  blocks(): AsyncGenerator<RawBlock, void, void>;
  /** Whether nothing of what was read was damaged or cut off. */
  isIntact(): boolean;
}

/** Blocks that are decompressed ahead, on Node's threads. */
const AHEAD = 4;

/**
 * Reads the header. Nothing of the file is held but the blocks that are under way.
 *
 * @throws HeaderError if it is of no use at all
 */
export async function openRecording(
  input: AsyncIterable<Uint8Array>,
  onDamage: (damage: Damage) => void,
): Promise<OpenRecording> {
  const queue = new ByteQueue(input);
  const preamble = await queue.take(PREAMBLE_BYTES);
  if (preamble === null || preamble.toString('latin1', 0, MAGIC.length) !== MAGIC) {
    throw new HeaderError('it is no recording');
  }
  const version = preamble.readUInt16LE(MAGIC.length);
  if (version !== VERSION) {
    throw new HeaderError(`its format has version ${version}, this program reads version ${VERSION}`);
  }
  const head = await readHead(queue);
  if (head === 'end') throw new HeaderError('it ends within its header');
  if (head === null || head.type !== SECTION.header || head.stored > MAX_HEADER_BYTES) {
    throw new HeaderError('its header is damaged');
  }
  const bytes = await queue.take(head.stored);
  if (bytes === null) throw new HeaderError('it ends within its header');
  if (crc32(bytes) !== head.crc) throw new HeaderError('its header is damaged');
  const { header, translation } = decodeHeader(bytes);
  let intact = true;
  const onAnyDamage = (damage: Damage): void => {
    intact = false;
    onDamage(damage);
  };
  return { header, translation, blocks: () => readBlocks(queue, onAnyDamage), isIntact: () => intact };
}

async function readHead(queue: ByteQueue): Promise<SectionHead | null | 'end'> {
  const bytes = await queue.take(SECTION_HEAD_BYTES);
  return bytes === null ? 'end' : decodeSectionHead(bytes);
}

type Result = { readonly block: RawBlock } | { readonly damage: Damage };

/** A section whose block is being decompressed: in an object, since a generator would await a bare promise. */
interface Pending {
  readonly result: Promise<Result> | Result;
}

/** Blocks in order, with a few decompressed ahead of the one that is being used. */
async function* readBlocks(queue: ByteQueue, onDamage: (damage: Damage) => void): AsyncGenerator<RawBlock, void, void> {
  const ahead: Pending[] = [];
  const sections = readSections(queue);
  let ended = false;
  for (;;) {
    while (!ended && ahead.length < AHEAD) {
      const next = await sections.next();
      if (next.done === true) ended = true;
      else ahead.push(next.value);
    }
    const first = ahead.shift();
    if (first === undefined) return;
    const result = await first.result;
    if ('damage' in result) onDamage(result.damage);
    else yield result.block;
  }
}

/** What the sections hold; the decompression of a block is under way when it is given. */
async function* readSections(queue: ByteQueue): AsyncGenerator<Pending, void, void> {
  let blocks = 0;
  let records = 0;
  for (;;) {
    const { offset } = queue;
    const head = await readHead(queue);
    const damaged = (reason: string, at = offset): Pending => ({
      result: { damage: { offset: at, reason, records: null } },
    });
    const cut = (): Pending => damaged('the file ends here without its index: it was cut off', queue.offset);
    if (head === 'end') {
      yield cut();
      return;
    }
    if (head === null) {
      yield damaged('what should begin a block is damaged');
      return;
    }
    if (head.stored > MAX_INDEX_BYTES || head.raw > MAX_INDEX_BYTES) {
      yield damaged(`a section of ${head.stored} bytes is larger than any can be`);
      return;
    }
    const stored = await queue.take(head.stored);
    if (stored === null) {
      yield cut();
      return;
    }
    if (head.type === SECTION.index) {
      const problem = await checkEnd(queue, head, stored, { blocks, records });
      if (problem !== null) yield damaged(problem);
      return;
    }
    if (head.type === SECTION.block) {
      blocks++;
      records += head.records;
      yield { result: unpack(head, stored, offset) };
    }
    // A section of a type that is not known here is passed over.
  }
}

async function unpack(head: SectionHead, stored: Buffer, offset: number): Promise<Result> {
  const damage = (reason: string): Result => ({ damage: { offset, reason, records: head.records } });
  if (crc32(stored) !== head.crc) return damage('a block is damaged: its checksum does not fit');
  if (head.raw > MAX_BLOCK_BYTES) return damage(`a block of ${head.raw} bytes is larger than any can be`);
  try {
    const bytes = await decompress(stored, { maxOutputLength: Math.max(head.raw, 1) });
    if (bytes.length !== head.raw) return damage(`a block has ${bytes.length} bytes where it says ${head.raw}`);
    return { block: { offset, bytes: aligned(bytes), records: head.records } };
  } catch {
    return damage(`a block cannot be decompressed to the ${head.raw} bytes that it says`);
  }
}

/** Records are read by words: they must lie on whole ones. */
function aligned(bytes: Buffer): Uint8Array {
  return bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes);
}

/** @returns what is wrong with index and trailer, or null */
async function checkEnd(
  queue: ByteQueue,
  head: SectionHead,
  stored: Buffer,
  seen: { readonly blocks: number; readonly records: number },
): Promise<string | null> {
  if (crc32(stored) !== head.crc) return 'its index is damaged';
  try {
    const bytes = await decompress(stored, { maxOutputLength: Math.max(head.raw, 1) });
    const index = JSON.parse(bytes.toString('utf8')) as { readonly blocks?: unknown; readonly records?: unknown };
    if (index.blocks !== seen.blocks || index.records !== seen.records) {
      return `its index tells of ${String(index.blocks)} blocks, but ${seen.blocks} are there`;
    }
  } catch {
    return 'its index is damaged';
  }
  const trailer = await queue.take(TRAILER_BYTES);
  if (trailer === null || trailer.toString('latin1', 8) !== TRAILER_MAGIC) return 'it does not end as it should';
  return (await queue.take(1)) === null ? null : 'something follows its end';
}
