import { DIRECTION, FLAG, KIND, RECORD } from '../model/record.gen.ts';
import { MaskedConversation } from './http-mask.ts';

const { head, message, size: sizes } = RECORD;
const X = 0x78;

interface Masked {
  readonly generation: number;
  readonly conversation: MaskedConversation;
}

/**
 * Masks what records carry of bodies, in place. Everything else of a record stays: times, sizes, addresses,
 * processes. What is not HTTP/1.x is masked whole. Padding is not looked at: see zeroPadding.
 */
export class Redactor {
  readonly #paths: boolean;
  readonly #connections = new Map<number, Masked>();

  /** @param what `paths`: of request targets too only the slashes stay */
  constructor(what: 'bodies' | 'paths') {
    this.#paths = what === 'paths';
  }

  /** @param records back to back; what is no record is masked to the end */
  mask(records: Uint8Array): void {
    const view = new DataView(records.buffer, records.byteOffset, records.byteLength);
    let offset = 0;
    while (offset < records.length) {
      const length = records.length - offset < RECORD.align ? 0 : view.getUint32(offset + head.length, true);
      if (length < RECORD.align || length > records.length - offset) {
        records.fill(X, offset);
        return;
      }
      this.#record(records.subarray(offset, offset + length), view, offset);
      offset += length;
    }
  }

  #record(record: Uint8Array, view: DataView, offset: number): void {
    const kind = record[head.kind];
    const index = view.getUint32(offset + head.index, true);
    switch (kind) {
      case KIND.message:
        this.#message(record, view, offset, index);
        return;
      case KIND.close:
        this.#connections.delete(index);
        return;
      case KIND.datagram:
        record.fill(X, sizes.datagram, sizes.datagram + view.getUint16(offset + head.captured, true));
        return;
      default:
        // No other record has bytes of the stream; if a later one should, they are not told.
        if (view.getUint16(offset + head.captured, true) > 0) record.fill(X, RECORD.align);
    }
  }

  #message(record: Uint8Array, view: DataView, offset: number, index: number): void {
    const captured = view.getUint16(offset + head.captured, true);
    const generation = view.getUint16(offset + head.generation, true);
    const direction = record[head.direction];
    const size = view.getUint32(offset + message.size, true);
    const payload = record.subarray(sizes.message, sizes.message + captured);
    const position =
      direction === DIRECTION.send
        ? view.getUint32(offset + message.tx, true)
        : (view.getUint32(offset + message.rx, true) - size) >>> 0;
    let known = this.#connections.get(index);
    if (known?.generation !== generation) {
      known = { generation, conversation: new MaskedConversation(this.#paths) };
      this.#connections.set(index, known);
    }
    const starts = (view.getUint16(offset + head.flags, true) & FLAG.start) !== 0;
    known.conversation.direction(direction).call(payload, position, size, starts);
  }
}
