import { MillraceError } from '../../base/errors.ts';
import type { DdlReader } from '../../connect/ddl-reader.ts';
import type { ColumnOrigin } from '../../event/schema-change.ts';
import { createTableSchema, tableName, type Column, type TableId, type TableSchema } from '../../event/table-schema.ts';
import { widenTable } from './inferred-table.ts';
import { JsonReader } from './json-reader.ts';
import { keyFieldsOf, tableOfSchemas } from './record-columns.ts';
import type { OpenRecord } from './row-decoder.ts';
import { isMetadataMember } from './row-plan.ts';
import { originsByName } from './table-models.ts';
import { naturalTopic, retitled, tableOfTopic, type TableKnowledge, type TopicTable } from './topic-table.ts';

export interface ResolveOptions {
  readonly source: string;
  readonly reader: DdlReader;
  readonly declared: (table: TableId) => string | undefined;
}

export interface ResolvedTable {
  readonly schema: TableSchema;
  readonly knowledge: TableKnowledge;
  readonly definedBy: TableId | undefined;
  /** Where the columns come from that rows have had so far. */
  origins(before: TableSchema): readonly ColumnOrigin[];
}

/**
 * What the table of a topic looks like, by the best that is known: what the configuration declares, the source's own
 * definition where the record has its columns and no others, the record's schemas, and at last its values.
 * @throws CONVERSION_FAILED
 */
export function resolveTable(table: TopicTable, open: OpenRecord, { source, reader, declared }: ResolveOptions): ResolvedTable {
  const marker = open.envelope?.marker;
  const origin = marker === undefined || marker.table === '' ? undefined : { database: marker.database, table: marker.table };
  const natural = origin !== undefined && naturalTopic(source, origin) === table.topic.replaceAll(/[^a-zA-Z0-9._-]/g, '_');
  const id = table.id ?? (natural ? origin : tableOfTopic(source, table.topic));
  const resolved = (schema: TableSchema, knowledge: TableKnowledge, definedBy?: TableId): ResolvedTable => {
    if (schema.columns.length === 0) throw new MillraceError('CONVERSION_FAILED', 'the record has no column: there is no row in it');
    return { schema, knowledge, definedBy, origins: (before) => originsByName(before, schema) };
  };

  const columns = declared(id);
  if (columns !== undefined) return resolved(declaredTable(id, columns, { known: table, reader }), 'declared');

  const row = rowNames(open);
  const key = keyNames(open);
  const definer = reader.find(id) === undefined ? origin : id;
  const model = definer === undefined ? undefined : reader.find(definer);
  if (model !== undefined && definer !== undefined && follows(model, { row, key, flat: open.envelope === undefined })) {
    const own = tableName(definer) === tableName(id);
    const missing = model.columns.filter(({ name }) => !row.includes(name) && !key.includes(name)).map(({ name }) => name);
    // rows that name no place in the binlog can be older than the definition
    if (origin !== undefined && !table.hasRows && missing.length > 0) reader.exclude(definer, missing);
    return resolved(retitled(reader.find(definer) ?? model, id), 'defined', own ? undefined : definer);
  }

  if (open.rowSchema !== undefined) {
    const described = tableOfSchemas(id, { row: open.rowSchema, key: open.key?.schema, skip: isMetadataMember });
    return resolved(table.knowledge === 'described' && table.created ? united(table.schema, described) : described, 'described');
  }
  const readers = imagesOf(open).map((start) => new JsonReader(open.value.bytes, start, open.value.end));
  const keyReader = open.key === undefined ? undefined : new JsonReader(open.key.bytes, open.key.start, open.key.end);
  const keyed = keyReader?.peek() === 0x7b ? keyReader : undefined;
  const guessed = table.knowledge === 'guessed' ? table.schema : undefined;
  return resolved(widenTable(guessed, { id, rows: readers, key: keyed, skip: isMetadataMember }), 'guessed');
}

/**
 * Without the source's definition it is not known whether a column that records lack was dropped: it stays, and one that comes
 * later can be NULL, since existing rows have no value for it.
 */
function united(known: TableSchema | undefined, described: TableSchema): TableSchema {
  if (known === undefined) return described;
  const gone = known.columns.filter(({ name }) => !described.columns.some((column) => column.name === name));
  const isNew = (column: Column): boolean => !known.columns.some(({ name }) => name === column.name);
  const columns = [
    ...described.columns.map((column) => (isNew(column) && column.defaultText === undefined ? { ...column, nullable: true } : column)),
    ...gone.map((column) => ({ ...column, nullable: true })),
  ];
  const { database, table, primaryKey } = described;
  return createTableSchema({ database, table, columns, primaryKey });
}

function declaredTable(id: TableId, columns: string, { known, reader }: { known: TopicTable; reader: DdlReader }): TableSchema {
  if (known.knowledge === 'declared' && known.schema !== undefined) return known.schema;
  const quoted = (name: string): string => `\`${name.replaceAll('`', '``')}\``;
  reader.remove(id);
  const effect = reader.apply(`CREATE TABLE ${quoted(id.database)}.${quoted(id.table)} (${columns})`, id.database);
  const schema = reader.find(id);
  if (effect.unreadable || effect.uncertain.length > 0 || schema === undefined) {
    throw new MillraceError('CONFIG_INVALID', `The declared columns of ${tableName(id)} cannot be read: ${columns}`, {
      nextStep: 'Write them as in CREATE TABLE: "id INT PRIMARY KEY, price DECIMAL(10,2) NOT NULL".',
    });
  }
  return schema;
}

/** Whether rows of these members are rows of the table: all of them are its columns, and the key finds them. */
function follows(
  model: TableSchema,
  { row, key, flat }: { readonly row: readonly string[]; readonly key: readonly string[]; readonly flat: boolean },
): boolean {
  const names = new Set(model.columns.map(({ name }) => name));
  const isColumn = (name: string): boolean => names.has(name) || isMetadataMember(name);
  if (!row.every(isColumn) || !key.every((name) => names.has(name))) return false;
  const primary = model.primaryKey.map((position) => model.columns[position]?.name ?? '');
  // without images of the row before, the record's key is all that finds it
  return !flat || key.length === 0 || (key.length === primary.length && primary.every((name) => key.includes(name)));
}

function rowNames(open: OpenRecord): readonly string[] {
  if (open.rowSchema !== undefined) return open.rowSchema.fields.map(({ field }) => field);
  const [start] = imagesOf(open);
  return start === undefined ? [] : namesOf(new JsonReader(open.value.bytes, start, open.value.end));
}

function keyNames({ key }: OpenRecord): readonly string[] {
  if (key === undefined) return [];
  if (key.schema !== undefined) return keyFieldsOf(key.schema).map(({ field }) => field);
  const reader = new JsonReader(key.bytes, key.start, key.end);
  return reader.peek() === 0x7b ? namesOf(reader) : [];
}

function namesOf(reader: JsonReader): readonly string[] {
  const names: string[] = [];
  for (let more = reader.enterObject(); more; more = reader.next()) {
    names.push(reader.name());
    reader.skip();
  }
  return names;
}

/** Where the record's row objects begin. */
function imagesOf({ envelope, rowAt }: OpenRecord): readonly number[] {
  if (envelope === undefined) return [rowAt];
  return [envelope.after, envelope.before].filter((start) => start >= 0);
}
