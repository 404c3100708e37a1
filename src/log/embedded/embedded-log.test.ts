import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import test from 'node:test';
import type { TestContext } from 'node:test';
import { isMillraceError } from '../../base/errors.ts';
import type { ErrorCode } from '../../base/errors.ts';
import type { Entry } from '../../connect/commit-group.ts';
import { testLogContract } from '../log.contract.ts';
import { insertBatch, sampleBatch, sampleGroup, sampleSchema } from '../sample-batches.ts';
import { openLogDatabase } from './database.ts';
import { SqliteLog, openEmbeddedLog } from './open-embedded-log.ts';
import type { EmbeddedLog, LogFull } from './open-embedded-log.ts';

const { signal } = new AbortController();
const context = { connector: 'shop-source' };
const unlimited = { maxBytes: Infinity, retentionMs: Infinity, retentionBytes: Infinity };
const ids = Array.from({ length: 4000 }, (_, id) => id);

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-log-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function openIn(folder: string): Promise<EmbeddedLog> {
  return openEmbeddedLog({ ...unlimited, folder }, signal);
}

testLogContract('embedded log', (t) => {
  const folder = temporaryFolder(t);
  return (options) => openEmbeddedLog({ ...unlimited, ...options, folder }, signal);
});

test('several logs over one folder see what each other appends, and one can go on where another stopped', async (t) => {
  const folder = temporaryFolder(t);
  await using first = await openIn(folder);
  await using second = await openIn(folder);
  assert.equal(await first.append(insertBatch('a', 'orders', [1]), context, signal), 1);
  assert.equal(await second.append(insertBatch('a', 'orders', [2]), context, signal), 2);
  assert.equal(await first.append(insertBatch('a', 'orders', [3]), context, signal), 3);
  const groups = second.read({ source: 'a', afterSeq: 0, maxBytes: 1e6 });
  assert.deepEqual(
    groups.map((group) => [group.seq, group.position.pos]),
    [
      [1, 1],
      [2, 2],
      [3, 3],
    ],
  );
  assert.deepEqual(second.topics(), [{ source: 'a', database: 'shop', table: 'orders', nextOffset: 3, lastSeq: 3 }]);
});

test('a full log says how far each consumer is behind', async (t) => {
  const told: LogFull[] = [];
  const stop = new AbortController();
  const onFull = (full: LogFull): void => {
    told.push(full);
    stop.abort();
  };
  await using log = await openEmbeddedLog({ ...unlimited, maxBytes: 1_000_000, folder: temporaryFolder(t), onFull }, signal);
  log.register('fast', ['a']);
  log.register('slow', ['a']);
  const begin = Date.now();
  for (let i = 0; i < 3; i++) await log.append(insertBatch('a', 'orders', ids), context, signal);
  log.acknowledge('fast', 'a', 3);
  log.acknowledge('slow', 'a', 1);
  const appendMany = async (): Promise<void> => {
    for (;;) await log.append(insertBatch('a', 'orders', ids), context, stop.signal);
  };
  await assert.rejects(appendMany());
  const [full] = told;
  assert(full !== undefined && told.length === 1);
  assert.equal(full.source, 'a');
  const [fast, slow] = full.lags;
  assert(fast !== undefined && slow !== undefined);
  assert.equal(slow.groups - fast.groups, 2);
  assert(slow.bytes > fast.bytes && slow.bytes > 200_000 && slow.bytes < 1_000_000);
  assert(slow.sinceMs >= begin && slow.sinceMs <= Date.now());
});

test('an acknowledgement that meets a writer does not wait and is written later', async (t) => {
  const folder = temporaryFolder(t);
  await using log = await openIn(folder);
  await log.append(insertBatch('a', 'orders', [1]), context, signal);
  log.register('sink', ['a']);
  const writer = new DatabaseSync(join(folder, 'log.sqlite'));
  writer.exec('BEGIN IMMEDIATE');
  const start = performance.now();
  log.acknowledge('sink', 'a', 1);
  assert(performance.now() - start < 500);
  assert.equal(log.consumers()[0]?.seq, 1);
  writer.exec('COMMIT');
  const stored = (): unknown => writer.prepare('SELECT seq FROM consumers').get()?.['seq'];
  const endMs = performance.now() + 5000;
  while (stored() !== 1 && performance.now() < endMs) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(stored(), 1);
  writer.close();
});

test('space is given back to the file system after retention', async (t) => {
  const folder = temporaryFolder(t);
  await using log = await openEmbeddedLog({ ...unlimited, retentionMs: -1, folder }, signal);
  for (let i = 0; i < 700; i++) await log.append(insertBatch('a', 'orders', ids), context, signal);
  const before = statSync(join(folder, 'log.sqlite')).size;
  assert(before > 80e6);
  for (let i = 0; i < 20; i++) log.applyRetention();
  await log.append(insertBatch('a', 'orders', ids), context, signal);
  const checkpoint = new DatabaseSync(join(folder, 'log.sqlite'));
  checkpoint.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  checkpoint.close();
  assert(statSync(join(folder, 'log.sqlite')).size < before - 15e6);
  assert.deepEqual(log.range('a'), { first: 701, last: 701 });
});

