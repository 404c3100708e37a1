import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CommitGroup } from '../connect/commit-group.ts';
import { ChangeBatchBuilder, op } from '../event/change-batch.ts';
import { createTableSchema } from '../event/table-schema.ts';
import { emptyBatch } from './loops.fixture.ts';
import { countGroup, noSourceCounts } from './source-counts.ts';

const schema = createTableSchema({
  database: 'd',
  table: 't',
  columns: [{ name: 'id', type: { kind: 'int', bits: 32, unsigned: false }, nullable: false, nativeType: 'int' }],
  primaryKey: [0],
});

function groupOf(ops: readonly (1 | 2 | 3)[], transactions: number, open = false): CommitGroup {
  const { group } = emptyBatch(4);
  const builder = new ChangeBatchBuilder(schema);
  for (const code of ops) {
    builder.begin(code, 0);
    builder.middle();
    builder.end();
  }
  const committedMicros = new Float64Array(transactions).fill(5_000_000);
  return {
    ...group,
    open,
    transactions: { ...group.transactions, count: transactions, committedMicros },
    entries: [{ kind: 'changes', batch: builder.view() }],
  };
}

test('changes are counted by what they did, transactions when they end', () => {
  const first = countGroup(noSourceCounts, groupOf([op.insert, op.insert, op.update, op.delete], 2), 5400);
  assert.deepEqual(first, {
    inserts: 2,
    updates: 1,
    deletes: 1,
    transactions: 2,
    records: 0,
    behindMs: 400,
    schemaChanges: 0,
    lastSchemaChangeMs: undefined,
    lastChangeMs: 5400,
  });
  const open = countGroup(first, groupOf([op.insert], 1, true), 6000);
  assert.equal(open.transactions, 2);
  assert.equal(countGroup(open, groupOf([op.insert], 1), 6000).transactions, 3);
});

test('a position that moves alone says nothing of the lag', () => {
  const first = countGroup(noSourceCounts, groupOf([op.insert], 1), 5100);
  const idle = countGroup(first, emptyBatch(9).group, 90_000);
  assert.equal(idle.behindMs, 100);
  assert.equal(idle.lastChangeMs, 5100);
});
