import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeImage } from '../../event/cell.ts';
import { ChangeBatchBuilder, op } from '../../event/change-batch.ts';
import type { Op } from '../../event/change-batch.ts';
import type { TableSchema } from '../../event/table-schema.ts';
import type { Value } from '../../event/value.ts';
import { batchRows, column, int, schemaOf } from '../snapshot.fixture.ts';
import { ChangedKeys, appendRows } from './window.ts';

const columns = [column('a', int, { nullable: false }), column('b', { kind: 'text' }, { nullable: false }), column('v', int)];
const keyed = schemaOf({ database: 'd', table: 't' }, columns, [1, 0]);
const keyless = schemaOf({ database: 'd', table: 't' }, columns, []);

type Row = readonly Value[];

function add(batch: ChangeBatchBuilder, code: Op, before: Row | undefined, after: Row | undefined): void {
  batch.begin(code, 0);
  if (before !== undefined) writeImage(batch.schema, before, batch.writer);
  batch.middle();
  if (after !== undefined) writeImage(batch.schema, after, batch.writer);
  batch.end();
}

function chunk(schema: TableSchema, rows: readonly Row[]): ChangeBatchBuilder {
  const builder = new ChangeBatchBuilder(schema);
  for (const row of rows) add(builder, op.refresh, undefined, row);
  return builder;
}

test('rows whose key the stream changes meanwhile are left out, by either side of the change', () => {
  const stream = new ChangeBatchBuilder(keyed);
  add(stream, op.insert, undefined, [9, 'before the chunk', 0]);
  add(stream, op.delete, [1, 'x', 0], undefined);
  add(stream, op.update, [2, 'x', 0], [3, 'y', 0]);
  const changed = new ChangedKeys();
  changed.add(stream, 1, stream.count);
  const batch = new ChangeBatchBuilder(keyed);
  const rows = chunk(keyed, [
    [1, 'x', 1],
    [1, 'X', 1],
    [2, 'x', 1],
    [3, 'y', 1],
    [9, 'before the chunk', 1],
  ]);
  appendRows(rows, changed, { batch, event: 7 });
  assert.deepEqual(batchRows(batch.view()), [
    ['1', 'X', '1'],
    ['9', 'before the chunk', '1'],
  ]);
  assert.deepEqual([...batch.view().events], [7, 7]);
  assert.ok([...batch.view().ops].every((code) => code === op.refresh));
  assert.equal(changed.isVoid, false);
});

test('a change of the definition voids the chunk', () => {
  const changed = new ChangedKeys();
  const stream = new ChangeBatchBuilder(keyed);
  add(stream, op.insert, undefined, [1, 'x', 0]);
  changed.add(stream, 0, 1);
  const other = schemaOf({ database: 'd', table: 't' }, [...columns, column('w', int)], [1, 0]);
  assert.equal(changed.differs(keyed), false);
  assert.equal(changed.differs(other), true);
});

test('of rows without a key the last one stays, as in the original', () => {
  const batch = new ChangeBatchBuilder(keyless);
  appendRows(
    chunk(keyless, [
      [1, 'x', 1],
      [2, 'y', 2],
    ]),
    undefined,
    { batch, event: 0 },
  );
  assert.deepEqual(batchRows(batch.view()), [['2', 'y', '2']]);
});
