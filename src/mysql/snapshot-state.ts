import type { StateRecord } from '../connect/tasks.ts';
import type { TableId, TableSchema } from '../event/table-schema.ts';
import { tableName } from '../event/table-schema.ts';
import type { KeyBytes } from './snapshot-key.ts';
import { createPart } from './snapshot-table.ts';
import type { BinlogPlace, Part, Segment, SnapshotTable } from './snapshot-table.ts';
import { keyOrderOf } from './snapshot-key.ts';

/**
 * The compacted topic in which an unfinished snapshot says how far it is. Keys and values are JSON:
 *
 *   [connector]                 {snapshot, initial}
 *   [connector, table]          {database, table, fingerprint, estimate, parts: [{low, high}]}
 *   [connector, table, part]    {rows, done, segments: [{to, file, pos}]}, once the part was begun
 *
 * Keys of rows are base64 of their canonical cells, null where a range is open.
 */
export const snapshotTopic = 'millrace-snapshot';

export interface SnapshotHeader {
  readonly snapshot: string;
  readonly initial: boolean;
}

export function headerRecord(connector: string, header: SnapshotHeader | null): StateRecord {
  return record([connector], header);
}

/** The table's plan, and removal of the parts of an earlier plan. */
export function tableRecords(connector: string, table: SnapshotTable, earlier?: SnapshotTable): StateRecord[] {
  const { database, table: name, fingerprint } = table.schema;
  const parts = table.parts.map(({ low, high }) => ({ low: keyText(low), high: keyText(high) }));
  const plan = record([connector, table.name], { database, table: name, fingerprint, estimate: table.estimate, parts });
  return [plan, ...(earlier === undefined ? [] : partRemovals(connector, earlier))];
}

export function removalRecords(connector: string, table: SnapshotTable): StateRecord[] {
  return [record([connector, table.name], null), ...partRemovals(connector, table)];
}

function partRemovals(connector: string, table: SnapshotTable): StateRecord[] {
  return table.parts.map(({ index }) => record([connector, table.name, index], null));
}

export function partRecord(connector: string, table: SnapshotTable, { index, rows, done, segments }: Part): StateRecord {
  const pieces = segments.map(({ to, place }) => ({ to: keyText(to), file: place.file, pos: place.pos }));
  return record([connector, table.name, index], { rows, done, segments: pieces });
}

function record(key: readonly (string | number)[], value: object | null): StateRecord {
  return { topic: snapshotTopic, key: JSON.stringify(key), value: value === null ? null : JSON.stringify(value) };
}

/** A table of an unfinished snapshot as its records have it. */
export interface StoredTable extends TableId {
  readonly name: string;
  readonly fingerprint: string;
  readonly estimate: number;
  readonly parts: readonly Part[];
}

export interface StoredSnapshot extends SnapshotHeader {
  readonly tables: readonly StoredTable[];
}

/** The unfinished snapshot of a connector, from the records of `snapshotTopic`; undefined: there is none. */
export function readSnapshotState(connector: string, records: ReadonlyMap<string, string>): StoredSnapshot | undefined {
  let header: SnapshotHeader | undefined;
  const plans = new Map<string, Record<string, unknown>>();
  const parts = new Map<string, Record<string, unknown>>();
  for (const [key, value] of records) {
    const path: unknown = JSON.parse(key);
    const content = objectOf(JSON.parse(value));
    if (!Array.isArray(path) || path[0] !== connector) continue;
    if (path.length === 1) header = { snapshot: String(content['snapshot']), initial: content['initial'] === true };
    else if (path.length === 2) plans.set(String(path[1]), content);
    else parts.set(`${String(path[2])} ${String(path[1])}`, content);
  }
  if (header === undefined) return undefined;
  const tables = [...plans].map(([name, plan]): StoredTable => ({
    name,
    database: String(plan['database']),
    table: String(plan['table']),
    fingerprint: String(plan['fingerprint']),
    estimate: Number(plan['estimate']),
    parts: arrayOf(plan['parts']).map((part, i) => readPart(i, objectOf(part), parts.get(`${i} ${name}`))),
  }));
  return { ...header, tables };
}

/** Removes everything that is stored of a connector's snapshot. */
export function snapshotRemovals(connector: string, records: ReadonlyMap<string, string>): StateRecord[] {
  return [...records.keys()].flatMap((key) => {
    const path: unknown = JSON.parse(key);
    return Array.isArray(path) && path[0] === connector ? { topic: snapshotTopic, key, value: null } : [];
  });
}

/** The table goes on where it was; undefined when its definition is another one now, or its rows can only be read anew. */
export function restoreTable(
  { fingerprint, estimate, parts }: StoredTable,
  schema: TableSchema,
  source: string | undefined,
): SnapshotTable | undefined {
  if (schema.fingerprint !== fingerprint) return undefined;
  const order = source === undefined ? keyOrderOf(schema) : undefined;
  if (order === undefined && parts.some(({ begun, done }) => begun && !done)) return undefined;
  return { name: tableName(schema), schema, order, parts, estimate, source };
}

function readPart(index: number, range: Record<string, unknown>, stored: Record<string, unknown> | undefined): Part {
  const part = createPart(index, keyOf(range['low']), keyOf(range['high']));
  if (stored === undefined) return part;
  const segments = arrayOf(stored['segments']).map((piece): Segment => {
    const content = objectOf(piece);
    const place: BinlogPlace = { file: String(content['file']), pos: Number(content['pos']) };
    return { to: keyOf(content['to']), place };
  });
  return { ...part, segments, rows: Number(stored['rows']), done: stored['done'] === true, begun: true };
}

function keyText(key: KeyBytes | undefined): string | null {
  return key === undefined ? null : Buffer.from(key).toString('base64');
}

function keyOf(text: unknown): KeyBytes | undefined {
  return typeof text === 'string' ? new Uint8Array(Buffer.from(text, 'base64')) : undefined;
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function arrayOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
