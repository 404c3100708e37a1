import type { TableSchema } from '../../event/table-schema.ts';
import type { Scratch } from '../duckdb/scratch.ts';
import { recordKey, type TableRecord } from '../table-record.ts';
import type { SinkIdentity, UnitRecords } from '../unit-records.ts';
import { mapSnowflakeColumns, type SnowflakeColumn, type SnowflakeMapping } from './column-mapping.ts';
import type { RedoStep } from './redo.ts';
import type { SnowflakeSession } from './session.ts';
import { qualified, quoted, type TablePlace } from './sql-text.ts';

/** What is the same for all units of a sink in Snowflake. */
export interface SnowflakeSink extends SinkIdentity {
  readonly database: string;
  /** Schema of Millrace's own tables and of the stage. */
  readonly ownSchema: string;
  /** Begin of the names of this sink's own tables. */
  readonly prefix: string;
  readonly letters: SnowflakeMapping['letters'];
  readonly json: SnowflakeMapping['json'];
  /** Replicated tables have no fail-safe. */
  readonly transient: boolean;
}

/** Rows that go into a table. */
export interface PlannedWrite {
  /** The table's record key. */
  readonly key: string;
  readonly place: TablePlace;
  readonly run: (session: SnowflakeSession, place: TablePlace) => Promise<void>;
}

/** What a unit does, in the order of its doing. */
export interface UnitPlan extends UnitRecords {
  readonly sink: SnowflakeSink;
  readonly columnsOf: (record: Pick<TableRecord, 'invalidTemporal'>, schema: TableSchema) => readonly SnowflakeColumn[];
  /** For what must be known, and for what nobody sees: before the transaction, in which there is no DDL. */
  readonly session: SnowflakeSession;
  readonly scratch: Scratch;
  /** Tables (`database.table`) that the unit has rows of. */
  readonly withRows: ReadonlySet<string>;
  /** In the transaction that moves the offset. */
  readonly writes: PlannedWrite[];
  /** DDL that readers see: recorded in the transaction, carried out after it. */
  readonly redo: RedoStep[];
  /** Of tables, by record key, that the redo publishes: its step, and where it puts the table. */
  readonly published: Map<string, { readonly step: number; readonly place: TablePlace }>;
  /** Own tables that are not needed when all is done. */
  readonly leftovers: TablePlace[];
  /** Tables, by record key, that become what readers see when the unit is done: rows go there until then. */
  readonly hidden: Map<string, TablePlace>;
  /** Names in the replica that the redo frees or takes, against what the catalogue says now. */
  readonly names: Map<string, boolean>;
  readonly nextName: () => string;
}

/** After the prefix, in which it does not stand. */
export const ownSeparator = '__';

/** A table of Millrace's own. */
export function ownPlace({ database, ownSchema, prefix }: SnowflakeSink, name: string): TablePlace {
  return { database, schema: ownSchema, table: `${prefix}${ownSeparator}${name}` };
}

export function livePlace({ database }: Pick<SnowflakeSink, 'database'>, { replica }: Pick<TableRecord, 'replica'>): TablePlace {
  return { database, ...replica };
}

/** Where rows of a table go: what is loaded aside, what is hidden yet, or what readers see. */
export function placeOf(plan: UnitPlan, record: TableRecord): TablePlace {
  const { database, ownSchema } = plan.sink;
  if (record.aside !== undefined) return { database, schema: ownSchema, table: record.aside.name };
  return plan.hidden.get(recordKey(record)) ?? livePlace(plan.sink, record);
}

export function columnsIn(sink: SnowflakeSink): UnitPlan['columnsOf'] {
  return ({ invalidTemporal }, schema) => mapSnowflakeColumns(schema.columns, { invalidTemporal, letters: sink.letters, json: sink.json });
}

/** CREATE TABLE of a replicated table, or of one that becomes one. */
export function createTableSql(sink: SnowflakeSink, place: TablePlace, columns: readonly SnowflakeColumn[]): string {
  const list = columns.map(({ name, sqlType, notNull }) => `${quoted(name)} ${sqlType}${notNull ? ' NOT NULL' : ''}`);
  return `CREATE OR REPLACE ${tableWord(sink)} ${qualified(place)} (${list.join(', ')})`;
}

/** A clone must be as lasting as what it is made of. */
export function tableWord({ transient }: Pick<SnowflakeSink, 'transient'>): string {
  return transient ? 'TRANSIENT TABLE' : 'TABLE';
}
