import { qualified, type TablePlace } from '../sql-text.ts';

/** A row for a landing table; its cells are texts, by column. */
export interface LandedRow {
  readonly place: TablePlace;
  /** The cells' columns: the same object for all rows of one layout. */
  readonly layout: LandingLayout;
  readonly cells: readonly (string | null)[];
}

/** A record's place in the log: the group, and the record's number in it, from 1. */
export interface RowMark {
  readonly seq: number;
  readonly index: number;
}

/** Columns of a landing table that rows have. */
export interface LandingLayout {
  readonly columns: readonly LandingColumn[];
}

export interface LandingColumn {
  readonly name: string;
  /** Of a column that is made for it. */
  readonly sqlType: string;
  /** What the cells' texts are. */
  readonly text: 'json' | 'base64' | 'plain';
  /** Whether cells can be null. */
  readonly nullable: boolean;
}

/** Rows of one table and one layout. */
export interface RowsOfTable {
  readonly place: TablePlace;
  readonly layout: LandingLayout;
  readonly rows: (readonly (string | null)[])[];
  /** Of each row. */
  readonly marks: RowMark[];
}

/** Rows that wait to be landed. */
export class LandedRows {
  readonly #tables = new Map<string, Map<LandingLayout, RowsOfTable>>();
  count = 0;
  bytes = 0;

  add({ place, layout, cells }: LandedRow, mark: RowMark): void {
    const key = qualified(place);
    const layouts = this.#tables.get(key) ?? new Map<LandingLayout, RowsOfTable>();
    this.#tables.set(key, layouts);
    const known = layouts.get(layout) ?? { place, layout, rows: [], marks: [] };
    layouts.set(layout, known);
    known.rows.push(cells);
    known.marks.push(mark);
    this.count++;
    for (const cell of cells) this.bytes += cell?.length ?? 0;
  }

  *tables(): IterableIterator<RowsOfTable> {
    for (const layouts of this.#tables.values()) yield* layouts.values();
  }
}
