import type { CommitGroup, Entry, SourcePosition } from '../connect/commit-group.ts';
import { writeImage } from '../event/cell.ts';
import { ChangeBatchBuilder, op, type ChangeBatch } from '../event/change-batch.ts';
import type { ColumnType } from '../event/column-type.ts';
import type { SchemaChange } from '../event/schema-change.ts';
import { createTableSchema, type Column, type TableId, type TableSchema } from '../event/table-schema.ts';
import type { Value } from '../event/value.ts';

export type Row = readonly Value[];

/** A column for tests: its nativeType is not looked at unless a test gives it. */
export function column(name: string, type: ColumnType, more: Partial<Column> = {}): Column {
  return { name, type, nullable: true, nativeType: type.kind.toUpperCase(), ...more };
}

export const int: ColumnType = { kind: 'int', bits: 32, unsigned: false };
export const text: ColumnType = { kind: 'text' };

export function table(database: string, name: string, columns: readonly Column[], primaryKey: readonly number[] = [0]): TableSchema {
  return createTableSchema({ database, table: name, columns, primaryKey });
}

/** A batch of after images only, as a snapshot's chunk. */
export function chunkOf(schema: TableSchema, rows: readonly Row[]): ChangeBatch {
  const builder = new ChangeBatchBuilder(schema);
  for (const row of rows) writeChange(builder, op.read, { event: 0, before: undefined, after: row });
  return builder.view();
}

function writeChange(
  builder: ChangeBatchBuilder,
  code: 1 | 2 | 3 | 4,
  { event, before, after }: { event: number; before: Row | undefined; after: Row | undefined },
): void {
  builder.begin(code, event);
  if (before !== undefined) writeImage(builder.schema, before, builder.writer);
  builder.middle();
  if (after !== undefined) writeImage(builder.schema, after, builder.writer);
  builder.end();
}

export interface Transaction {
  insert(schema: TableSchema, ...rows: readonly Row[]): void;
  update(schema: TableSchema, before: Row, after: Row): void;
  delete(schema: TableSchema, ...rows: readonly Row[]): void;
  ddl(...changes: readonly SchemaChange[]): void;
}

/** Builds the groups of one source, as a source task would: transactions at growing binlog positions. */
export class History {
  readonly source: string;
  file = 'binlog.000001';
  pos = 4;
  #seq = 0;
  #entries: Entry[] = [];
  #builders = new Map<TableSchema, ChangeBatchBuilder>();
  #transactions = 0;
  #events: { readonly transaction: number; readonly pos: number }[] = [];
  #beginPos = 4;
  /** Positions after each transaction. */
  readonly ends: SourcePosition[] = [];

  constructor(source = 'src') {
    this.source = source;
  }

  get position(): SourcePosition {
    return { file: this.file, pos: this.pos, gtids: '' };
  }

  get size(): number {
    return this.#events.length;
  }

  transaction(work: (tx: Transaction) => void): this {
    this.#beginPos = this.pos;
    const ordinal = this.#transactions++;
    this.pos += 50;
    const event = (): number => {
      const index = this.#events.push({ transaction: ordinal, pos: this.pos }) - 1;
      this.pos += 100;
      return index;
    };
    const change = (schema: TableSchema, code: 1 | 2 | 3, rows: { before: Row | undefined; after: Row | undefined }): void => {
      writeChange(this.#builder(schema), code, { event: event(), ...rows });
    };
    work({
      insert: (schema, ...rows) => rows.forEach((after) => change(schema, op.insert, { before: undefined, after })),
      update: (schema, before, after) => change(schema, op.update, { before, after }),
      delete: (schema, ...rows) => rows.forEach((before) => change(schema, op.delete, { before, after: undefined })),
      ddl: (...changes) => {
        this.#seal();
        this.#entries.push({ kind: 'schema', database: '', statement: '', event: event(), changes });
      },
    });
    this.pos += 31;
    this.ends.push(this.position);
    return this;
  }

  snapshotBegin(snapshot: string, tables: readonly TableSchema[], initial = true): this {
    this.#seal();
    this.#entries.push({ kind: 'snapshotBegin', snapshot, tables, initial });
    return this;
  }

  chunk(snapshot: string, schema: TableSchema, rows: readonly Row[]): this {
    this.#seal();
    this.#entries.push({ kind: 'chunk', snapshot, batch: chunkOf(schema, rows), position: this.position });
    return this;
  }

  snapshotEnd(snapshot: string, tables: readonly TableId[]): this {
    this.#seal();
    this.#entries.push({ kind: 'snapshotEnd', snapshot, tables });
    return this;
  }

  /** The group of everything since the last one; `open`: its last transaction goes on in the next. */
  group(open = false): CommitGroup {
    this.#seal();
    const count = this.#transactions;
    const position = open ? { ...this.position, pos: this.#beginPos } : this.position;
    const group: CommitGroup = {
      source: this.source,
      seq: ++this.#seq,
      position,
      open,
      file: this.file,
      transactions: {
        count,
        gtidSources: [''],
        gtidSource: new Uint16Array(count),
        gtidSequence: new Float64Array(count),
        committedMicros: new Float64Array(count).fill(1_700_000_000_000_000),
        threadId: new Uint32Array(count),
        serverId: new Uint32Array(count),
      },
      events: {
        count: this.#events.length,
        transaction: Uint32Array.from(this.#events, (event) => event.transaction),
        pos: Float64Array.from(this.#events, (event) => event.pos),
        seconds: new Uint32Array(this.#events.length),
      },
      entries: this.#entries,
    };
    this.#entries = [];
    this.#events = [];
    this.#transactions = 0;
    return group;
  }

  #builder(schema: TableSchema): ChangeBatchBuilder {
    let builder = this.#builders.get(schema);
    if (builder === undefined) this.#builders.set(schema, (builder = new ChangeBatchBuilder(schema)));
    return builder;
  }

  #seal(): void {
    for (const builder of this.#builders.values()) this.#entries.push({ kind: 'changes', batch: builder.view() });
    this.#builders.clear();
  }
}
