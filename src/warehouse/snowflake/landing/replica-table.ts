import { createHash } from 'node:crypto';
import { Struct, type ConnectValue, type Schema } from '../../../connect/data.ts';
import type { ConnectRecord } from '../../../connect/record.ts';
import { fieldOf, fieldValue, logicalName } from '../../../connect/schema.ts';
import type { TableId } from '../../../event/table-schema.ts';
import { collision, type ReplicaName } from '../../replica-names.ts';
import { quoted, type TablePlace } from '../sql-text.ts';
import { identifierOf, type IdentifierCase } from '../identifiers.ts';
import { contentText, type LandingVersion } from './landed-json.ts';
import { replicaColumn } from './replica-column.ts';

/** A column of a replica that statements in the warehouse keep. */
export interface LandedColumn {
  /** Of the field in the records. */
  readonly field: string;
  /** Of the column. */
  readonly name: string;
  readonly sqlType: string;
  /** Where a landed event has it: a member of the row's VARIANT `"V"`, or a column of the landing table. */
  readonly landed: string;
  /** Its value, of that. */
  readonly expression: string;
  /** JSON of the field's default, as it would lie in RECORD_CONTENT; absent: none. */
  readonly fallback?: string;
}

/** How a table's records are laid out: Debezium's envelope, or the row alone as ExtractNewRecordState leaves it. */
export type LandedShape = 'envelope' | 'flat';

/** All that the generated statements of a table follow from; it is stored, so that it holds no functions. */
export interface LandedReplica {
  readonly table: TableId;
  readonly shape: LandedShape;
  /** Where the records land. */
  readonly landing: TablePlace;
  /** Whether the landing table has a column for each field, in place of RECORD_CONTENT. */
  readonly schematized: boolean;
  /** Those columns, by field. */
  readonly contentColumns: Readonly<Record<string, string>>;
  readonly form: ReplicaForm;
  readonly replica: ReplicaName;
  readonly columns: readonly LandedColumn[];
  /** Names of the key's columns, in its order. */
  readonly key: readonly string[];
}

/** What a replica is, and who keeps it. */
export interface ReplicaForm {
  readonly runner: 'millrace' | 'task' | 'triggered.task' | 'dynamic.table';
  /** A table of the source's columns alone, in place of a view. */
  readonly table: boolean;
  /** Of tasks and dynamic tables; empty: Snowflake's own (serverless). */
  readonly warehouse: string;
  /** Such as `1 MINUTE`. */
  readonly schedule: string;
}

/** Whether a value's schema is Debezium's envelope of a table's changes. */
function isEnvelope(schema: Schema | null): schema is Schema {
  if (schema?.type !== 'struct') return false;
  return ['before', 'after', 'source', 'op'].every((name) => fieldOf(schema, name) !== undefined);
}

/** Whether a record tells of TRUNCATE TABLE. */
export function isTruncation({ value, valueSchema }: ConnectRecord): boolean {
  return value instanceof Struct && isEnvelope(valueSchema) && fieldValue(value, 'op', false) === 't';
}

/** The table that an envelope is of. */
function sourceTable(value: ConnectValue): TableId | undefined {
  const source = value instanceof Struct ? fieldValue(value, 'source', false) : null;
  if (!(source instanceof Struct)) return undefined;
  const database = fieldValue(source, 'db', false);
  const table = fieldValue(source, 'table', false);
  return typeof database === 'string' && typeof table === 'string' ? { database, table } : undefined;
}

/** Fields that ExtractNewRecordState and Debezium add to a flat row: no columns of the table. */
const addedFields = /^__(?:deleted|op|table|db|schema|lsn|source_\w+|ts_(?:ms|us|ns)|file|pos|row|gtid)$/;

export interface ReplicaOptions {
  readonly landing: TablePlace;
  readonly schematized: boolean;
  readonly version: LandingVersion;
  readonly letters: IdentifierCase;
  readonly form: ReplicaForm;
  /** With schematization: the landing table's column for a field. */
  readonly columnOf: (field: string) => string;
  readonly nameOf: (table: TableId) => ReplicaName;
}

/**
 * What a record says of its table; a text says why its replica cannot be kept.
 * @throws NAME_COLLISION when two columns have one name
 */