/** Opens, reads everything and appends; the code of the error if one comes. */
async function use(folder: string): Promise<ErrorCode | undefined> {
  try {
    await using log = await openIn(folder);
    for (const source of log.sources()) {
      for (let seq = 0; ;) {
        const groups = log.read({ source, afterSeq: seq, maxBytes: 1e6 });
        if (groups.length === 0) break;
        seq += groups.length;
      }
    }
    await log.append(insertBatch('a', 'orders', [1]), context, signal);
    return undefined;
  } catch (error) {
    assert(isMillraceError(error), String(error));
    return error.code;
  }
}

async function makeLog(folder: string): Promise<void> {
  await using log = await openIn(folder);
  for (let i = 0; i < 5; i++) await log.append(insertBatch('a', 'orders', ids), context, signal);
}

test('a file whose begin is overwritten, or that never was a log, is called damaged', async (t) => {
  const folder = temporaryFolder(t);
  await makeLog(folder);
  const file = openSync(join(folder, 'log.sqlite'), 'r+');
  writeSync(file, 'not a database at all', 0);
  closeSync(file);
  assert.equal(await use(folder), 'LOG_CORRUPT');

  const other = temporaryFolder(t);
  const db = new DatabaseSync(join(other, 'log.sqlite'));
  db.exec('CREATE TABLE notes (text)');
  db.close();
  assert.equal(await use(other), 'LOG_CORRUPT');
});

test('a byte overwritten anywhere in the groups is noticed when they are read', async (t) => {
  const folder = temporaryFolder(t);
  await makeLog(folder);
  const whole = readFileSync(join(folder, 'log.sqlite'));
  const needle = Buffer.from('row 3999');
  const at = whole.indexOf(needle);
  assert(at > 0);
  const damaged = Buffer.from(whole);
  damaged[at] = 'R'.charCodeAt(0);
  writeFileSync(join(folder, 'log.sqlite'), damaged);
  assert.equal(await use(folder), 'LOG_CORRUPT');
});

test('pages overwritten with noise give LOG_CORRUPT or do no harm, and never wrong rows', async (t) => {
  const folder = temporaryFolder(t);
  await makeLog(folder);
  const whole = readFileSync(join(folder, 'log.sqlite'));
  const noise = Buffer.alloc(16 * 1024, 0x5a);
  let refused = 0;
  for (let page = 1; page < whole.length / noise.length; page++) {
    const damaged = Buffer.from(whole);
    noise.copy(damaged, page * noise.length);
    writeFileSync(join(folder, 'log.sqlite'), damaged);
    rmSync(join(folder, 'log.sqlite-wal'), { force: true });
    rmSync(join(folder, 'log.sqlite-shm'), { force: true });
    const code = await use(folder);
    assert(code === undefined || code === 'LOG_CORRUPT', code);
    if (code !== undefined) refused++;
  }
  // all pages of groups, at least
  assert(refused > 30, `${refused} refused`);
});

test('a log of another format version is refused as that', async (t) => {
  const folder = temporaryFolder(t);
  await makeLog(folder);
  const db = new DatabaseSync(join(folder, 'log.sqlite'));
  db.exec('PRAGMA user_version = 99');
  db.close();
  assert.equal(await use(folder), 'DATA_VERSION');
});

test('a folder that cannot be made is named', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'file'), '');
  assert.equal(await use(join(folder, 'file', 'log')), 'LOG_IO');
});

test('a file at its largest size gives DISK_FULL, keeps what it has, and goes on when there is room again', async (t) => {
  const database = openLogDatabase(temporaryFolder(t));
  await using log = new SqliteLog(database, { ...unlimited, folder: '' });
  await log.append(insertBatch('a', 'orders', ids), context, signal);
  database.exec('PRAGMA max_page_count = 40');
  const appendMany = async (): Promise<void> => {
    for (;;) await log.append(insertBatch('a', 'orders', ids), context, signal);
  };
  await assert.rejects(appendMany(), (error) => isMillraceError(error, 'DISK_FULL') && error.retriable);
  const last = log.range('a')?.last ?? 0;
  assert(last >= 1);
  assert.equal(log.read({ source: 'a', afterSeq: 0, maxBytes: 1e9 }).length, last);
  database.exec('PRAGMA max_page_count = 100000');
  assert.equal(await log.append(insertBatch('a', 'orders', [7]), context, signal), last + 1);
  assert.deepEqual((await log.loadSource(context.connector, signal)).offset, { id: 7 });
});

test('schemas that differ in the words of a statement alone stay apart', async (t) => {
  const folder = temporaryFolder(t);
  const plain = sampleSchema('shop', 'orders');
  const words = { ...plain, columns: plain.columns.map((column) => ({ ...column, written: { type: 'INTEGER UNSIGNED' } })) };
  assert.equal(words.fingerprint, plain.fingerprint);
  const entries = [plain, words].map((schema): Entry => ({
    kind: 'changes',
    batch: sampleBatch(schema, [{ op: 'insert', id: 1, note: 'x' }]),
  }));
  {
    await using log = await openIn(folder);
    await log.append({ group: sampleGroup('a', entries), offset: { pos: 1 }, state: [] }, context, signal);
  }
  await using log = await openIn(folder);
  const read = log.read({ source: 'a', afterSeq: 0, maxBytes: 1e6 }).flatMap((group) => group.entries);
  assert.deepEqual(
    read.map((entry) => entry.kind === 'changes' && entry.batch.schema),
    [plain, words],
  );
});
