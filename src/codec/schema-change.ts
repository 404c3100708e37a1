import type { CommitGroup } from '../connect/commit-group.ts';
import type { DdlPlace, DdlRecord, DdlTableChange } from '../event/ddl-record.ts';
import type { Column, TableSchema } from '../event/table-schema.ts';
import { clockText } from './clock-text.ts';
import type { DebeziumOptions } from './debezium-options.ts';
import { describedColumn, describedTable, tableIdText } from './described-column.ts';
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
  return `{"type":"${kind}","id":${jsonString(tableIdText(id))},"table":${table}}`;
}

function tableText(schema: TableSchema, options: DebeziumOptions): string {
  const { charset, key, columns, comment } = describedTable(schema, options);
  return (
    `{"defaultCharsetName":${charset === undefined ? 'null' : jsonString(charset)},` +
    `"primaryKeyColumnNames":[${key.map(jsonString).join(',')}],` +
    `"columns":[${columns.map((column, index) => columnText(column, index + 1, options)).join(',')}],"comment":${comment === null ? 'null' : jsonString(comment)}}`
  );
}

function columnText(column: Column, position: number, options: DebeziumOptions): string {
  const told = describedColumn(column, options);
  const type = jsonString(told.type);
  const optional = (value: string | number | undefined): string => {
    if (value === undefined) return 'null';
    return typeof value === 'number' ? String(value) : jsonString(value);
  };
  const labels = told.labels === undefined ? 'null' : `[${told.labels.map(jsonString).join(',')}]`;
  return (
    `{"name":${jsonString(column.name)},"jdbcType":${told.jdbcType},"nativeType":null,"typeName":${type},"typeExpression":${type},` +
    `"charsetName":${optional(told.charset)},"length":${optional(told.length)},"scale":${optional(told.scale)},` +
    `"position":${position},"optional":${told.isOptional},"autoIncremented":${told.isAutomatic},"generated":${told.isAutomatic},` +
    `"comment":${optional(told.comment)},"defaultValueExpression":${optional(told.default)},"enumValues":${labels}}`
  );
}
