import type { Text, TextTable } from '../../text-table.ts';

/** The status codes as texts, each made once. */
export class StatusTexts {
  readonly #words: TextTable;
  readonly #texts: (Text | null)[] = Array.from({ length: 1000 }, () => null);

  constructor(words: TextTable) {
    this.#words = words;
  }

  /** @param status 100 to 999 */
  text(status: number): Text {
    const known = this.#texts[status];
    if (known !== null) return known;
    const made = this.#words.internString(String(status));
    this.#texts[status] = made;
    return made;
  }
}
