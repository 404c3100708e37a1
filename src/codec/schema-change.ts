import type { CommitGroup } from '../connect/commit-group.ts';
import type { DdlPlace, DdlRecord, DdlTableChange } from '../event/ddl-record.ts';
import type { Column, TableId, TableSchema } from '../event/table-schema.ts';
import { clockText } from './clock-text.ts';
import type { DebeziumOptions } from './debezium-options.ts';
import { jsonString } from './json-writer.ts';
import { schemaChangeKeySchema, schemaChangeValueSchema } from './schema-change-schema.ts';

/** Key and value of a record of the schema-change topic. Source: io.debezium.relational.history.ConnectTableChangeSerializer. */
export function renderSchemaChange(
  group: CommitGroup,
  record: DdlRecord,
  options: DebeziumOptions,
): { readonly key: string; readonly value: string } {
  const madeMs = Math.floor((group.madeMicros ?? 0) / 1000);
  const value = [
    `"source":${sourceText(group, record, options)}`,
    `"ts_ms":${madeMs}`,
    `"databaseName":${jsonString(record.database)}`,
    '"schemaName":null',
    `"ddl":${jsonString(record.statement)}`,
    `"tableChanges":[${record.changes.map((change) => changeText(change, options)).join(',')}]`,
  ];
  const key = `{"databaseName":${jsonString(record.database)}}`;
  return {
    key: options.keySchemas ? `{"schema":${schemaChangeKeySchema(options.connector)},"payload":${key}}` : key,
    value: framed(`{${value.join(',')}}`, options),
  };
}

function framed(payload: string, { valueSchemas, connector }: DebeziumOptions): string {
  return valueSchemas ? `{"schema":${schemaChangeValueSchema(connector)},"payload":${payload}}` : payload;
}

interface Origin {
  readonly micros: number;
  readonly snapshot: string;
  readonly serverId: number;
  readonly gtid: string;
  readonly file: string;
  readonly pos: number;
  readonly row: number;
  readonly thread: string;
}

function sourceText(group: CommitGroup, { database, table, place }: DdlRecord, options: DebeziumOptions): string {
  const { version, connector, topicPrefix } = options;
  const from = originOf(group, place, options);
  const { ms, us, ns } = clockText(from.micros);
  return (
    `{"version":${jsonString(version)},"connector":"${connector}","name":${jsonString(topicPrefix)},"ts_ms":${ms},` +
    `"snapshot":${from.snapshot},"db":${jsonString(database)},"sequence":null,"ts_us":${us},"ts_ns":${ns},` +
    `"table":${table === null ? 'null' : jsonString(table)},"server_id":${from.serverId},"gtid":${from.gtid},` +
    `"file":${jsonString(from.file)},"pos":${from.pos},"row":${from.row},"thread":${from.thread},"query":null}`
  );
}

function originOf(group: CommitGroup, place: DdlPlace, { connector, replaceNullWithDefault }: DebeziumOptions): Origin {
  if (place.kind === 'snapshot') {
    const { file, pos, micros, last } = place;
    return { micros, snapshot: last ? '"last"' : '"true"', serverId: 0, gtid: 'null', file, pos, row: 0, thread: 'null' };
  }
  const { transactions, events, file } = group;
  const transaction = events.transaction[place.event] ?? 0;
  const source = transactions.gtidSources[transactions.gtidSource[transaction] ?? 0] ?? '';
  const sequence = transactions.gtidSequence[transaction] ?? 0;
  const isMariadb = connector === 'mariadb';
  return {
    // DDL has milliseconds, whatever the server knows.
    micros: Math.floor((transactions.committedMicros[transaction] ?? 0) / 1000) * 1000,
    snapshot: replaceNullWithDefault ? '"false"' : 'null',
    serverId: transactions.serverId[transaction] ?? 0,
    gtid: source === '' ? 'null' : `"${source}${isMariadb ? '-' : ':'}${sequence}"`,
    file,
    pos: (isMariadb ? transactions.pos?.[transaction] : undefined) ?? events.pos[place.event] ?? 0,
    row: place.row,
    thread: isMariadb || place.thread === 0 ? 'null' : String(place.thread),
  };
}

function changeText({ kind, id, schema }: DdlTableChange, options: DebeziumOptions): string {
  const table = schema === undefined ? 'null' : tableText(schema, options);
  return `{"type":"${kind}","id":${jsonString(idText(id))},"table":${table}}`;
}

/** `"db"."table"`. */
function idText({ database, table }: TableId): string {
  return [database, table].map((name) => `"${name.replaceAll('"', '""')}"`).join('.');
}

