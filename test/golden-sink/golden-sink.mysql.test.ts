/*
 * Sinks read topics that a real Debezium wrote: the recorded events of every scenario, with its schema-change topic, with its
 * schema history, or with nothing but the schemas in the records, go through decoder and sink into DuckDB. The tables must be those
 * that the scenario's SQL makes on a real server, read out by the server's own text of each value, but for what excuses.ts
 * lists with its reason.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sharedServer, withoutServer } from '../servers/shared.ts';
import { compareTables, type TableDifference } from './compare-tables.ts';
import { excuses, excusing, type Excuse } from './excuses.ts';
import { loadRecordedFiles, type RecordedFiles } from './recorded-files.ts';
import { feedReplica, recordsOf, type Knowledge } from './sink-under-test.ts';
import { runSql } from './source-of-scenario.ts';

/** Records of these are no rows of one table: transformations have put rows with and without keys into one topic. */
const mixed = new Set(['smt-chain', 'smt-logical-table']);
const long = process.env['MILLRACE_LONG'] === '1';
const timeoutMs = 600_000;

for (const flavor of ['mysql', 'mariadb'] as const) {
  test(`recorded topics make the tables of their SQL, ${flavor}`, { skip: withoutServer(flavor), timeout: timeoutMs }, async () => {
    const server = await sharedServer(flavor);
    const used = new Set<Excuse>();
    const wrong: string[] = [];
    for (const [index, files] of loadRecordedFiles(flavor).entries()) {
      await using _sql = await runSql(files, server);
      // the history makes the same tables: every fourth scenario shows it, in small groups, each by a decoder that begins with notes
      const ways: readonly Knowledge[] = long || index % 4 === 0 ? ['topic', 'history', 'described'] : ['topic'];
      for (const how of ways) {
        if (how === 'described' && files.withoutSchemas) continue;
        await using fed = await feedReplica(recordsOf(files, how), {
          flavor,
          source: files.connector['topic.prefix'] ?? '',
          properties: files.connector,
          ...(how === 'history' ? { groupRecords: 7 } : {}),
        });
        assert.deepEqual(fed.resyncs, [], files.name);
        if (!mixed.has(files.name) && how !== 'described') assert.deepEqual(fed.rejected, [], files.name);
        for (const difference of await compareTables(fed.replica, server, files.databases)) {
          const excuse = excusing(files, how, difference);
          if (excuse === undefined) wrong.push(describe(files, how, difference));
          else used.add(excuse);
        }
      }
    }
    assert.deepEqual(wrong, []);
    const unused = excuses.filter((excuse) => (excuse.flavor ?? flavor) === flavor && excuse.flavor === flavor && !used.has(excuse));
    assert.deepEqual(
      unused.map(({ why }) => why),
      [],
      'excuses that nothing needs',
    );
  });
}

function describe({ name }: RecordedFiles, how: Knowledge, { table, kind, column, source, replica }: TableDifference): string {
  return `${name} (${how}): ${table}${column === undefined ? '' : `.${column}`} ${kind}: ${source ?? 'NULL'} | ${replica ?? 'NULL'}`;
}
