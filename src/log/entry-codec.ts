import type { ByteWriter } from '../base/byte-writer.ts';
import type { Entry, SourcePosition } from '../connect/commit-group.ts';
import type { SerializedRecord } from '../connect/record.ts';
import type { ChangeBatch } from '../event/change-batch.ts';
import type { ColumnOrigin, SchemaChange } from '../event/schema-change.ts';
import { schemaKey, type TableSchema } from '../event/table-schema.ts';
import type { ByteReader } from './byte-reader.ts';
import { damaged } from './byte-reader.ts';

/*
 * Entries as they lie in the head of an encoded commit group. Numbers are LEB128, texts a length and UTF-8, a schema is
 * its index in the group's list of fingerprints, a batch is its schema, its count and the bytes of its rows (its columns
 * are sections of the group).
 *
 *   1 changes        batch
 *   2 schema         database, statement, event + 1, changes
 *   3 snapshotBegin  snapshot, flags (1: initial, 2: told, 4: whole), schemas
 *   4 chunk          snapshot, position, marks (1: readMicros follows, then two bits each for first and last), batch
 *   5 snapshotEnd    snapshot, tables (database and table each)
 *   6 records        topic, records (timestamp + 1 as a float, transaction + 1, key, value, headers); bytes are their length + 1 and
 *                    themselves, 0 is null
 *   7 description, 8 transactionMarks, 9 heartbeat   themselves as JSON; after a description the schemas of its changes
 *   10 told          batch
 *   11 notifications itself as JSON
 *   12 told records  as records
 */
const entryCode = {
  changes: 1,
  schema: 2,
  snapshotBegin: 3,
  chunk: 4,
  snapshotEnd: 5,
  records: 6,
  ddl: 7,
  transactionMarks: 8,
  heartbeat: 9,
  told: 10,
  notifications: 11,
  toldRecords: 12,
} as const;
const changeCode = { createTable: 1, dropTable: 2, truncateTable: 3, renameTable: 4, alterTable: 5 } as const;
const chunkMark = ['none', 'table', 'snapshot'] as const;
const originCode = { from: 1, fillNull: 2, fillText: 3 } as const;
const utf8 = new TextEncoder();

type Chunk = Extract<Entry, { kind: 'chunk' }>;

/** What the sections of a batch need to be found. */
export interface BatchShape {
  readonly batch: ChangeBatch;
  readonly schema: TableSchema;
  readonly count: number;
  /** Of the rows: from the first image's start to the last one's end. */
  readonly byteLength: number;
}

export type ReadBatch = (shape: Omit<BatchShape, 'batch'>) => ChangeBatch;

/** The schemas that a group names, by their order of appearance. */
export class SchemaTable {
  readonly list: TableSchema[] = [];
  readonly #indexes = new Map<string, number>();

  indexOf(schema: TableSchema): number {
    const key = schemaKey(schema);
    const known = this.#indexes.get(key);
    if (known !== undefined) return known;
    this.#indexes.set(key, this.list.length);
    return this.list.push(schema) - 1;
  }
}

/** Returns the batch of the entry, if it has one. */
export function writeEntry(to: ByteWriter, schemas: SchemaTable, entry: Entry): BatchShape | undefined {
  to.uint8(entry.kind === 'records' && entry.told === true ? entryCode.toldRecords : entryCode[entry.kind]);
  switch (entry.kind) {
    case 'changes':
    case 'told':
      return writeBatch(to, schemas, entry.batch);
    case 'schema':
      writeText(to, entry.database);
      writeText(to, entry.statement);
      to.varint(entry.event + 1);
      to.varint(entry.changes.length);
      for (const change of entry.changes) writeSchemaChange(to, schemas, change);
      return undefined;
    case 'snapshotBegin':
      writeText(to, entry.snapshot);
      to.uint8((entry.initial ? 1 : 0) | (entry.told === true ? 2 : 0) | (entry.whole === true ? 4 : 0));
      to.varint(entry.tables.length);
      for (const schema of entry.tables) to.varint(schemas.indexOf(schema));
      return undefined;
    case 'chunk':
      writeText(to, entry.snapshot);
      writePosition(to, entry.position);
      writeMarks(to, entry);
      return writeBatch(to, schemas, entry.batch);
    case 'snapshotEnd':
      writeText(to, entry.snapshot);
      to.varint(entry.tables.length);
      for (const { database, table } of entry.tables) {
        writeText(to, database);
        writeText(to, table);
      }
      return undefined;
    case 'records':
      writeText(to, entry.topic);
      to.varint(entry.records.length);
      // records with schemas are megabytes in a group, which a growing writer would copy again and again
      to.reserve(sizeOfRecords(entry.records));
      for (const record of entry.records) writeRecord(to, record);
      return undefined;
    case 'ddl':
    case 'transactionMarks':
    case 'heartbeat':
    case 'notifications':
      writeText(to, JSON.stringify(entry));
      return undefined;
  }
}

