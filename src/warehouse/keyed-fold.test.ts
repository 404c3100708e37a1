import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeImage } from '../event/cell.ts';
import { ChangeBatchBuilder, op } from '../event/change-batch.ts';
import { createTableSchema } from '../event/table-schema.ts';
import { KeyedFold } from './keyed-fold.ts';

const int = { kind: 'int', bits: 32, unsigned: false } as const;
const schema = createTableSchema({
  database: 'd',
  table: 't',
  columns: ['id', 'v'].map((name) => ({ name, type: int, nullable: name === 'v', nativeType: 'INT' })),
  primaryKey: [0],
});

test('a refreshed row takes the place of what the replica has, unless the row is new in the fold', () => {
  const batch = new ChangeBatchBuilder(schema);
  const add = (code: typeof op.insert | typeof op.refresh, row: readonly number[]): void => {
    batch.begin(code, 0);
    batch.middle();
    writeImage(schema, row, batch.writer);
    batch.end();
  };
  add(op.refresh, [1, 10]);
  add(op.insert, [2, 20]);
  add(op.refresh, [2, 21]);
  const fold = new KeyedFold(schema);
  fold.add(batch.view(), 0, batch.count);
  assert.equal(fold.deletes.count, 1);
  assert.equal(fold.inserts.count, 2);
  assert.equal(fold.lenient, true, 'row 1 may not be there');
});
