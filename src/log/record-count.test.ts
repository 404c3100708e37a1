import assert from 'node:assert/strict';
import test from 'node:test';
import { ChangeBatchBuilder, op } from '../event/change-batch.ts';
import { writeImage } from '../event/cell.ts';
import { createTableSchema } from '../event/table-schema.ts';
import type { Value } from '../event/value.ts';
import { countDebeziumRecords, countRecordsWith } from './record-count.ts';
import { sampleBatch, sampleSchema } from './sample-batches.ts';

const orders = sampleSchema('shop', 'orders');
/** Key columns after and between columns of any length, as `PRIMARY KEY (code, id)` on (note, code, price, id, extra). */
const composite = createTableSchema({
  database: 'shop',
  table: 'composite',
  columns: [
    { name: 'note', type: { kind: 'text' }, nullable: true, nativeType: 'TEXT' },
    { name: 'code', type: { kind: 'text' }, nullable: false, nativeType: 'VARCHAR' },
    { name: 'price', type: { kind: 'decimal', precision: 30, scale: 2, unsigned: false }, nullable: true, nativeType: 'DECIMAL' },
    { name: 'id', type: { kind: 'int', bits: 32, unsigned: false }, nullable: false, nativeType: 'INT' },
    { name: 'extra', type: { kind: 'json' }, nullable: true, nativeType: 'JSON' },
  ],
  primaryKey: [1, 3],
});

function countUpdate(before: readonly Value[], after: readonly Value[]): number {
  const builder = new ChangeBatchBuilder(composite);
  builder.begin(op.update, 0);
  writeImage(composite, before, builder.writer);
  builder.middle();
  writeImage(composite, after, builder.writer);
  builder.end();
  return countDebeziumRecords({ kind: 'changes', batch: builder.view() });
}

test('an insert or update is one record, a delete and its tombstone are two, a new key makes three', () => {
  const count = (row: Parameters<typeof sampleBatch>[1][number]): number =>
    countDebeziumRecords({ kind: 'changes', batch: sampleBatch(orders, [row]) });
  assert.equal(count({ op: 'insert', id: 1, note: 'x' }), 1);
  assert.equal(count({ op: 'update', id: 1, note: 'x' }), 1);
  assert.equal(count({ op: 'delete', id: 1, note: 'x' }), 2);
  assert.equal(count({ op: 'update', id: 2, oldId: 1, note: 'x' }), 3);
});

test('a changed key is found wherever its columns lie', () => {
  const long = 'n'.repeat(300);
  const row: readonly Value[] = ['note', 'A', '1.50', 7, '{}'];
  assert.equal(countUpdate(row, row), 1);
  assert.equal(countUpdate(row, [long, 'A', null, 7, null]), 1);
  assert.equal(countUpdate([null, 'A', null, 7, null], [long, 'A', '-99.00', 7, '[1]']), 1);
  assert.equal(countUpdate(row, ['note', 'B', '1.50', 7, '{}']), 3);
  assert.equal(countUpdate(row, ['note', 'AA', '1.50', 7, '{}']), 3);
  assert.equal(countUpdate(row, [long, 'A', null, 8, '{}']), 3);
});

test('a key column that an image lacks is unchanged', () => {
  const minimal: readonly Value[] = [undefined, 'A', undefined, 7, undefined];
  assert.equal(countUpdate(minimal, ['new', undefined, undefined, undefined, undefined]), 1);
  assert.equal(countUpdate(minimal, [undefined, undefined, undefined, 8, undefined]), 3);
});

test('an update of a table without a key is one record', () => {
  const { fingerprint: _, ...parts } = orders;
  const keyless = createTableSchema({ ...parts, primaryKey: [] });
  const batch = sampleBatch(keyless, [{ op: 'update', id: 2, oldId: 1, note: 'x' }]);
  assert.equal(countDebeziumRecords({ kind: 'changes', batch }), 1);
});

test('another rule counts what its renderer makes', () => {
  const rows = [
    { op: 'insert', id: 1, note: 'x' },
    { op: 'update', id: 2, oldId: 1, note: 'x' },
    { op: 'delete', id: 2, note: 'x' },
  ] as const;
  const withoutTombstones = countRecordsWith((_, keyChanged) => (keyChanged ? 2 : 1));
  assert.equal(withoutTombstones({ kind: 'changes', batch: sampleBatch(orders, rows) }), 4);
  const withoutUpdates = countRecordsWith((code) => (code === op.update ? 0 : 1));
  assert.equal(withoutUpdates({ kind: 'changes', batch: sampleBatch(orders, rows) }), 2);
});