export function readEntry(from: ByteReader, schemas: readonly TableSchema[], readBatch: ReadBatch): Entry {
  const code = from.uint8();
  switch (code) {
    case entryCode.changes:
      return { kind: 'changes', batch: readBatch(readShape(from, schemas)) };
    case entryCode.told:
      return { kind: 'told', batch: readBatch(readShape(from, schemas)) };
    case entryCode.schema: {
      const database = from.text();
      const statement = from.text();
      const event = from.varint() - 1;
      const changes = Array.from({ length: from.count() }, () => readSchemaChange(from, schemas));
      return { kind: 'schema', database, statement, event, changes };
    }
    case entryCode.snapshotBegin: {
      const snapshot = from.text();
      const flags = from.uint8();
      const tables = Array.from({ length: from.count() }, () => readSchema(from, schemas));
      const [told, whole] = [(flags & 2) !== 0, (flags & 4) !== 0];
      return { kind: 'snapshotBegin', snapshot, tables, initial: (flags & 1) !== 0, ...(told && { told }), ...(whole && { whole }) };
    }
    case entryCode.chunk: {
      const snapshot = from.text();
      const position = readPosition(from);
      const marks = readMarks(from);
      return { kind: 'chunk', snapshot, batch: readBatch(readShape(from, schemas)), position, ...marks };
    }
    case entryCode.snapshotEnd: {
      const snapshot = from.text();
      const tables = Array.from({ length: from.count() }, () => ({ database: from.text(), table: from.text() }));
      return { kind: 'snapshotEnd', snapshot, tables };
    }
    case entryCode.records:
    case entryCode.toldRecords: {
      const topic = from.text();
      const records = Array.from({ length: from.count() }, () => readRecord(from));
      return { kind: 'records', topic, records, ...(code === entryCode.toldRecords && { told: true }) };
    }
    case entryCode.ddl:
      return readOwn(from, 'ddl');
    case entryCode.transactionMarks:
      return readOwn(from, 'transactionMarks');
    case entryCode.heartbeat:
      return readOwn(from, 'heartbeat');
    case entryCode.notifications:
      return readOwn(from, 'notifications');
    default:
      throw damaged(`it has an entry of unknown kind ${code}`);
  }
}

/** An entry that is written as JSON: rare, and of many small members. */
function readOwn(from: ByteReader, kind: 'ddl' | 'transactionMarks' | 'heartbeat' | 'notifications'): Entry {
  const entry = parseJson(from.text());
  if (typeof entry !== 'object' || entry === null || !('kind' in entry) || entry.kind !== kind) throw damaged(`it has no ${kind}`);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by `writeEntry`, under the group's checksum
  return entry as Entry;
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw damaged('it has no JSON where some should be');
  }
}

export function writeText(to: ByteWriter, text: string): void {
  const length = Buffer.byteLength(text);
  to.varint(length);
  to.reserve(length);
  utf8.encodeInto(text, to.bytes.subarray(to.length, to.length + length));
  to.length += length;
}

export function writeFloat64(to: ByteWriter, value: number): void {
  to.reserve(8);
  to.view.setFloat64(to.length, value, true);
  to.length += 8;
}

export function writePosition(to: ByteWriter, { file, pos, gtids }: SourcePosition): void {
  writeText(to, file);
  writeFloat64(to, pos);
  writeText(to, gtids);
}

export function readPosition(from: ByteReader): SourcePosition {
  return { file: from.text(), pos: from.float64(), gtids: from.text() };
}

/** A little more than `writeRecord` takes for all of them. */
function sizeOfRecords(records: readonly SerializedRecord[]): number {
  let size = 0;
  for (const { key, value, headers } of records) {
    size += 32 + (key?.length ?? 0) + (value?.length ?? 0);
    for (const header of headers) size += 10 + 3 * header.name.length + (header.value?.length ?? 0);
  }
  return size;
}

function writeRecord(to: ByteWriter, { key, value, headers, timestamp, transaction }: SerializedRecord): void {
  writeFloat64(to, (timestamp ?? -1) + 1);
  to.varint((transaction ?? -1) + 1);
  writeBytes(to, key);
  writeBytes(to, value);
  to.varint(headers.length);
  for (const header of headers) {
    writeText(to, header.name);
    writeBytes(to, header.value);
  }
}

