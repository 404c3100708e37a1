import type { CommitGroup, Entry } from '../connect/commit-group.ts';
import type { SourceBatch } from '../connect/tasks.ts';
import { ChangeBatchBuilder, op, stateBytes } from '../event/change-batch.ts';
import type { ChangeBatch } from '../event/change-batch.ts';
import { createTableSchema } from '../event/table-schema.ts';
import type { TableSchema } from '../event/table-schema.ts';

/* Realistic groups for tests and benchmarks of the log, made from a seed. */

/** `id BIGINT PRIMARY KEY, note VARCHAR(…)`. */
export function sampleSchema(database: string, table: string): TableSchema {
  return createTableSchema({
    database,
    table,
    columns: [
      { name: 'id', type: { kind: 'int', bits: 64, unsigned: false }, nullable: false, nativeType: 'BIGINT' },
      { name: 'note', type: { kind: 'text' }, nullable: true, nativeType: 'VARCHAR', length: 255 },
    ],
    primaryKey: [0],
  });
}

export interface SampleRow {
  readonly op: 'insert' | 'update' | 'delete' | 'read';
  readonly id: number;
  /** Of an update that changes the key. */
  readonly oldId?: number;
  readonly note: string;
}

export function sampleBatch(schema: TableSchema, rows: readonly SampleRow[]): ChangeBatch {
  const builder = new ChangeBatchBuilder(schema);
  for (const row of rows) {
    builder.begin(op[row.op], 0);
    if (row.op === 'update' || row.op === 'delete') writeRow(builder, row.oldId ?? row.id, row.note);
    builder.middle();
    if (row.op !== 'delete') writeRow(builder, row.id, row.note);
    builder.end();
  }
  return builder.view();
}

function writeRow({ writer, schema }: ChangeBatchBuilder, id: number, note: string): void {
  const text = Buffer.from(note);
  writer.reserve(stateBytes(schema.columns.length) + 8 + 5 + text.length);
  writer.uint8(0);
  writer.view.setBigInt64(writer.length, BigInt(id), true);
  writer.length += 8;
  writer.varint(text.length);
  writer.raw(text, 0, text.length);
}

/** One transaction, with these entries. */
export function sampleGroup(source: string, entries: readonly Entry[], pos = 4): CommitGroup {
  return {
    source,
    seq: 0,
    position: { file: 'binlog.000001', pos, gtids: '' },
    open: false,
    file: 'binlog.000001',
    transactions: {
      count: 1,
      gtidSources: [''],
      gtidSource: new Uint16Array(1),
      gtidSequence: new Float64Array(1),
      committedMicros: Float64Array.of(1.7e15 + pos),
      threadId: new Uint32Array(1),
      serverId: Uint32Array.of(1),
    },
    events: { count: 1, transaction: new Uint32Array(1), pos: Float64Array.of(pos), seconds: Uint32Array.of(1_700_000_000) },
    entries,
  };
}

/** A batch of one insert per id, whose offset names the last of them. */
export function insertBatch(source: string, table: string, ids: readonly number[]): SourceBatch {
  const schema = sampleSchema('shop', table);
  const batch = sampleBatch(
    schema,
    ids.map((id) => ({ op: 'insert', id, note: `row ${id}` })),
  );
  return { group: sampleGroup(source, [{ kind: 'changes', batch }], ids.at(-1) ?? 4), offset: { id: ids.at(-1) ?? 0 }, state: [] };
}
