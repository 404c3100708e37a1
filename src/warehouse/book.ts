import type { SinkOffset } from '../connect/tasks.ts';
import { recordKey, type TableRecord } from './table-record.ts';
import type { OffsetMove } from './warehouse.ts';

/** What a warehouse keeps book of, as of what is committed there: offsets, notes and table records, by connector. */
export class Book {
  readonly tables = new Map<string, TableRecord>();
  /** Records whose `lateNotNull` is to be done. */
  readonly late = new Set<TableRecord>();
  readonly #offsets = new Map<string, SinkOffset>();
  readonly #notes = new Map<string, Map<string, string>>();

  offsetsOf(connector: string): readonly SinkOffset[] {
    return [...this.#offsets].filter(([key]) => key.startsWith(`${connector}\n`)).map(([, offset]) => offset);
  }

  notesOf(connector: string, source: string): ReadonlyMap<string, string> {
    return this.#notes.get(`${connector}\n${source}`) ?? new Map();
  }

  clear(): void {
    this.tables.clear();
    this.late.clear();
    this.#offsets.clear();
    this.#notes.clear();
  }

  /** Keeps a record that is committed; undefined removes the one of the key. */
  put(key: string, record: TableRecord | undefined): void {
    const old = this.tables.get(key);
    if (old !== undefined) this.late.delete(old);
    if (record === undefined) {
      this.tables.delete(key);
      return;
    }
    this.tables.set(key, record);
    if (record.lateNotNull !== undefined) this.late.add(record);
  }

  /** After the commit. */
  offsetMoved(connector: string, { after, notes = new Map() }: Pick<OffsetMove, 'after' | 'notes'>): void {
    const place = `${connector}\n${after.source}`;
    this.#offsets.set(place, after);
    this.noted(connector, after.source, notes);
  }

  noted(connector: string, source: string, notes: ReadonlyMap<string, string | null>): void {
    const place = `${connector}\n${source}`;
    const known = this.#notes.get(place) ?? new Map<string, string>();
    this.#notes.set(place, known);
    for (const [key, note] of notes) {
      if (note === null) known.delete(key);
      else known.set(key, note);
    }
  }
}

/** Table records as a unit sees them: its own changes over what is committed. */
export class BookChanges {
  readonly #book: Book;
  readonly #changes = new Map<string, TableRecord | undefined>();

  constructor(book: Book) {
    this.#book = book;
  }

  /** By key; undefined is a record that goes. */
  get changes(): ReadonlyMap<string, TableRecord | undefined> {
    return this.#changes;
  }

  get(key: string): TableRecord | undefined {
    return this.#changes.has(key) ? this.#changes.get(key) : this.#book.tables.get(key);
  }

  *all(): IterableIterator<TableRecord> {
    for (const [key, record] of this.#book.tables) if (!this.#changes.has(key)) yield record;
    for (const record of this.#changes.values()) if (record !== undefined) yield record;
  }

  set(record: TableRecord): void {
    this.#changes.set(recordKey(record), record);
  }

  remove(record: TableRecord): void {
    this.#changes.set(recordKey(record), undefined);
  }

  /** After the commit. */
  apply(): void {
    for (const [key, record] of this.#changes) this.#book.put(key, record);
  }
}