export function replicaOf(record: ConnectRecord, options: ReplicaOptions): LandedReplica | string {
  const { keySchema, valueSchema } = record;
  if (valueSchema?.type !== 'struct') return 'its records have no schemas (value.converter.schemas.enable)';
  if (keySchema?.type !== 'struct' || (keySchema.fields?.length ?? 0) === 0) {
    return 'its records have no key, so that rows cannot be told apart';
  }
  const envelope = isEnvelope(valueSchema);
  const table = envelope ? sourceTable(record.value) : tableOfTopic(record.topic);
  if (table === undefined) return `its records do not tell their table, and the topic ${record.topic} is not prefix.database.table`;
  const row = envelope ? fieldOf(valueSchema, 'after')?.schema : valueSchema;
  const fields = (row?.fields ?? []).filter(({ name }) => envelope || !addedFields.test(name));
  const { letters, version } = options;
  const names = new Map<string, string>();
  const columns = fields.map(({ name: field, schema }): LandedColumn => {
    const name = identifierOf(field, letters);
    const other = names.get(name);
    if (other !== undefined) throw collision(`The columns ${other} and ${field} would both be ${name} in the replica`, table);
    names.set(name, field);
    const direct = options.schematized && !envelope;
    // columns of Connect's times have types of their own, whatever the version
    const { sqlType, cast } = replicaColumn(schema, direct ? 4 : version);
    const landed = direct ? columnValue(schema, options.columnOf(field)) : pathOf('"V"', field);
    const fallback = fallbackOf(schema, version);
    return { field, name, sqlType, landed, expression: cast(landed), ...(fallback === undefined ? {} : { fallback }) };
  });
  const key = (keySchema.fields ?? []).map(({ name }) => name);
  const missing = key.filter((name) => !columns.some(({ field }) => field === name));
  if (missing.length > 0) return `its key has ${missing.join(', ')}, which its rows have not`;
  return {
    table,
    shape: envelope ? 'envelope' : 'flat',
    landing: options.landing,
    schematized: options.schematized,
    contentColumns: options.schematized
      ? Object.fromEntries((valueSchema.fields ?? []).map(({ name }) => [name, options.columnOf(name)]))
      : {},
    form: options.form,
    replica: options.nameOf(table),
    columns,
    key: key.map((name) => identifierOf(name, letters)),
  };
}

/** JSON of what MySQL gives rows in a column that is added: its default, or what stands for none where it cannot be NULL. */
function fallbackOf(schema: Schema, version: LandingVersion): string | undefined {
  if (schema.default !== undefined) return contentText(schema, schema.default, version);
  if (schema.optional || schema.name !== undefined) return undefined;
  switch (schema.type) {
    case 'int8':
    case 'int16':
    case 'int32':
    case 'int64':
    case 'float32':
    case 'float64':
      return '0';
    case 'string':
    case 'bytes':
      return '""';
    case 'boolean':
      return 'false';
    case 'array':
    case 'map':
    case 'struct':
      return undefined;
  }
}

/** The table of a topic by Debezium's own names. */
function tableOfTopic(topic: string): TableId | undefined {
  const parts = topic.split('.');
  const [table, database] = [parts.at(-1), parts.at(-2)];
  return parts.length >= 3 && table !== undefined && database !== undefined ? { database, table } : undefined;
}

/** A column of a schematized landing table, as the VARIANT that RECORD_CONTENT would have in its place. */
function columnValue({ type, name }: Schema, column: string): string {
  const value = quoted(column);
  switch (name) {
    case logicalName.decimal:
      return `TO_VARIANT(${value})`;
    case logicalName.date:
      return `TO_VARIANT(TO_VARCHAR(${value}, 'YYYY-MM-DD'))`;
    case logicalName.time:
      return `TO_VARIANT(TO_VARCHAR(${value}, 'HH24:MI:SS.FF3'))`;
    case logicalName.timestamp:
      return `TO_VARIANT(TO_VARCHAR(${value}, 'YYYY-MM-DD"T"HH24:MI:SS.FF3'))`;
    default:
      return type === 'bytes' ? `TO_VARIANT(TO_VARCHAR(${value}, 'BASE64'))` : `TO_VARIANT(${value})`;
  }
}

/** A member of a VARIANT. */
export function pathOf(value: string, member: string): string {
  return `${value}:"${member.replaceAll('"', '""')}"`;
}

/** Tells whether two describe the same statements. */
export function fingerprintOf(replica: LandedReplica): string {
  return createHash('sha256').update(JSON.stringify(replica)).digest('hex').slice(0, 16);
}