function tableText(schema: TableSchema, options: DebeziumOptions): string {
  const key = schema.primaryKey.flatMap((position) => schema.columns[position]?.name ?? []);
  const columns = schema.columns
    .filter(({ versioning, invisible }) => versioning === undefined || invisible !== true)
    .map((column, index) => columnText(column, index + 1, options));
  const comment = options.columnComments && schema.comment !== undefined && schema.comment !== '' ? jsonString(schema.comment) : 'null';
  return (
    `{"defaultCharsetName":${schema.charset === undefined ? 'null' : jsonString(schema.charset)},` +
    `"primaryKeyColumnNames":[${key.map(jsonString).join(',')}],"columns":[${columns.join(',')}],"comment":${comment}}`
  );
}

function columnText(column: Column, position: number, options: DebeziumOptions): string {
  const type = jsonString(column.nativeType);
  const optional = (value: string | number | undefined): string => {
    if (value === undefined) return 'null';
    return typeof value === 'number' ? String(value) : jsonString(value);
  };
  const isAutomatic = column.autoIncrement === true || column.onUpdateNow === true;
  const comment = options.columnComments && column.comment !== '' ? column.comment : undefined;
  return (
    `{"name":${jsonString(column.name)},"jdbcType":${jdbcTypeOf(column)},"nativeType":null,"typeName":${type},"typeExpression":${type},` +
    `"charsetName":${optional(charsetOf(column))},"length":${optional(lengthOf(column))},"scale":${optional(column.scale)},` +
    `"position":${position},"optional":${column.nullable},"autoIncremented":${isAutomatic},"generated":${isAutomatic},` +
    `"comment":${optional(comment)},"defaultValueExpression":${optional(defaultOf(column))},"enumValues":${labelsOf(column)}}`
  );
}

function charsetOf({ charset, type }: Column): string | undefined {
  return charset === 'binary' || type.kind === 'json' ? undefined : charset;
}

function lengthOf({ length, type }: Column): number | undefined {
  // As the parser counts: an ENUM has a character, a SET one per label and the commas between.
  if (type.kind === 'enum') return 1;
  if (type.kind === 'set') return Math.max(1, 2 * type.labels.length - 1);
  return length;
}

function defaultOf({ defaultText, defaultExpression }: Column): string | undefined {
  if (defaultText === undefined || defaultText === null) return undefined;
  if (defaultExpression === true) return /^current_timestamp/i.test(defaultText) ? '1970-01-01 00:00:00' : undefined;
  return /^b'([01]*)'$/.exec(defaultText)?.[1] ?? defaultText;
}

function labelsOf({ type }: Column): string {
  if (type.kind !== 'enum' && type.kind !== 'set') return 'null';
  return `[${type.labels.map((label) => jsonString(`'${label}'`)).join(',')}]`;
}

/** java.sql.Types of Debezium's DDL parser, by the first word of the type. */
const jdbcTypes: Readonly<Record<string, number>> = {
  BIT: -7,
  TINYINT: 5,
  INT1: 5,
  SMALLINT: 5,
  INT2: 5,
  MEDIUMINT: 4,
  INT3: 4,
  MIDDLEINT: 4,
  INT: 4,
  INTEGER: 4,
  INT4: 4,
  BIGINT: -5,
  INT8: -5,
  BOOL: 16,
  BOOLEAN: 16,
  FLOAT: 6,
  FLOAT4: 6,
  REAL: 7,
  DOUBLE: 8,
  FLOAT8: 8,
  DECIMAL: 3,
  DEC: 3,
  FIXED: 3,
  NUMERIC: 2,
  CHAR: 1,
  CHARACTER: 1,
  ENUM: 1,
  SET: 1,
  VARCHAR: 12,
  TINYTEXT: 12,
  TEXT: 12,
  MEDIUMTEXT: 12,
  LONGTEXT: 12,
  LONG: 12,
  BINARY: -2,
  VARBINARY: -3,
  TINYBLOB: 2004,
  BLOB: 2004,
  MEDIUMBLOB: 2004,
  LONGBLOB: 2004,
  DATE: 91,
  TIME: 92,
  DATETIME: 93,
  TIMESTAMP: 2014,
  YEAR: 4,
};

/** java.sql.Types.OTHER. */
const otherType = 1111;

function jdbcTypeOf({ nativeType }: Column): number {
  if (nativeType.startsWith('CHARACTER VARYING')) return 12;
  if (/^(?:NATIONAL VARCHAR|NATIONAL CHARACTER VARYING|NVARCHAR)/.test(nativeType)) return -9;
  if (/^(?:NATIONAL|NCHAR)/.test(nativeType)) return -15;
  if (nativeType === 'LONG VARBINARY') return 2004;
  return jdbcTypes[nativeType.split(' ')[0] ?? ''] ?? otherType;
}
