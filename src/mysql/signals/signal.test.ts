import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSignal, readSnapshotSignal } from './signal.ts';

test('a line of a file of signals has an id, or gets one', () => {
  assert.deepEqual(parseSignal('{"id":"a","type":"log","data":{"message":"x"}}', 'file', 'none'), {
    id: 'a',
    type: 'log',
    data: '{"message":"x"}',
    channel: 'file',
  });
  assert.equal(parseSignal('{"type":"log"}', 'file', 'given')?.id, 'given');
  assert.equal(parseSignal('no json', 'file', 'given'), undefined);
  assert.equal(parseSignal('{"id":"a"}', 'file', 'given'), undefined);
});

test('what a signal asks of a snapshot, in the forms of all versions', () => {
  const read = (data: object): unknown =>
    readSnapshotSignal({ id: '1', type: 'execute-snapshot', data: JSON.stringify(data), channel: 'api' });
  assert.deepEqual(read({ 'data-collections': ['a.b', ' c.d '] }), {
    kind: 'incremental',
    collections: ['a.b', 'c.d'],
    conditions: [],
    surrogateKey: undefined,
  });
  assert.deepEqual(
    read({
      type: 'BLOCKING',
      'data-collections': ['a.b'],
      'additional-conditions': [{ 'data-collection': 'a.b', filter: 'x = 1' }, 'nonsense'],
      'surrogate-key': 'k',
    }),
    { kind: 'blocking', collections: ['a.b'], conditions: [{ collection: 'a.b', filter: 'x = 1' }], surrogateKey: 'k' },
  );
  assert.deepEqual(read({ 'data-collections': ['a.b'], 'additional-condition': 'y = 2' }), {
    kind: 'incremental',
    collections: ['a.b'],
    conditions: [{ collection: 'a.b', filter: 'y = 2' }],
    surrogateKey: undefined,
  });
});
