import { TextIds, TextTable } from './text-table.ts';

/** Capacities: words are few (methods, hosts, codes), resources are many (paths, topics, statements). */
const WORDS = 2048;
const RESOURCES = 8192;

/** The strings of one analyzer. */
export class Texts {
  readonly words: TextTable;
  readonly resources: TextTable;

  constructor() {
    const ids = new TextIds();
    this.words = new TextTable({ capacity: WORDS, ids });
    this.resources = new TextTable({ capacity: RESOURCES, ids });
  }
}
