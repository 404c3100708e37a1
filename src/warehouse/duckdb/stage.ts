import { ByteWriter } from '../../base/byte-writer.ts';
import { cellState, stateBytes } from '../../event/change-batch.ts';
import { tableName, type Column, type TableSchema } from '../../event/table-schema.ts';
import { imageBytes, keyColumns, type Fold, type PartialRowSet, type RowSet } from '../fold.ts';
import { createRowLayout, locateCells, stateOf } from '../row-image.ts';
import type { StringStore } from './column-buffer.ts';
import type { MappedColumn } from './column-mapping.ts';
import { loadRows } from './load-rows.ts';
import type { Session } from './session.ts';

/** A fold in temporary tables of a session, whose columns are named c0, c1 …. */
export interface StagedMerge {
  readonly schema: TableSchema;
  readonly columns: readonly MappedColumn[];
  /** Keys to delete; of tables without a key whole rows, each for one row to delete. */
  readonly deletes: StagedRows | undefined;
  readonly inserts: StagedRows | undefined;
  readonly partials: StagedPartials | undefined;
  /** Rows to delete may not be there. */
  readonly lenient: boolean;
  /** Values that became NULL, by column. */
  readonly substitutions: Readonly<Record<string, number>>;
}

export interface StagedRows {
  readonly table: string;
  readonly columns: readonly MappedColumn[];
  readonly rows: number;
}

/** Rows with columns that are not known here, and beside them (at the same rowid) what completes them. */
export interface StagedPartials extends StagedRows {
  /** c0: for each column of the table 1 or 0, known or not, and at last whether the row stands in the replica; then its key. */
  readonly origins: string;
}

export interface StageOptions {
  readonly mapColumns: (columns: readonly Column[]) => readonly MappedColumn[];
  /** A value that no column holds: throws, else it is counted. */
  readonly failOnInvalid: boolean;
  readonly storeStrings: StringStore;
}

let nextName = 1;

export async function stageFold(
  session: Session,
  fold: Fold,
  { mapColumns, failOnInvalid, storeStrings }: StageOptions,
): Promise<StagedMerge> {
  const { schema } = fold;
  const columns = mapColumns(schema.columns);
  const keys = mapColumns(keyColumns(schema));
  const substituted = new Map<string, number>();

  const stage = async (
    kind: string,
    set: RowSet,
    mapped: readonly MappedColumn[],
    key: readonly number[],
  ): Promise<StagedRows | undefined> => {
    if (set.count === 0) return undefined;
    const table = `millrace_${kind}_${nextName++}`;
    await session.run(`CREATE TEMP TABLE ${table} (${mapped.map(({ sqlType }, index) => `c${index} ${sqlType}`).join(', ')})`);
    const options = { storeStrings, table: tableName(schema), key, failOnInvalid };
    const result = await loadRows(session, { catalog: undefined, schema: 'main', table }, { set, columns: mapped, options });
    if (kind !== 'delete') count(substituted, mapped, result.substitutions);
    return { table, columns: mapped, rows: result.rows };
  };

  const whole = schema.primaryKey.length === 0;
  const deletes = await stage('delete', fold.deletes, whole ? columns : keys, whole ? [] : keys.map((_, index) => index));
  const inserts = await stage('insert', fold.inserts, columns, schema.primaryKey);
  const partialSet = fold.partials;
  const partialRows = await stage('partial', partialSet, columns, schema.primaryKey);
  let partials: StagedPartials | undefined;
  if (partialRows !== undefined) {
    const described = originColumns(partialSet);
    const mapped = mapColumns(described);
    const origins = await stage('origin', originSet(schema, partialSet, described), mapped, []);
    partials = { ...partialRows, origins: origins?.table ?? '' };
  }
  return { schema, columns, deletes, inserts, partials, lenient: fold.lenient, substitutions: Object.fromEntries(substituted) };
}

/** Frees what was staged. */
export async function dropStaged(session: Session, { deletes, inserts, partials }: StagedMerge): Promise<void> {
  const tables = [deletes?.table, inserts?.table, partials?.table, partials?.origins].filter(
    (table) => table !== undefined && table !== '',
  );
  if (tables.length > 0) await session.run(tables.map((table) => `DROP TABLE temp.${table}`).join('; '));
}

function count(into: Map<string, number>, columns: readonly MappedColumn[], substitutions: Float64Array): void {
  for (const [index, { column }] of columns.entries()) {
    const times = substitutions[index] ?? 0;
    if (times > 0) into.set(column.name, (into.get(column.name) ?? 0) + times);
  }
}

function originColumns(set: PartialRowSet): readonly Column[] {
  const present: Column = { name: 'present', type: { kind: 'text' }, nullable: false, nativeType: 'VARCHAR' };
  return [present, ...set.originColumns];
}

/** For each partial row an image of what `StagedPartials.origins` holds. */
function originSet(schema: TableSchema, set: PartialRowSet, described: readonly Column[]): RowSet {
  const keyLayout = createRowLayout(set.originColumns);
  const keyCells = new Float64Array(keyLayout.columns + 1);
  const states = stateBytes(described.length);
  const width = schema.columns.length;
  return {
    columns: described,
    count: set.count,
    extent: set.extent,
    visit: (from, to, visitor) => {
      const writer = new ByteWriter(256);
      set.visitWithOrigins(from, to, (row, start, origin, originStart) => {
        writer.clear();
        for (let i = 0; i < states; i++) writer.uint8(0);
        writer.varint(width + 1);
        for (let c = 0; c < width; c++) writer.uint8(stateOf(row.bytes, start, c) === cellState.absent ? 0x30 : 0x31);
        writer.uint8(origin === undefined ? 0x30 : 0x31);
        if (origin === undefined) {
          for (let c = 1; c < described.length; c++) {
            writer.bytes[c >> 2] = (writer.bytes[c >> 2] ?? 0) | (cellState.null << ((c & 3) * 2));
          }
        } else {
          locateCells(origin.bytes, originStart, keyLayout, keyCells);
          writer.raw(origin.bytes, originStart + keyLayout.stateBytes, keyCells[keyLayout.columns] ?? 0);
        }
        visitor(imageBytes(writer.bytes), 0);
      });
    },
  };
}
