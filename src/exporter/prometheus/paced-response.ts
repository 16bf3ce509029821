import type { ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';

export type WriteResult = 'written' | 'timeout' | 'aborted';

/**
 * Writes to a response no faster than its reader reads, and gives the event loop a turn after each piece.
 * The reader may pause for `timeoutMs` at most.
 */
export class PacedResponse {
  readonly #response: ServerResponse;
  readonly #timeoutMs: number;

  constructor(response: ServerResponse, timeoutMs: number) {
    this.#response = response;
    this.#timeoutMs = timeoutMs;
  }

  async write(text: string): Promise<WriteResult> {
    if (this.#gone()) return 'aborted';
    if (this.#response.write(text)) {
      await nextTurn();
      return this.#gone() ? 'aborted' : 'written';
    }
    const result = await this.#wait('drain');
    if (result === 'written') await nextTurn();
    return result;
  }

  /** Ends the response; `written` when all of it was handed to the system. */
  async end(text: string): Promise<WriteResult> {
    if (this.#gone()) return 'aborted';
    const finished = this.#wait('finish');
    this.#response.end(text);
    return finished;
  }

  #gone(): boolean {
    return this.#response.destroyed || this.#response.closed;
  }

  #wait(event: 'drain' | 'finish'): Promise<WriteResult> {
    return new Promise((resolve) => {
      const response = this.#response;
      const settle = (result: WriteResult) => () => {
        clearTimeout(timer);
        response.off(event, onEvent).off('close', onClose);
        resolve(result);
      };
      const onEvent = settle('written');
      const onClose = settle('aborted');
      const timer = setTimeout(settle('timeout'), this.#timeoutMs);
      response.on(event, onEvent).on('close', onClose);
    });
  }
}
