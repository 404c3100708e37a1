import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readColumnRules } from '../config/column-rules.ts';
import { readImage, writeImage } from '../event/cell.ts';
import { ChangeBatchBuilder, op } from '../event/change-batch.ts';
import { createTableSchema, type Column } from '../event/table-schema.ts';
import type { Value } from '../event/value.ts';
import { createRowMasks, maskFills } from './mask-rows.ts';

const text = (name: string, length: number): Column => ({
  name,
  type: { kind: 'text' },
  nullable: true,
  nativeType: 'VARCHAR',
  length,
  charset: 'utf8mb4',
});
const schema = createTableSchema({
  database: 'masking',
  table: 'customers',
  columns: [
    { name: 'id', type: { kind: 'int', bits: 32, unsigned: false }, nullable: false, nativeType: 'INT' },
    text('first_name', 20),
    text('email', 60),
    text('ssn', 11),
    text('bio', 100),
    { name: 'kind', type: { kind: 'enum', labels: ['a', 'b'] }, nullable: true, nativeType: 'ENUM', charset: 'utf8mb4' },
    { name: 'born', type: { kind: 'date' }, nullable: true, nativeType: 'DATE' },
  ],
  primaryKey: [0],
});

const rules = readColumnRules({
  'column.mask.with.6.chars': 'masking.customers.first_name,masking.customers.(kind|born)',
  'column.mask.hash.SHA-256.with.salt.CzQMA0cB5K': 'masking.customers.email',
  'column.mask.hash.v2.SHA-256.with.salt.CzQMA0cB5K': 'masking.customers.ssn',
  'column.truncate.to.10.chars': 'masking.customers.bio',
});

function masked(...rows: readonly (readonly Value[])[]): Value[][] {
  const builder = new ChangeBatchBuilder(schema);
  for (const row of rows) {
    builder.begin(op.insert, 3);
    builder.middle();
    writeImage(schema, row, builder.writer);
    builder.end();
  }
  const mask = createRowMasks(rules)?.(schema);
  assert.ok(mask !== undefined);
  const whole = mask.maskBatch(builder.view());
  mask.maskTail(builder, 0);
  const { count, starts, bytes, events } = builder.view();
  assert.deepEqual([...whole.bytes.subarray(0, whole.starts[2 * count])], [...bytes.subarray(0, starts[2 * count])]);
  assert.deepEqual([...events], Array(count).fill(3));
  return Array.from({ length: count }, (_, i) => readImage(schema, bytes, starts[2 * i + 1] ?? 0, starts[2 * i + 2] ?? 0));
}

test('values are masked as the recording of Debezium has them', () => {
  const ann = [1, 'Ann', 'ann@example.com', '123-45-6789', 'A long biography with ünïcode ☃ 😀', 'a', '1990-01-01'];
  const zoe = [3, 'Zoë', 'zoe@example.com', '987-65-4321', 'short', 'b', null];
  assert.deepEqual(masked(ann, zoe), [
    // golden/debezium/masking
    [1, '******', '51a61a921ad466f1821aba9d16ec112f1646e755acec0573125cfb109f3e', 'ec5d1c2c938', 'A long bio', '******', '1990-01-01'],
    [3, '******', '80d5de5a455eb59829f088c1924a339b98949af164402aed64becb4ed3c6', 'e029de03263', 'short', '******', null],
  ]);
});

test('NULL becomes asterisks, stays NULL under a hash, and a column that is not in the image stays away', () => {
  assert.deepEqual(masked([2, null, null, null, null, null, null]), [[2, '******', null, null, null, '******', null]]);
  assert.deepEqual(masked([2, undefined, 'x', undefined, '', undefined, null])[0]?.[1], undefined);
});

test('a character that truncation would halve is a question mark', () => {
  assert.deepEqual(masked([2, null, null, null, '123456789😀', null, null])[0]?.[4], '123456789?');
});

test('only the changes from a place on are masked, those before stay', () => {
  const builder = new ChangeBatchBuilder(schema);
  for (const name of ['first', 'second']) {
    builder.begin(op.delete, 0);
    writeImage(schema, [1, name, null, null, null, null, null], builder.writer);
    builder.middle();
    builder.end();
  }
  createRowMasks(rules)?.(schema)?.maskTail(builder, 1);
  const { starts, bytes } = builder.view();
  assert.equal(readImage(schema, bytes, starts[0] ?? 0, starts[1] ?? 0)[1], 'first');
  assert.equal(readImage(schema, bytes, starts[2] ?? 0, starts[3] ?? 0)[1], '******');
});

test('the default that existing rows get in a new column is masked', () => {
  const before = createTableSchema({ ...schema, columns: schema.columns.slice(0, 1) });
  const after = createTableSchema({ ...schema, columns: schema.columns.slice(0, 2) });
  const [change] = maskFills([{ kind: 'alterTable', before, after, columns: [{ from: 0 }, { fill: 'secret' }] }], rules);
  assert.deepEqual(change?.kind === 'alterTable' ? change.columns : [], [{ from: 0 }, { fill: '******' }]);
});

test('there is nothing to do for connectors and tables without masks', () => {
  assert.equal(createRowMasks(readColumnRules({})), undefined);
  assert.equal(createRowMasks(rules)?.(createTableSchema({ ...schema, table: 'other' })), undefined);
});
