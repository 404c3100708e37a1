import { MillraceError } from '../../base/errors.ts';
import { createTableSchema, type Column, type TableId, type TableSchema } from '../../event/table-schema.ts';
import { describedColumnType } from './native-type.ts';

/** A value of the schema-change topic or of the schema history: a statement, and what Debezium made of it. */
export interface DdlRecord {
  readonly database: string;
  readonly statement: string;
  /** It was written while a snapshot was taken: the statement makes what is there already. */
  readonly snapshot: boolean;
  /** The snapshot has no more records. */
  readonly last: boolean;
  readonly changes: readonly DescribedChange[];
  readonly file: string;
  readonly pos: number;
}

export interface DescribedChange {
  readonly kind: 'create' | 'alter' | 'drop';
  readonly id: TableId;
  /** Of a table that is there afterwards. */
  readonly schema: TableSchema | undefined;
}

/** Whether these are members of a schema change; `names` are those of the value. */
export function isDdlValue(names: ReadonlySet<string>): boolean {
  return names.has('tableChanges') && (names.has('ddl') || names.has('databaseName'));
}

/** Reads the payload of a schema change. @throws CONVERSION_FAILED */
export function parseDdlRecord(json: Uint8Array): DdlRecord {
  const value: unknown = JSON.parse(Buffer.from(json.buffer, json.byteOffset, json.byteLength).toString('utf8'));
  const source = member(value, 'source');
  const position = member(value, 'position');
  const marker = text(member(source, 'snapshot')) ?? 'false';
  const changes = member(value, 'tableChanges');
  return {
    database: text(member(value, 'databaseName')) ?? '',
    statement: text(member(value, 'ddl')) ?? '',
    snapshot: position === undefined ? marker !== 'false' : member(position, 'snapshot') !== undefined,
    last: marker === 'last',
    changes: Array.isArray(changes) ? changes.flatMap(describedChange) : [],
    file: text(member(position ?? source, 'file')) ?? '',
    pos: Number(member(position ?? source, 'pos') ?? 0),
  };
}

function describedChange(change: unknown): readonly DescribedChange[] {
  const id = tableIdOf(text(member(change, 'id')) ?? '');
  const type = text(member(change, 'type'));
  if (id === undefined) return [];
  if (type === 'DROP') return [{ kind: 'drop', id, schema: undefined }];
  const table = member(change, 'table');
  if (typeof table !== 'object' || table === null) return [];
  return [{ kind: type === 'CREATE' ? 'create' : 'alter', id, schema: schemaOf(id, table) }];
}

/** `"db"."table"`, quotes doubled. */
function tableIdOf(id: string): TableId | undefined {
  const parts = [...id.matchAll(/"((?:[^"]|"")*)"/g)].map(([, part = '']) => part.replaceAll('""', '"'));
  const [database, table] = parts;
  return database === undefined || table === undefined ? undefined : { database, table };
}

function schemaOf(id: TableId, table: object): TableSchema {
  const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
  const columns = list(member(table, 'columns')).map(columnOf);
  const key = list(member(table, 'primaryKeyColumnNames')).map((name) => columns.findIndex((column) => column.name === name));
  const charset = text(member(table, 'defaultCharsetName'));
  return createTableSchema({
    ...id,
    columns,
    primaryKey: key.includes(-1) ? [] : key,
    ...(charset === undefined ? {} : { charset }),
  });
}

function columnOf(described: unknown): Column {
  const name = text(member(described, 'name')) ?? '';
  const typeName = text(member(described, 'typeName')) ?? '';
  const [length, scale] = [number(member(described, 'length')), number(member(described, 'scale'))];
  const values = member(described, 'enumValues');
  const labels = Array.isArray(values) ? values.map((label) => labelOf(String(label))) : [];
  const type = describedColumnType({ typeName, length, scale, labels });
  if (type === undefined) throw new MillraceError('CONVERSION_FAILED', `column ${name} has the unknown type ${typeName}`);
  const charset = text(member(described, 'charsetName'));
  const fallback = text(member(described, 'defaultValueExpression'));
  const textual = type.kind === 'text' || type.kind === 'enum' || type.kind === 'set';
  return {
    name,
    type,
    nullable: member(described, 'optional') === true,
    nativeType: typeName,
    ...(length === undefined ? {} : { length }),
    ...(scale === undefined ? {} : { scale }),
    ...(textual && charset !== undefined ? { charset } : {}),
    ...(fallback === undefined ? {} : { defaultText: type.kind === 'bit' ? `b'${fallback}'` : fallback }),
  };
}

/** `'it''s'`, with the quotes in which the statement had it. */
function labelOf(quoted: string): string {
  if (!quoted.startsWith("'")) return quoted;
  return quoted.replaceAll(/^'|'$/g, '').replaceAll("''", "'").replaceAll('\\\\', '\\');
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
