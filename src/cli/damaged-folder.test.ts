/** A worker on a folder, or a replica, that something has damaged. */
import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { never, openTestHost } from './connect-host.fixture.ts';

function duckdbSink(file: string): Readonly<Record<string, string>> {
  return { 'connector.class': 'io.millrace.DuckDbSinkConnector', 'topics.regex': 'p\\..*', 'duckdb.file': file };
}

test('a sink whose replica is damaged fails, verify cannot tell of it, and it begins anew with another file', async () => {
  await using host = await openTestHost();
  const file = join(host.folder, 'replica.duckdb');
  writeFileSync(file, Buffer.alloc(5000, 0xa5));
  await host.service.create({ name: 'duck', config: duckdbSink(file) }, never);
  await host.settles('duck', 'RUNNING/FAILED');
  assert.match(host.service.taskStatus('duck', 0).trace ?? '', /The replica's file is damaged, or no replica/);
  const { tables } = await host.verify();
  assert.deepEqual(
    tables.map(({ sink, equal, undecided }) => [sink, equal, undecided]),
    [['duck', false, 'duck is FAILED: its replica is not open']],
  );
  rmSync(file);
  await host.service.restart('duck', { includeTasks: true, onlyFailed: true });
  await host.settles('duck', 'RUNNING/RUNNING');
});

test('a log that is empty in a folder that has fed replicas is told of', async () => {
  await using host = await openTestHost();
  const said = (): string => readFileSync(join(host.folder, 'worker.log'), 'utf8');
  const warning = /the log is empty, though the folder has fed replicas.*replica\.duckdb/;
  await host.service.create({ name: 'duck', config: duckdbSink(join(host.folder, 'replica.duckdb')) }, never);
  await host.settles('duck', 'RUNNING/RUNNING');
  await host.restart();
  assert.doesNotMatch(said(), warning);
  await host.restart(() => rmSync(join(host.dataFolder, 'log'), { recursive: true }));
  assert.match(said(), warning);
});