function readRecord(from: ByteReader): SerializedRecord {
  const timestamp = from.float64() - 1;
  const transaction = from.varint() - 1;
  const key = readBytes(from);
  const value = readBytes(from);
  const headers = Array.from({ length: from.count() }, () => ({ name: from.text(), value: readBytes(from) }));
  return { key, value, headers, ...(timestamp < 0 ? {} : { timestamp }), ...(transaction < 0 ? {} : { transaction }) };
}

function writeBytes(to: ByteWriter, bytes: Uint8Array | null): void {
  to.varint(bytes === null ? 0 : bytes.length + 1);
  if (bytes !== null) to.raw(bytes, 0, bytes.length);
}

function readBytes(from: ByteReader): Uint8Array | null {
  const length = from.varint();
  return length === 0 ? null : from.raw(length - 1);
}

function writeMarks(to: ByteWriter, { readMicros, first, last }: Chunk): void {
  to.uint8((readMicros === undefined ? 0 : 1) | (chunkMark.indexOf(first ?? 'none') << 1) | (chunkMark.indexOf(last ?? 'none') << 3));
  if (readMicros !== undefined) writeFloat64(to, readMicros);
}

function readMarks(from: ByteReader): Pick<Chunk, 'readMicros' | 'first' | 'last'> {
  const code = from.uint8();
  const readMicros = (code & 1) === 0 ? undefined : from.float64();
  const first = chunkMark[(code >> 1) & 3];
  const last = chunkMark[(code >> 3) & 3];
  return {
    ...(readMicros !== undefined && { readMicros }),
    ...(first !== undefined && first !== 'none' && { first }),
    ...(last !== undefined && last !== 'none' && { last }),
  };
}

function writeBatch(to: ByteWriter, schemas: SchemaTable, batch: ChangeBatch): BatchShape {
  const { schema, count, starts } = batch;
  const byteLength = (starts[2 * count] ?? 0) - (starts[0] ?? 0);
  to.varint(schemas.indexOf(schema));
  to.varint(count);
  to.varint(byteLength);
  return { batch, schema, count, byteLength };
}

function readShape(from: ByteReader, schemas: readonly TableSchema[]): Omit<BatchShape, 'batch'> {
  return { schema: readSchema(from, schemas), count: from.varint(), byteLength: from.varint() };
}

function readSchema(from: ByteReader, schemas: readonly TableSchema[]): TableSchema {
  const schema = schemas[from.varint()];
  if (schema === undefined) throw damaged('a schema index passes the end');
  return schema;
}

function writeSchemaChange(to: ByteWriter, schemas: SchemaTable, change: SchemaChange): void {
  to.uint8(changeCode[change.kind]);
  if ('before' in change) to.varint(schemas.indexOf(change.before));
  if ('after' in change) to.varint(schemas.indexOf(change.after));
  if (change.kind !== 'alterTable') return;
  to.varint(change.columns.length);
  for (const origin of change.columns) writeOrigin(to, origin);
}

function readSchemaChange(from: ByteReader, schemas: readonly TableSchema[]): SchemaChange {
  const code = from.uint8();
  switch (code) {
    case changeCode.createTable:
      return { kind: 'createTable', after: readSchema(from, schemas) };
    case changeCode.dropTable:
      return { kind: 'dropTable', before: readSchema(from, schemas) };
    case changeCode.truncateTable:
      return { kind: 'truncateTable', before: readSchema(from, schemas) };
    case changeCode.renameTable:
      return { kind: 'renameTable', before: readSchema(from, schemas), after: readSchema(from, schemas) };
    case changeCode.alterTable: {
      const before = readSchema(from, schemas);
      const after = readSchema(from, schemas);
      const columns = Array.from({ length: from.count() }, () => readOrigin(from));
      return { kind: 'alterTable', before, after, columns };
    }
    default:
      throw damaged(`it has a schema change of unknown kind ${code}`);
  }
}

function writeOrigin(to: ByteWriter, origin: ColumnOrigin): void {
  if ('from' in origin) {
    to.uint8(originCode.from);
    to.varint(origin.from);
  } else if (origin.fill === null) {
    to.uint8(originCode.fillNull);
  } else {
    to.uint8(originCode.fillText);
    writeText(to, origin.fill);
  }
}

function readOrigin(from: ByteReader): ColumnOrigin {
  const code = from.uint8();
  switch (code) {
    case originCode.from:
      return { from: from.varint() };
    case originCode.fillNull:
      return { fill: null };
    case originCode.fillText:
      return { fill: from.text() };
    default:
      throw damaged(`it has a column origin of unknown kind ${code}`);
  }
}
