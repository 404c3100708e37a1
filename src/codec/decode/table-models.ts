import type { DdlEffect, DdlReader, OpenDdlReader } from '../../connect/ddl-reader.ts';
import type { ColumnOrigin, SchemaChange } from '../../event/schema-change.ts';
import { guessedNullType } from '../../event/guessed.ts';
import { createTableSchema, tableName, type TableSchema } from '../../event/table-schema.ts';
import type { DdlRecord } from './described-change.ts';

/**
 * What a statement did, by the reader and by Debezium's description together: the reader knows renamed columns, and what
 * existing rows have in new ones; the description is there also where the reader does not know the words. Where they disagree
 * about the columns, the records follow the description.
 */
export function applyDdl(reader: DdlReader, record: DdlRecord): DdlEffect {
  const before = new Map(record.changes.map(({ id }) => [tableName(id), reader.find(id)]));
  const effect = reader.apply(record.statement, record.database);
  const disputed = new Set<string>();
  const changes: SchemaChange[] = [];
  const uncertain = [...effect.uncertain];
  for (const { kind, id, schema } of record.changes) {
    const known = reader.find(id);
    if (schema === undefined) {
      if (kind === 'drop' && known !== undefined) {
        reader.remove(id);
        disputed.add(tableName(id));
        changes.push({ kind: 'dropTable', before: known });
      }
      continue;
    }
    if (known !== undefined && sameNames(known, schema)) continue;
    disputed.add(tableName(id));
    if (!record.snapshot && !effect.unreadable) {
      uncertain.push({ table: id, reason: 'the statement was read in another way than by the connector that wrote the records' });
    }
    reader.define(schema);
    const old = before.get(tableName(id));
    if (old === undefined || kind === 'create') changes.push({ kind: 'createTable', after: schema });
    else changes.push({ kind: 'alterTable', before: old, after: schema, columns: originsByName(old, schema) });
  }
  const agreed = effect.changes.filter((change) => !disputed.has(tableName('after' in change ? change.after : change.before)));
  return { changes: [...agreed, ...changes], uncertain, unreadable: effect.unreadable };
}

function sameNames(a: TableSchema, b: TableSchema): boolean {
  return a.columns.length === b.columns.length && a.columns.every((column, index) => column.name === b.columns[index]?.name);
}

/** Columns of one name are one column; others are new, and hold their default. */
export function originsByName(before: TableSchema, after: TableSchema): readonly ColumnOrigin[] {
  return after.columns.map((column): ColumnOrigin => {
    const from = before.columns.findIndex(({ name }) => name === column.name);
    // a column that had nulls alone has nothing to keep
    if (from >= 0 && before.columns[from]?.nativeType === guessedNullType) return { fill: null };
    if (from >= 0) return { from };
    return { fill: column.defaultExpression === true ? null : (column.defaultText ?? null) };
  });
}

/** A reader that knows no SQL: tables are what descriptions say. */
export const openPlainReader: OpenDdlReader = (_flavor, notes) => {
  const tables = new Map<string, TableSchema>();
  const changed = new Map<string, string | null>();
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own notes
  for (const [key, text] of notes) tables.set(key, JSON.parse(text) as TableSchema);
  const put = (schema: TableSchema): void => {
    tables.set(tableName(schema), schema);
    changed.set(tableName(schema), JSON.stringify(schema));
  };
  return {
    find: (table) => tables.get(tableName(table)),
    apply: () => ({ changes: [], uncertain: [], unreadable: true }),
    define: put,
    remove(table) {
      tables.delete(tableName(table));
      changed.set(tableName(table), null);
    },
    exclude(table, names) {
      const schema = tables.get(tableName(table));
      if (schema !== undefined) put(withoutColumns(schema, names));
    },
    drainNotes() {
      const drained = new Map(changed);
      changed.clear();
      return drained;
    },
  };
};

function withoutColumns(schema: TableSchema, names: readonly string[]): TableSchema {
  const kept = schema.columns.flatMap((column, position) =>
    names.includes(column.name) && !schema.primaryKey.includes(position) ? [] : [position],
  );
  const { fingerprint: _, ...parts } = schema;
  return createTableSchema({
    ...parts,
    columns: kept.flatMap((position) => schema.columns[position] ?? []),
    primaryKey: schema.primaryKey.map((position) => kept.indexOf(position)),
  });
}
