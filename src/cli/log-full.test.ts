import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logFullText } from './log-full.ts';

test('who holds a full log is named once, the most first, with what to do', () => {
  const lag = (consumer: string, source: string, groups: number, bytes: number) => ({
    consumer,
    source,
    groups,
    bytes,
    seq: 0,
    sinceMs: 0,
  });
  const lags = [lag('a', 'x', 1, 100), lag('idle', 'x', 0, 0), lag('b', 'x', 2, 2000), lag('b', 'y', 1, 3000)];
  assert.match(
    logFullText({ source: 'x', usedBytes: 9000, maxBytes: 10_000, lags }),
    /millrace\.log\.max\.bytes.* b has [\d.]+ KB of it to commit, a has 100 B of it to commit; .*resume, repair or delete it$/,
  );
  assert.match(logFullText({ source: 'x', usedBytes: 1, maxBytes: 1, lags: [] }), /no sink has registered; add a sink/);
});
