import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StreamStart } from './dump.ts';
import { GtidSet } from './gtid-set.ts';
import { MariadbGtidList } from './mariadb-gtid.ts';
import { decodeAll, newDecoder, recordedEvents } from './recorded.fixture.ts';
import { TransactionTracker, endsTransaction } from './transaction-tracker.ts';

for (const flavor of ['mysql', 'mariadb'] as const) {
  test(`transactions of ${flavor} end where the server began the next one`, () => {
    const decoder = newDecoder(flavor);
    const tracker = new TransactionTracker({ position: { file: '', position: 4 } });
    let begun = 0;
    let ended = 0;
    for (const event of recordedEvents(flavor).flatMap((bytes) => decodeAll(decoder, bytes))) {
      const begins = event.type === 'GTID' || event.type === 'MARIADB_GTID';
      if (begins) {
        begun++;
        assert.equal(tracker.inTransaction, false);
        assert.deepEqual(tracker.resume, { position: { file: event.file, position: event.nextPosition - event.size } });
      }
      if (tracker.take(event)) ended++;
      if (begins) assert.equal(tracker.inTransaction, true);
    }
    assert.equal(tracker.inTransaction, false);
    assert.equal(begun, ended);
    assert.ok(begun >= 14);
  });

  test(`a GTID stream of ${flavor} resumes behind the complete transactions, and the given set is not changed`, () => {
    const start: StreamStart = flavor === 'mysql' ? { gtids: new GtidSet() } : { mariadbGtids: new MariadbGtidList() };
    const tracker = new TransactionTracker(start);
    const decoder = newDecoder(flavor);
    const seen = new GtidSet();
    let last = '';
    for (const event of recordedEvents(flavor).flatMap((bytes) => decodeAll(decoder, bytes))) {
      tracker.take(event);
      if (event.type === 'GTID') seen.add(event.source, event.gno);
      if (event.type === 'MARIADB_GTID') last = `${event.domain}-${event.serverId}-${event.sequence}`;
    }
    const { resume } = tracker;
    if ('gtids' in resume) assert.ok(resume.gtids.equals(seen));
    else if ('mariadbGtids' in resume) assert.equal(resume.mariadbGtids.toString(), last);
    else assert.fail();
    assert.ok('gtids' in start ? start.gtids.isEmpty : 'mariadbGtids' in start && start.mariadbGtids.isEmpty);
  });
}

test('savepoints do not end a transaction', () => {
  const decoder = newDecoder('mysql');
  const query = recordedEvents('mysql')
    .flatMap((bytes) => decodeAll(decoder, bytes))
    .find((event) => event.type === 'QUERY');
  assert.ok(query !== undefined);
  const ends = (sql: string): boolean => endsTransaction({ ...query, sql, standalone: false });
  assert.deepEqual(
    ['BEGIN', 'SAVEPOINT `s`', 'ROLLBACK TO `s`', 'ROLLBACK WORK TO SAVEPOINT s', 'XA END 1', 'INSERT INTO t VALUES (1)'].map(ends),
    Array(6).fill(false),
  );
  assert.deepEqual(['COMMIT', 'ROLLBACK', 'commit work', 'ROLLBACK /* x */'].map(ends), Array(4).fill(true));
});
