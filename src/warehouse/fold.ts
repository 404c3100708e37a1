import type { ChangeBatch } from '../event/change-batch.ts';
import type { Column, TableSchema } from '../event/table-schema.ts';

/**
 * The changes of one table under one schema, folded to what remains to be done: a warehouse deletes, then inserts.
 * Batches that were added are referenced, not copied, until the fold is dropped. Two kinds: `KeyedFold` and, for
 * tables without a key, `KeylessFold`.
 */
export interface Fold {
  readonly schema: TableSchema;
  /** Changes that were added. */
  readonly changes: number;
  /** Bytes of the row images that were added, and of copies made of them. */
  readonly byteLength: number;
  /** A batch said that rows to delete may not be there. */
  readonly lenient: boolean;
  /** Adds the changes `[from, to)` of a batch; batches and changes in the order of the log. */
  add(batch: ChangeBatch, from: number, to: number): void;
  /** Rows to delete, each one row of the replica. */
  readonly deletes: RowSet;
  /** Rows to insert, after the deletes. */
  readonly inserts: RowSet;
  /**
   * Rows to insert whose images are not full: each takes its absent columns from a row that `deletes` removes, found
   * by `origins`, or, without one, from the columns' defaults.
   */
  readonly partials: PartialRowSet;
}

/** Row images to walk, in stretches, so that a long walk need not hold up the event loop. */
export interface RowSet {
  /** What the images hold: all columns of the table, or those of its key in key order. */
  readonly columns: readonly Column[];
  /** Rows, with repetitions. */
  readonly count: number;
  /** Numbers to walk over, of which not every one has a row. */
  readonly extent: number;
  /** Calls back with the rows of the numbers `[from, to)`; a row that counts several times comes so often. */
  visit(from: number, to: number, visitor: RowVisitor): void;
}

export interface PartialRowSet extends RowSet {
  /** With each row the key image under which the replica holds the row that completes it, if there is one. */
  visitWithOrigins(from: number, to: number, visitor: PartialRowVisitor): void;
  /** Columns of the origin images: the key's, in key order. */
  readonly originColumns: readonly Column[];
}

export interface ImageBytes {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

export type RowVisitor = (source: ImageBytes, start: number) => void;
export type PartialRowVisitor = (source: ImageBytes, start: number, origin: ImageBytes | undefined, originStart: number) => void;

export function imageBytes(bytes: Uint8Array): ImageBytes {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
}

export function keyColumns(schema: TableSchema): readonly Column[] {
  return schema.primaryKey.map((position) => columnAt(schema, position));
}

export function columnAt(schema: TableSchema, position: number): Column {
  const column = schema.columns[position];
  if (column === undefined) throw new RangeError(`column ${position} of ${schema.database}.${schema.table}`);
  return column;
}
