import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAmidSnapshot, readOffset, streamStart, writeOffset } from './source-offset.ts';

/** Offsets that Debezium MySQL 3.6.1 stored: amid a row event, after a row event of its last transaction, after a snapshot, and amid one. */
const gtids = 'a207a0dc-e6bb-11f1-a945-02fc00000001:1-2604';
const recorded = {
  amidEvent: { ts_sec: 1795385733, file: 'binlog.000001', pos: 941080, gtids, row: 1, server_id: 1, event: 2 },
  afterEvent: {
    transaction_id: 'a207a0dc-e6bb-11f1-a945-02fc00000001:3022',
    ts_sec: 1795385817,
    file: 'binlog.000001',
    pos: 1089686,
    gtids: 'a207a0dc-e6bb-11f1-a945-02fc00000001:1-3021',
    'transaction_data_collection_order_transactions.zz_end': 1,
    server_id: 1,
    event: 3,
  },
  afterSnapshot: { ts_sec: 1795385733, file: 'binlog.000001', pos: 941001, gtids },
  amidSnapshot: { ts_sec: 1795385251, file: 'binlog.000001', pos: 628733, gtids, snapshot: 'INITIAL' },
};

test('offsets that Debezium stored are read', () => {
  assert.deepEqual(readOffset(recorded.amidEvent), { file: 'binlog.000001', pos: 941080, gtids, eventsDone: 2, rowsDone: 1 });
  assert.deepEqual(readOffset(recorded.afterEvent), {
    file: 'binlog.000001',
    pos: 1089686,
    gtids: recorded.afterEvent.gtids,
    eventsDone: 3,
    rowsDone: 0,
  });
  assert.deepEqual(readOffset(recorded.afterSnapshot), { file: 'binlog.000001', pos: 941001, gtids, eventsDone: 0, rowsDone: 0 });
  assert.equal(isAmidSnapshot(recorded.amidSnapshot), true);
  assert.equal(isAmidSnapshot(recorded.afterSnapshot), false);
});

test('ours have the form of theirs', () => {
  const { amidEvent, afterSnapshot, amidSnapshot } = recorded;
  const rewritten = (offset: Readonly<Record<string, unknown>>, serverId?: number): Record<string, unknown> => {
    const position = readOffset(offset);
    assert.ok(position !== undefined);
    return writeOffset(position, { seconds: Number(offset['ts_sec']), serverId, snapshot: isAmidSnapshot(offset) });
  };
  assert.deepEqual(rewritten(amidEvent, 1), amidEvent);
  assert.deepEqual(rewritten(afterSnapshot), afterSnapshot);
  assert.deepEqual(rewritten(amidSnapshot), amidSnapshot);
});

test('what names no place is no offset', () => {
  for (const offset of [undefined, {}, { a: 1 }, { file: 'x' }, { pos: 4 }, { file: 7, pos: 4 }]) {
    assert.equal(readOffset(offset), undefined);
  }
});

test('an offset that someone set is looked for by its GTIDs, one of our own by its place', () => {
  const position = { file: 'binlog.000001', pos: 4, gtids, eventsDone: 0 };
  assert.deepEqual(streamStart('mysql', position), { position: { file: 'binlog.000001', position: 4 } });
  const byGtids = streamStart('mysql', { ...position, byGtids: true });
  assert.ok('gtids' in byGtids);
  assert.equal(byGtids.gtids.toString(), gtids);
  assert.deepEqual(readOffset({ gtids }), { file: '', pos: 4, gtids, eventsDone: 0, rowsDone: 0 });
});
