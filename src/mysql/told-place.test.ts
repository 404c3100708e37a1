import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ToldPlace } from './told-place.ts';

const begin = { file: 'bin.000001', pos: 100 };
const end = { file: 'bin.000001', pos: 300, gtids: 'u:1-5' };
const atEnd = { ...end, eventsDone: 0, rowsDone: 0 };

test('the newest record is told by the begin of its transaction, also after its end', () => {
  const told = new ToldPlace();
  told.begin(begin, 'u:1-4');
  told.mark(2, 3);
  assert.equal(told.end(), false);
  told.begin({ file: 'bin.000001', pos: 300 }, 'u:1-5');
  assert.equal(told.end(), false);
  assert.deepEqual(told.take(), { file: 'bin.000001', pos: 100, gtids: 'u:1-4', eventsDone: 2, rowsDone: 3 });
  assert.equal(told.take(), undefined, 'nothing new');
});

test('of a transaction that no BEGIN frames it is the end', () => {
  const told = new ToldPlace();
  told.mark(1, 2);
  assert.equal(told.take(), undefined, 'not before the end');
  assert.equal(told.end(), true);
  told.at(end);
  assert.deepEqual(told.take(), atEnd);
  assert.equal(told.end(), false);
});

test('a record between two transactions is at its own place', () => {
  const told = new ToldPlace();
  told.begin(begin, 'u:1-4');
  told.mark(2, 3);
  told.end();
  told.at(end);
  assert.deepEqual(told.take(), atEnd);
});
