import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TransactionMonitor } from './transaction-monitor.ts';

const a = { database: 'shop', table: 'a' };
const b = { database: 'shop', table: 'b.c' };

function monitor(): TransactionMonitor {
  return new TransactionMonitor(() => 0);
}

test('records are counted in all and per table, and the end tells them', () => {
  const transactions = monitor();
  transactions.begin('u:1', 5000);
  assert.deepEqual(transactions.addRecords(a, 2), { total: 0, ofTable: 0 });
  assert.deepEqual(transactions.addRecords(b, 1), { total: 2, ofTable: 0 });
  assert.deepEqual(transactions.addRecords(a, 1), { total: 3, ofTable: 2 });
  transactions.end(6000);
  assert.deepEqual(transactions.take(), [
    { status: 'BEGIN', id: 'u:1', micros: 5000, tables: [] },
    {
      status: 'END',
      id: 'u:1',
      micros: 6000,
      tables: [
        { ...a, records: 3 },
        { ...b, records: 1 },
      ],
    },
  ]);
  assert.ok(transactions.isEmpty);
});

test('one without an end is dropped, one without records ends with none', () => {
  const transactions = monitor();
  transactions.begin('0-1-1', 1);
  transactions.drop();
  transactions.end(2);
  transactions.begin('0-1-2', 3);
  transactions.end(4);
  assert.deepEqual(
    transactions.take().map(({ status, id, tables }) => [status, id, tables.length]),
    [
      ['BEGIN', '0-1-1', 0],
      ['BEGIN', '0-1-2', 0],
      ['END', '0-1-2', 0],
    ],
  );
});

test('a transaction that an offset is amid goes on with its counts', () => {
  const first = monitor();
  first.begin('u:9', 1);
  first.addRecords(a, 2);
  first.addRecords(b, 1);
  const offset = first.offset();
  assert.deepEqual(offset, {
    transaction_id: 'u:9',
    'transaction_data_collection_order_shop.a': 2,
    'transaction_data_collection_order_shop.b.c': 1,
  });
  const second = monitor();
  second.restore({ ...offset, ts_sec: 1 }, 'mysql', 2);
  assert.ok(second.isEmpty);
  assert.deepEqual(second.addRecords(a, 1), { total: 3, ofTable: 2 });
  second.end(7);
  assert.deepEqual(second.take(), [
    {
      status: 'END',
      id: 'u:9',
      micros: 7,
      tables: [
        { ...a, records: 3 },
        { ...b, records: 1 },
      ],
    },
  ]);
});

test('one that had ended is told once more, as each connector of Debezium does', () => {
  const offset = { transaction_id: 'u:9', 'transaction_data_collection_order_shop.a': 2, ts_sec: 3 };
  const told = (flavor: 'mysql' | 'mariadb'): unknown => {
    const transactions = monitor();
    transactions.restore(offset, flavor, 0);
    return transactions.take().map(({ status, tables }) => [status, tables.map(({ records }) => records)]);
  };
  assert.deepEqual(told('mysql'), [['END', [2]]]);
  assert.deepEqual(told('mariadb'), [
    ['BEGIN', []],
    ['END', []],
  ]);
});
