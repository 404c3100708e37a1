import { tableName } from '../event/table-schema.ts';
import type { TableSchema } from '../event/table-schema.ts';
import { compareKeys, keyOrderOf } from './snapshot-key.ts';
import type { KeyBytes, KeyOrder } from './snapshot-key.ts';

/** A place in the binlog, without its GTIDs. */
export interface BinlogPlace {
  readonly file: string;
  readonly pos: number;
}

/** A piece of a part that was read in one view: from where the piece before ends up to `to`, included. */
export interface Segment {
  /** Undefined: to the end of the part. */
  readonly to: KeyBytes | undefined;
  readonly place: BinlogPlace;
}

/** A range of a table's keys, `(low, high]`, read by one worker at a time from its low end on. */
export interface Part {
  readonly index: number;
  /** Undefined: the range is open at that end. */
  readonly low: KeyBytes | undefined;
  readonly high: KeyBytes | undefined;
  /** What is read, in key order; pieces of the same view are one. */
  segments: Segment[];
  done: boolean;
  rows: number;
  /** Rows were handed out without a record of how far: the part can only be read anew, with its whole table. */
  begun: boolean;
}

/** How far the snapshot of one table is. The parts cover all keys, in order. */
export interface SnapshotTable {
  readonly name: string;
  readonly schema: TableSchema;
  /** Undefined: rows cannot be cut by key; there is one part, and it has no inner places. */
  readonly order: KeyOrder | undefined;
  readonly parts: readonly Part[];
  /** Rows as the server estimates them. */
  readonly estimate: number;
  /** Item of FROM that is read instead of the table: there is no order then. */
  readonly source?: string | undefined;
}

export function createPart(index: number, low: KeyBytes | undefined, high: KeyBytes | undefined): Part {
  return { index, low, high, segments: [], done: false, rows: 0, begun: false };
}

/** `bounds` are the inner ends of the parts, ascending; one part more than bounds is made. */
export function createSnapshotTable(
  schema: TableSchema,
  bounds: readonly KeyBytes[],
  { estimate, source }: Pick<SnapshotTable, 'estimate' | 'source'>,
): SnapshotTable {
  const order = source === undefined ? keyOrderOf(schema) : undefined;
  const parts = Array.from({ length: bounds.length + 1 }, (_, i) => createPart(i, bounds[i - 1], bounds[i]));
  return { name: tableName(schema), schema, order, parts, estimate, source };
}

/** What a chunk adds to its part once it is handed out. */
export interface ChunkRange {
  readonly table: SnapshotTable;
  readonly part: Part;
  /** Last key of the chunk; undefined: to the end of the part. */
  readonly to: KeyBytes | undefined;
  readonly done: boolean;
  readonly place: BinlogPlace;
  readonly rows: number;
}

/** Notes that a chunk was handed out. */
export function applyChunk({ table, part, to, done, place, rows }: ChunkRange): void {
  part.rows += rows;
  part.begun = true;
  if (table.order === undefined && !done) return;
  part.done = done;
  const segment = { to: done ? undefined : to, place };
  const last = part.segments.at(-1);
  if (last !== undefined && last.place.file === place.file && last.place.pos === place.pos) {
    part.segments[part.segments.length - 1] = segment;
  } else part.segments.push(segment);
}

/** Where reading a part goes on: after this key; undefined: from the beginning. */
export function resumeKey(part: Part): KeyBytes | undefined {
  return part.segments.at(-1)?.to ?? part.low;
}

export function isDone(table: SnapshotTable): boolean {
  return table.parts.every(({ done }) => done);
}

export function rowsOf(table: SnapshotTable): number {
  return table.parts.reduce((sum, { rows }) => sum + rows, 0);
}

/**
 * The place at which the row with this key was read; undefined: it is not read yet. Without a key: of tables that
 * have one part.
 */
export function placeOf(table: SnapshotTable, key: KeyBytes | undefined): BinlogPlace | undefined {
  const { order, parts } = table;
  if (order === undefined || key === undefined) return parts[0]?.segments[0]?.place;
  const part = parts[firstIndex(parts.length - 1, (i) => isWithin(order, key, parts[i]?.high))];
  if (part === undefined) return undefined;
  const { segments } = part;
  const index = firstIndex(segments.length, (i) => isWithin(order, key, segments[i]?.to));
  return segments[index]?.place;
}

function isWithin(order: KeyOrder, key: KeyBytes, end: KeyBytes | undefined): boolean {
  return end === undefined || compareKeys(order, key, end) <= 0;
}

/** The least index in `[0, count)` for which `test` holds, else `count`; once it holds, it holds for all greater ones. */
function firstIndex(count: number, test: (index: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (test(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
