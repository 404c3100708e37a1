/*
 * A source whose connector runs transformations stores records in the log; the DuckDB sink takes them, by the names that the
 * transformations gave, whole transactions at a time; `verify` compares what it can and calls no guess equal.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLogger } from '../src/base/logger.ts';
import { defaultReplicaOptions, openDuckDbReplica } from '../src/warehouse/duckdb/replica.ts';
import { freshDatabase, sharedServer, withoutServer } from './servers/shared.ts';

const program = join(import.meta.dirname, '..', 'src', 'cli', 'main.ts');
const timeoutMs = 120_000;

function millrace(args: readonly string[]): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'], timeout: 40_000 });
  const { promise, resolve, reject } = Promise.withResolvers<{
    readonly code: number | null;
    readonly stdout: string;
    readonly stderr: string;
  }>();
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (text) => (stdout += String(text)));
  child.stderr.on('data', (text) => (stderr += String(text)));
  child.on('error', reject);
  child.on('close', (code) => resolve({ code, stdout, stderr }));
  return promise;
}

interface Case {
  readonly source?: Readonly<Record<string, string>>;
  readonly sink?: Readonly<Record<string, string>>;
  /** Regular expression of the topics, and where the table is in the replica. */
  readonly topics: (database: string) => string;
  readonly table: (database: string) => string;
  readonly verdict: 'equal' | 'undecided';
}

const unwrap = {
  transforms: 'unwrap',
  'transforms.unwrap.type': 'io.debezium.transforms.ExtractNewRecordState',
  'transforms.unwrap.delete.tombstone.handling.mode': 'rewrite',
};
const route = {
  transforms: 'route',
  'transforms.route.type': 'org.apache.kafka.connect.transforms.RegexRouter',
  'transforms.route.regex': 'p\\..*\\.(.*)',
  'transforms.route.replacement': 'p.routed.$1_all',
};
const cases: Readonly<Record<string, Case>> = {
  'rows taken out of their envelopes, with the schema-change topic': {
    source: unwrap,
    topics: (database) => `p\\.${database}\\..*`,
    table: (database) => `${database}.account`,
    verdict: 'equal',
  },
  'envelopes under other names': {
    source: route,
    topics: () => 'p\\.routed\\..*',
    table: () => 'routed.account_all',
    verdict: 'undecided',
  },
  'names that the sink gives, outside of the topics that it takes': {
    sink: route,
    topics: (database) => `p\\.${database}\\.account`,
    table: () => 'routed.account_all',
    verdict: 'undecided',
  },
  'rows of which nothing tells the types': {
    source: {
      ...unwrap,
      'include.schema.changes': 'false',
      'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
      'value.converter.schemas.enable': 'false',
    },
    topics: (database) => `p\\.${database}\\..*`,
    table: (database) => `${database}.account`,
    verdict: 'undecided',
  },
};

for (const [name, { source, sink, topics, table, verdict }] of Object.entries(cases)) {
  test(`${name}, mysql`, { skip: withoutServer('mysql'), timeout: timeoutMs }, async () => {
    const server = await sharedServer('mysql');
    await using database = await freshDatabase(server);
    const folder = mkdtempSync(join(tmpdir(), 'millrace-transformed-'));
    try {
      await database.root.query('CREATE TABLE account (id INT PRIMARY KEY, owner VARCHAR(20), cents BIGINT NOT NULL)');
      await database.root.query("INSERT INTO account VALUES (1, 'a', 100), (2, 'b', 200), (3, NULL, 0)");
      const file = join(folder, 'replica.duckdb');
      const connectors = {
        source: {
          'connector.class': 'io.debezium.connector.mysql.MySqlConnector',
          'database.hostname': server.host,
          'database.port': String(server.port),
          'database.user': server.user,
          'database.password': server.password,
          'database.include.list': database.name,
          'topic.prefix': 'p',
          ...source,
        },
        sink: {
          'connector.class': 'io.millrace.DuckDbSinkConnector',
          'topics.regex': topics(database.name),
          'duckdb.file': file,
          ...sink,
        },
      };
      const files = Object.entries(connectors).map(([each, config]) => {
        const path = join(folder, `${each}.json`);
        writeFileSync(path, JSON.stringify({ name: each, config }));
        return path;
      });
      const data = join(folder, 'data');
      const run = async (): Promise<void> => {
        const { code, stderr } = await millrace(['run', ...files, '--data', data, '--until-caught-up', '--log-level', 'warn']);
        assert.equal(code, 0, stderr);
      };
      const query = async (sql: string): Promise<unknown> => {
        const { signal } = new AbortController();
        await using replica = await openDuckDbReplica({ ...defaultReplicaOptions, file }, silentLogger, signal);
        return (await replica.query(sql, { maxRows: 100 }, signal)).rows;
      };
      const [schema = '', plain = ''] = table(database.name).split('.');
      const rows = (): Promise<unknown> => query(`SELECT id, owner, cents FROM "${schema}"."${plain}" ORDER BY id`);
      await run();
      assert.deepEqual(await rows(), [
        ['1', 'a', '100'],
        ['2', 'b', '200'],
        ['3', null, '0'],
      ]);
      await database.root.query(
        'BEGIN; UPDATE account SET cents = cents - 50 WHERE id = 1; UPDATE account SET cents = cents + 50 WHERE id = 2; COMMIT',
      );
      await database.root.query(
        "DELETE FROM account WHERE id = 3; INSERT INTO account VALUES (9223, 'ü', 9007199254740993); UPDATE account SET id = 4 WHERE id = 2",
      );
      await run();
      assert.deepEqual(await rows(), [
        ['1', 'a', '50'],
        ['4', 'b', '250'],
        ['9223', 'ü', '9007199254740993'],
      ]);
      const tables = await query(
        `SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema IN ('${schema}', '${database.name}')`,
      );
      assert.deepEqual(tables, [[schema, plain]]);
      const verify = await millrace(['verify', ...files, '--data', data]);
      assert.equal(verify.code, verdict === 'equal' ? 0 : 2, verify.stdout + verify.stderr);
      assert.match(verify.stdout, new RegExp(`^${verdict} +${table(database.name).replace('.', '\\.')}`, 'm'));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}
