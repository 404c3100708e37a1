import { createTableSchema, type TableId, type TableSchema } from '../../event/table-schema.ts';
import { Framer, type SchemasEnabled } from './record-frame.ts';
import type { RowPlan } from './row-plan.ts';

/**
 * How much is known of a topic's table: its definition, from the source's own DDL or from the sink's configuration; what the
 * schemas in the records say; or nothing, so that its types are guesses.
 */
export type TableKnowledge = 'defined' | 'declared' | 'described' | 'guessed';

/** The last streamed record of a topic whose rows have no key; an earlier place in the binlog is a repetition. */
export interface LastPlace {
  readonly file: string;
  readonly pos: number;
  readonly row: number;
}

/** A topic of rows, and the table that they go to. */
export interface TopicTable {
  readonly topic: string;
  /** What its records are, once one was looked at. */
  kind: 'rows' | 'ddl' | 'other' | undefined;
  readonly keys: Framer;
  readonly values: Framer;
  id: TableId | undefined;
  knowledge: TableKnowledge;
  /** Undefined: no row has come, and no statement has made it. */
  schema: TableSchema | undefined;
  /** Table of the source that the definition is of, where a transformation has given its topic another name. */
  definedBy: TableId | undefined;
  /** The replica has it, or it is being loaded. */
  created: boolean;
  /** Rows have come under the definition. */
  hasRows: boolean;
  plan: RowPlan | undefined;
  last: LastPlace | undefined;
  /** Bytes of the key of the last record, if it was a delete: its tombstone says nothing new. */
  deletedKey: Uint8Array | undefined;
  /** Rows go to a snapshot that is not published yet. */
  snapshot: OpenSnapshot | undefined;
}

export interface OpenSnapshot {
  readonly id: string;
  /** It was begun by the table's statement, so that its end is told for all tables together. */
  readonly byStatement: boolean;
  hasRows: boolean;
  /** The latest place in the binlog that its rows were read at: the stream must come there before they are a state. */
  reach: { readonly file: string; readonly pos: number } | undefined;
  /** Its last row was read. */
  ended: boolean;
}

/** Order of two places of one binlog. */
export function comparePlaces(
  a: { readonly file: string; readonly pos: number },
  b: { readonly file: string; readonly pos: number },
): number {
  const number = (file: string): number => Number(/\.(\d+)$/.exec(file)?.[1] ?? 0);
  return number(a.file) - number(b.file) || a.pos - b.pos;
}

export function createTopicTable(topic: string, schemas: { readonly key: SchemasEnabled; readonly value: SchemasEnabled }): TopicTable {
  return {
    topic,
    kind: undefined,
    keys: new Framer(schemas.key),
    values: new Framer(schemas.value),
    id: undefined,
    knowledge: 'guessed',
    schema: undefined,
    definedBy: undefined,
    created: false,
    hasRows: false,
    plan: undefined,
    last: undefined,
    deletedKey: undefined,
    snapshot: undefined,
  };
}

/** A topic's table as a note, and back: all that cannot be found out again from the records that follow. */
export function printTopicTable(table: TopicTable): string {
  const { id, knowledge, schema, definedBy, created, hasRows, last, snapshot } = table;
  const own = knowledge === 'defined' && definedBy === undefined ? undefined : schema;
  return JSON.stringify({ id, knowledge, schema: own, definedBy, created, hasRows, last, snapshot });
}

export function readTopicTable(table: TopicTable, note: string, find: (id: TableId) => TableSchema | undefined): void {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own note
  const kept = JSON.parse(note) as Partial<
    Pick<TopicTable, 'id' | 'knowledge' | 'schema' | 'definedBy' | 'created' | 'hasRows' | 'last' | 'snapshot'>
  >;
  Object.assign(table, kept);
  if (table.schema === undefined && table.id !== undefined) table.schema = find(table.id);
}

/** Debezium's topic of a table: what Kafka does not allow in names is replaced. */
export function naturalTopic(source: string, { database, table }: TableId): string {
  return `${source}.${database}.${table}`.replaceAll(/[^a-zA-Z0-9._-]/g, '_');
}

/** The table that a topic's name stands for, as far as it can tell. */
export function tableOfTopic(source: string, topic: string): TableId {
  const rest = topic.startsWith(`${source}.`) ? topic.slice(source.length + 1) : topic;
  const dot = rest.indexOf('.');
  return dot <= 0 ? { database: source, table: rest } : { database: rest.slice(0, dot), table: rest.slice(dot + 1) };
}

/** The same definition under another name. */
export function retitled(schema: TableSchema, { database, table }: TableId): TableSchema {
  if (schema.database === database && schema.table === table) return schema;
  const { fingerprint: _, ...parts } = schema;
  return createTableSchema({ ...parts, database, table });
}
