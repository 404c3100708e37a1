import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SourceState } from '../connect/tasks.ts';
import { placeRecord, placeTopic, readStoredPlace } from './exact-place.ts';

const gtids = 'a207a0dc-e6bb-11f1-a945-02fc00000001:1-2604';
/** The last transaction, by its begin, and where the stream goes on after it and what is not captured. */
const offset = { ts_sec: 1795385733, file: 'binlog.000001', pos: 941080, gtids, row: 1, server_id: 1, event: 2 };
const place = { file: 'binlog.000002', pos: 157, gtids: `${gtids}5`, eventsDone: 4, rowsDone: 0 };
const shown = { file: 'binlog.000001', pos: 941080, gtids, eventsDone: 2, rowsDone: 1 };

function stateOf(stored: SourceState['offset'], record = placeRecord('shop', offset, place)): SourceState {
  const records = new Map(record.value === null ? [] : [[record.key, record.value]]);
  return { offset: stored, state: (topic) => (topic === placeTopic ? records : new Map()) };
}

test('a source goes on at the exact place that was stored beside its offset', () => {
  assert.deepEqual(readStoredPlace('shop', stateOf(offset)), { position: place, isForeign: false });
  const reordered = Object.fromEntries(Object.entries(offset).toReversed());
  assert.deepEqual(readStoredPlace('shop', stateOf(reordered)), { position: place, isForeign: false }, 'members in another order');
});

test('an offset that another has stored since is where it goes on', () => {
  assert.deepEqual(readStoredPlace('shop', stateOf({ ...offset, row: 2 })), { position: { ...shown, rowsDone: 2 }, isForeign: true });
  assert.deepEqual(readStoredPlace('shop', stateOf({ ...offset, ts_sec: 1795385734 })), { position: shown, isForeign: true });
});

test('without a record of its own the offset alone counts, as in data of before', () => {
  assert.deepEqual(readStoredPlace('other', stateOf(offset)), { position: shown, isForeign: false });
  const before = { ts_sec: 1, file: 'binlog.000001', pos: 941080, gtids, server_id: 1, event: 3 };
  const old: SourceState = { offset: before, state: () => new Map() };
  assert.deepEqual(readStoredPlace('shop', old), { position: { ...shown, eventsDone: 3, rowsDone: 0 }, isForeign: false });
});

test('no offset, or one that names no place, is no place, whatever was there before', () => {
  assert.equal(readStoredPlace('shop', stateOf(undefined)), undefined);
  assert.equal(readStoredPlace('shop', stateOf({ file: 'binlog.000001' })), undefined);
});
