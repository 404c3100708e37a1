import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { Worker } from 'node:worker_threads';
import { openEmbeddedLog } from './open-embedded-log.ts';

const { signal } = new AbortController();

test('threads append, another reads, acknowledges and removes: every group arrives once, and the files stay small', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-threads-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const sources = ['a', 'b'];
  const count = 300;
  // all three open a log that is not there yet
  const appenders = sources.map(
    (source) => new Worker(new URL('./threads-child.ts', import.meta.url), { workerData: [folder, source, count] }),
  );
  const exits = appenders.map((appender) => once(appender, 'exit'));
  await using log = await openEmbeddedLog({ folder, maxBytes: 4e6, retentionMs: 0, retentionBytes: Infinity }, signal);
  log.register('sink', sources);
  const next = new Map(sources.map((source) => [source, 0]));
  let removed = 0;
  while ([...next.values()].some((seq) => seq < count)) {
    for (const [source, seq] of next) {
      const groups = log.read({ source, afterSeq: seq, maxBytes: 500_000 });
      for (const [i, group] of groups.entries()) {
        assert.equal(group.seq, seq + i + 1);
        assert.equal(group.source, source);
      }
      next.set(source, seq + groups.length);
      log.acknowledge('sink', source, seq + groups.length);
    }
    removed += log.applyRetention();
    await new Promise((resolve) => setImmediate(resolve));
  }
  for (const [code] of await Promise.all(exits)) assert.equal(code, 0);
  log.applyRetention();
  assert(removed > 0);
  assert(statSync(join(folder, 'log.sqlite')).size < 8e6);
  assert(statSync(join(folder, 'log.sqlite-wal')).size < 40e6);
  assert.deepEqual((await log.loadSource('a', signal)).offset, { n: count });
});
