import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeImage } from './cell.ts';
import { ChangeBatchBuilder, op, type ChangeBatch, type Op } from './change-batch.ts';
import { countChangesWith } from './count-changes.ts';
import { createTableSchema } from './table-schema.ts';
import type { Value } from './value.ts';
import { endedRows } from './version-rows.ts';

const period = { type: { kind: 'timestamp', fsp: 6 }, nullable: false, nativeType: 'TIMESTAMP', invisible: true } as const;
const schema = createTableSchema({
  database: 'shop',
  table: 'price',
  primaryKey: [0, 3],
  columns: [
    { name: 'id', type: { kind: 'int', bits: 32, unsigned: false }, nullable: false, nativeType: 'INT' },
    { name: 'note', type: { kind: 'text' }, nullable: true, nativeType: 'TEXT' },
    { name: 'row_start', versioning: 'start', ...period },
    { name: 'row_end', versioning: 'end', ...period },
  ],
});
const open = '2106-02-07 06:28:15.999999';
const openBefore2038 = '2038-01-19 03:14:07.999999';
const past = '2024-05-01 12:00:00.000001';

type Change = readonly [code: Op, end: string];

function batchOf(changes: readonly Change[]): ChangeBatch {
  const builder = new ChangeBatchBuilder(schema);
  const row = (end: string): readonly Value[] => [1, 'a note', '2024-01-01 00:00:00.000000', end];
  for (const [code, end] of changes) {
    builder.begin(code, 0);
    if (code === op.update || code === op.delete) writeImage(schema, row(end), builder.writer);
    builder.middle();
    if (code !== op.delete) writeImage(schema, row(end), builder.writer);
    builder.end();
  }
  return builder.view();
}

test('a row has ended whose end is no longer open', () => {
  const batch = batchOf([
    [op.insert, open],
    [op.insert, past],
    [op.delete, openBefore2038],
    [op.delete, past],
    [op.read, past],
  ]);
  const isEnded = endedRows(schema, 3);
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((change) => isEnded(batch, change)),
    [false, true, false, true, true],
  );
});

test('ended rows are not counted where their end is hidden', () => {
  // An update of a version is an update and the old version, a delete a delete and the old version.
  const batch = batchOf([
    [op.update, open],
    [op.insert, past],
    [op.delete, open],
    [op.insert, past],
  ]);
  const perChange = (code: Op): number => (code === op.delete ? 2 : 1);
  assert.equal(countChangesWith(perChange, { hiddenEndOf: () => 3 })(batch), 3);
  assert.equal(countChangesWith(perChange, { hiddenEndOf: () => undefined })(batch), 5);
});
