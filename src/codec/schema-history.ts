import type { CommitGroup } from '../connect/commit-group.ts';
import type { DdlRecord, DdlTableChange } from '../event/ddl-record.ts';
import type { Column } from '../event/table-schema.ts';
import type { DebeziumOptions } from './debezium-options.ts';
import { describedColumn, describedTable, tableIdText, type DescribedTable } from './described-column.ts';

type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json | undefined };

/**
 * A record of Debezium's schema history, without a key. With such a topic Debezium can go on where this connector was.
 * Source: io.debezium.relational.history.HistoryRecord, JsonTableChangeSerializer; printed by DocumentWriter.prettyWriter.
 */
export function renderSchemaHistory(group: CommitGroup, record: DdlRecord, options: DebeziumOptions): string {
  return pretty(
    {
      source: { server: options.topicPrefix },
      position: positionOf(group, record, options),
      ts_ms: Math.floor((group.madeMicros ?? 0) / 1000),
      databaseName: record.database,
      ddl: record.statement,
      tableChanges: record.changes.map((change) => changeOf(change, options)),
    },
    '',
  );
}

function positionOf(group: CommitGroup, { place }: DdlRecord, { connector, transactionMetadata }: DebeziumOptions): Json {
  const { file, transactions, events, position } = group;
  if (place.kind === 'snapshot') {
    const at = { ts_sec: Math.floor(place.micros / 1e6), file: place.file, pos: place.pos };
    return { ...at, gtids: position.gtids === '' ? undefined : position.gtids, snapshot: 'INITIAL' };
  }
  const { gtids = position.gtids } = place;
  const transaction = events.transaction[place.event] ?? 0;
  const source = transactions.gtidSources[transactions.gtidSource[transaction] ?? 0] ?? '';
  return {
    transaction_id: connector === 'mariadb' && transactionMetadata ? `${source}-${transactions.gtidSequence[transaction] ?? 0}` : undefined,
    ts_sec: events.seconds[place.event] ?? 0,
    file,
    pos: events.pos[place.event] ?? 0,
    gtids: gtids === '' ? undefined : gtids,
    server_id: transactions.serverId[transaction] ?? 0,
    // what stands in a transaction before: MariaDB's GTID event, or the BEGIN that told the thread
    ...(connector === 'mariadb' || place.thread !== 0 ? { event: 1 } : {}),
  };
}

function changeOf({ kind, id, previous, schema }: DdlTableChange, options: DebeziumOptions): Json {
  const head = { type: kind, id: tableIdText(id), previousId: previous === undefined ? undefined : tableIdText(previous) };
  if (schema === undefined) return head;
  const described = describedTable(schema, options);
  return { ...head, table: tableOf(described, options), comment: described.comment };
}

function tableOf({ charset, key, columns }: DescribedTable, options: DebeziumOptions): Json {
  return {
    defaultCharsetName: charset ?? null,
    primaryKeyColumnNames: key,
    columns: columns.map((column, at) => columnOf(column, at + 1, options)),
    attributes: [],
  };
}

function columnOf(column: Column, position: number, options: DebeziumOptions): Json {
  const told = describedColumn(column, options);
  return {
    name: column.name,
    jdbcType: told.jdbcType,
    typeName: told.type,
    typeExpression: told.type,
    charsetName: told.charset ?? null,
    length: told.length,
    scale: told.scale,
    position,
    optional: told.isOptional,
    autoIncremented: told.isAutomatic,
    generated: told.isAutomatic,
    comment: told.comment ?? null,
    hasDefaultValue: told.isOptional || told.default !== undefined,
    defaultValueExpression: told.default,
    enumValues: told.labels ?? [],
  };
}

/** As Jackson's default pretty printer: objects over lines, arrays in one. */
function pretty(value: Json, indent: string): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (isList(value)) return value.length === 0 ? '[ ]' : `[ ${value.map((item) => pretty(item, indent)).join(', ')} ]`;
  const inner = `${indent}  `;
  const members = Object.entries(value).flatMap(([name, member]) =>
    member === undefined ? [] : [`${inner}${JSON.stringify(name)} : ${pretty(member, inner)}`],
  );
  return members.length === 0 ? '{ }' : `{\n${members.join(',\n')}\n${indent}}`;
}

function isList(value: Exclude<Json, string | number | boolean | null>): value is readonly Json[] {
  return Array.isArray(value);
}
