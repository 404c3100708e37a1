import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Column, TableSchema } from '../event/table-schema.ts';
import { createTableSchema } from '../event/table-schema.ts';
import type { DebeziumOptions } from './debezium-options.ts';
import { columnOf, type RecordedColumn } from './golden-column.ts';
import { optionsOfProperties } from './options-of-properties.ts';

/*
 * Test support: the recordings of real Debezium connectors in `fixtures/`, read back into what each record says and what
 * Millrace would have been given for it. `fixtures/README.md` has the form of the files.
 */

export interface GoldenTable {
  readonly schema: TableSchema;
  /** The DDL event that it comes from; without one from the snapshot. */
  readonly from: readonly [file: string, pos: number] | undefined;
}

/** Raw texts of a record's schemas: of the key; of the row's struct up to its name. */
export interface GoldenSchema {
  readonly topic: string;
  readonly key: string | undefined;
  readonly row: string | undefined;
}

/** A record as it was written. */
export interface GoldenRecord {
  readonly schema: GoldenSchema;
  readonly key: string | undefined;
  /** Raw text of the row images; undefined is null. */
  readonly before: string | undefined;
  readonly after: string | undefined;
  /** Undefined: a tombstone. */
  readonly op: string | undefined;
  readonly source: GoldenSource | undefined;
  /** Apart from the four of `extended.headers.enabled`. */
  readonly headers: readonly (readonly [string, string])[];
}

export interface GoldenSource {
  readonly tsMicros: number;
  readonly snapshot: string | null;
  readonly database: string;
  readonly table: string;
  readonly serverId: number;
  readonly gtid: string | null;
  readonly file: string;
  readonly pos: number;
  readonly row: number;
  readonly thread: number | null;
}

export interface GoldenFixture {
  readonly name: string;
  readonly options: DebeziumOptions;
  readonly tables: readonly GoldenTable[];
  readonly records: readonly GoldenRecord[];
  /** The envelope and its schema with `<name>` in place of what varies. */
  readonly payloadForm: string;
  readonly schemaForm: string | undefined;
}

interface RecordedLine {
  readonly scenario?: string;
  readonly properties?: Readonly<Record<string, string>>;
  readonly runId?: string;
  readonly payloadForm?: string;
  readonly schemaForm?: string;
  readonly table?: {
    readonly database: string;
    readonly name: string;
    readonly from?: readonly [string, number];
    readonly primaryKey: readonly string[];
    readonly columns: readonly RecordedColumn[];
  };
  readonly schema?: { readonly topic: string; readonly key?: string; readonly row?: string };
  readonly record?: {
    readonly schema: number;
    readonly key?: string;
    readonly before?: string;
    readonly after?: string;
    readonly op?: string;
    readonly source?: readonly (string | number | null)[];
    readonly headers?: readonly (readonly [string, string])[];
  };
}

/** Changes a column as the recording has it into what the server really says. */
export type FixColumn = (table: string, column: Column) => Column;

const folder = join(import.meta.dirname, 'fixtures');

export function fixtureNames(): readonly string[] {
  return readdirSync(folder).flatMap((file) => (file.endsWith('.jsonl') ? file.slice(0, -'.jsonl'.length) : []));
}

export function loadFixture(name: string, fix: FixColumn): GoldenFixture {
  const text = readFileSync(join(folder, `${name}.jsonl`), 'utf8');
  const lines = text.trimEnd().split('\n').map(lineOf);
  const [head] = lines;
  assert.ok(head?.properties !== undefined && head.payloadForm !== undefined);
  const connector = name.startsWith('mariadb') ? 'mariadb' : 'mysql';
  const schemas = lines.flatMap(({ schema }) => schema ?? []);
  const tables = lines.flatMap(({ table }) => (table === undefined ? [] : [tableOf(table, fix)]));
  const records = lines.flatMap(({ record }) => (record === undefined ? [] : [recordOf(record, schemas)]));
  return {
    name,
    options: {
      ...optionsOfProperties(connector, head.properties),
      runId: head.runId ?? '',
      ...(head.schemaForm === undefined && { keySchemas: false, valueSchemas: false }),
    },
    tables,
    records,
    payloadForm: head.payloadForm,
    schemaForm: head.schemaForm,
  };
}

function lineOf(line: string): RecordedLine {
  const parsed: unknown = JSON.parse(line);
  assert.ok(isLine(parsed));
  return parsed;
}

/** The files are our own; make-fixtures.mjs writes what RecordedLine says. */
function isLine(value: unknown): value is RecordedLine {
  return typeof value === 'object' && value !== null;
}

function tableOf(table: NonNullable<RecordedLine['table']>, fix: FixColumn): GoldenTable {
  const columns = table.columns.map((column) => fix(table.name, columnOf(column)));
  const primaryKey = table.primaryKey.map((key) => columns.findIndex((column) => column.name === key));
  return { from: table.from, schema: createTableSchema({ database: table.database, table: table.name, columns, primaryKey }) };
}

function recordOf(line: NonNullable<RecordedLine['record']>, schemas: readonly NonNullable<RecordedLine['schema']>[]): GoldenRecord {
  const { key, before, after, op, source, headers } = line;
  const schema = schemas[line.schema];
  assert.ok(schema !== undefined);
  return {
    schema: { topic: schema.topic, key: schema.key, row: schema.row },
    key,
    before,
    after,
    op,
    source: source === undefined ? undefined : sourceOf(source),
    headers: headers ?? [],
  };
}

/** The definition of its table that a row was written under. */
export function tableAt({ tables }: GoldenFixture, source: GoldenSource): TableSchema {
  const isBefore = ([file, pos]: readonly [string, number]): boolean => file < source.file || (file === source.file && pos < source.pos);
  const found = tables.findLast(({ schema, from }) => {
    if (schema.database !== source.database || schema.table !== source.table) return false;
    return from === undefined || (source.serverId !== 0 && isBefore(from));
  });
  assert.ok(found !== undefined, `no table ${source.database}.${source.table}`);
  return found.schema;
}

function sourceOf(parts: readonly (string | number | null)[]): GoldenSource {
  const [tsMicros, snapshot, database, table, serverId, gtid, file, pos, row, thread] = parts;
  return {
    tsMicros: Number(tsMicros),
    snapshot: snapshot === null ? null : String(snapshot),
    database: String(database),
    table: String(table),
    serverId: Number(serverId),
    gtid: typeof gtid === 'string' ? gtid : null,
    file: String(file),
    pos: Number(pos),
    row: Number(row),
    thread: typeof thread === 'number' ? thread : null,
  };
}
