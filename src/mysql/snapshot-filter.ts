import { cellState } from '../event/change-batch.ts';
import { tableName } from '../event/table-schema.ts';
import type { TableId, TableSchema } from '../event/table-schema.ts';
import { KeyReader, keyOrderOf } from './snapshot-key.ts';
import type { KeyBytes } from './snapshot-key.ts';
import { comparePositions } from './server-position.ts';
import { placeOf } from './snapshot-table.ts';
import type { BinlogPlace, SnapshotTable } from './snapshot-table.ts';

/** What becomes of a streamed change while its table is in a snapshot. */
export const decision = {
  keep: 0,
  /** A chunk holds it, or will. */
  drop: 1,
  /** Only its before image counts: the row moved to where a chunk holds it. */
  splitToDelete: 2,
  /** Only its after image counts: the row moved away from where its chunk was read later. */
  splitToInsert: 3,
  /** It cannot be told apart row by row: call `Snapshot.tableChanged`, then drop it. */
  restart: 4,
} as const;

export type Decision = (typeof decision)[keyof typeof decision];

/** A row change: `bytes` holds its images, in the form of `ChangeBatch`, at `before` and `after`; -1: it has none. */
export interface ChangeImages {
  readonly schema: TableSchema;
  readonly bytes: Uint8Array;
  readonly before: number;
  readonly after: number;
}

/**
 * Tells which streamed changes the snapshot's chunks already hold. A chunk was read at one place of the binlog, and holds
 * exactly the transactions that end at or before it. Hence for a change and each side of it (the row it takes away, the
 * row it brings):
 *
 *   key's chunk not read yet            dropped: the chunk will be read at or after the stream's place
 *   chunk's place at or after change    dropped: the chunk shows its effect
 *   chunk's place before the change     kept
 *
 * A change whose sides differ (an update that moves a row to another chunk) is split.
 *
 * Any offset inside of a transaction will do as its place, since no chunk's place is inside of one.
 */
export class SnapshotFilter {
  readonly #tables = new Map<string, TableFilter>();

  /** The filter of a table's changes, undefined when all of them are kept. */
  table(id: TableId): TableFilter | undefined {
    return this.#tables.get(tableName(id));
  }

  /** A table begins, or begins anew. */
  set(table: SnapshotTable): void {
    this.#tables.set(table.name, new TableFilter(table));
  }

  /** A table was not there any more when it was to be read: its changes are dropped until its DROP or RENAME comes along. */
  setGone(table: SnapshotTable): void {
    this.#tables.set(table.name, new TableFilter({ ...table, order: undefined, parts: [] }));
  }

  /** All changes of the table are kept from now on. */
  delete(id: TableId): void {
    this.#tables.delete(tableName(id));
  }

  clear(): void {
    this.#tables.clear();
  }

  /** A chunk of the table was handed out. */
  changed(name: string): void {
    this.#tables.get(name)?.changed();
  }
}

/** Whether the after image has all its cells. */
function isComplete({ schema, bytes, after }: ChangeImages): boolean {
  for (let c = 0; c < schema.columns.length; c++) {
    const state = ((bytes[after + (c >> 2)] ?? 0) >> ((c & 3) << 1)) & 3;
    if (state === cellState.absent || state === cellState.diff) return false;
  }
  return true;
}

interface Extent {
  readonly oldest: BinlogPlace | undefined;
  readonly newest: BinlogPlace | undefined;
  readonly complete: boolean;
}

export class TableFilter {
  readonly #table: SnapshotTable;
  readonly #keys: KeyReader | undefined;
  #extent: Extent | undefined;

  constructor(table: SnapshotTable) {
    this.#table = table;
    this.#keys = table.order === undefined ? undefined : new KeyReader(table.order);
  }

  changed(): void {
    this.#extent = undefined;
  }

  /** `place` is the offset of the change's event, or any other inside of its transaction. */
  decide(change: ChangeImages, place: BinlogPlace): Decision {
    const clear = this.#decideAsWhole(place);
    if (clear !== undefined) return clear;
    const keys = this.#keys;
    // Only a table with a key can be read at several places.
    if (keys === undefined || !hasSameKey(change.schema, keys.order.schema)) return decision.restart;
    const reader = change.schema.fingerprint === keys.order.schema.fingerprint ? keys : readerOf(change.schema);
    const before = change.before < 0 ? undefined : reader?.read(change.bytes, change.before);
    const after = change.after < 0 ? undefined : reader?.read(change.bytes, change.after, change.before);
    if (change.before < 0) return after === undefined ? decision.restart : this.#side(after, place);
    if (before === undefined || (change.after >= 0 && after === undefined)) return decision.restart;
    const from = this.#side(before, place);
    if (after === undefined) return from;
    const to = this.#side(after, place);
    if (from === to) return from;
    if (from === decision.keep) return decision.splitToDelete;
    // What the after image lacks (binlog_row_image=MINIMAL, a partial JSON update) no chunk has either.
    return isComplete(change) ? decision.splitToInsert : decision.restart;
  }

  /** For a statement that changes the table as a whole: DDL, TRUNCATE. */
  decideStatement(place: BinlogPlace): typeof decision.keep | typeof decision.drop | typeof decision.restart {
    return this.#decideAsWhole(place) ?? decision.restart;
  }

  #decideAsWhole(place: BinlogPlace): typeof decision.keep | typeof decision.drop | undefined {
    const { oldest, newest, complete } = (this.#extent ??= extentOf(this.#table));
    if (oldest === undefined || newest === undefined || comparePositions(place, oldest) < 0) return decision.drop;
    return complete && comparePositions(place, newest) >= 0 ? decision.keep : undefined;
  }

  #side(key: KeyBytes, place: BinlogPlace): typeof decision.keep | typeof decision.drop {
    const read = placeOf(this.#table, key);
    return read === undefined || comparePositions(place, read) < 0 ? decision.drop : decision.keep;
  }
}

function extentOf({ parts }: SnapshotTable): Extent {
  let oldest: BinlogPlace | undefined;
  let newest: BinlogPlace | undefined;
  for (const { segments } of parts) {
    for (const { place } of segments) {
      if (oldest === undefined || comparePositions(place, oldest) < 0) oldest = place;
      if (newest === undefined || comparePositions(place, newest) > 0) newest = place;
    }
  }
  return { oldest, newest, complete: parts.length > 0 && parts.every(({ done }) => done) };
}

/** Whether keys of both schemas have the same columns and bytes. */
function hasSameKey(a: TableSchema, b: TableSchema): boolean {
  if (a === b || a.fingerprint === b.fingerprint) return true;
  const key = (schema: TableSchema): string =>
    JSON.stringify(schema.primaryKey.map((position) => [schema.columns[position]?.name, schema.columns[position]?.type]));
  return key(a) === key(b);
}

const readers = new WeakMap<TableSchema, KeyReader>();

function readerOf(schema: TableSchema): KeyReader | undefined {
  const known = readers.get(schema);
  if (known !== undefined) return known;
  const order = keyOrderOf(schema);
  if (order === undefined) return undefined;
  const reader = new KeyReader(order);
  readers.set(schema, reader);
  return reader;
}
