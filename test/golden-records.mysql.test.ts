/*
 * From real servers to records: the SQL of recordings of real Debezium connectors is run again, and the records that come
 * of the source's groups are the recorded ones, byte for byte, but for what differs from run to run (times, positions) and
 * the wrong values that src/codec/golden-corrections.ts lists.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createConnection, type Connection } from 'mysql2/promise';
import { silentLogger } from '../src/base/logger.ts';
import type { Flavor } from '../src/cli/private-server.ts';
import { createDebeziumRenderer } from '../src/codec/debezium-renderer.ts';
import { loadCorrected, recordText, type RecordText } from '../src/codec/golden-expected.ts';
import type { GoldenFixture } from '../src/codec/golden-fixture.ts';
import { parseSourceConfig } from '../src/mysql/connector-config.ts';
import { openSourceTask } from '../src/mysql/source-task.ts';
import { sharedServer, withoutServer, type SharedServer } from './servers/shared.ts';

interface Scenario {
  readonly flavor: Flavor;
  readonly name: string;
  /** Topics that are not compared. */
  readonly except?: RegExp;
}

// a DATETIME with DEFAULT 0 is left open until the table's definition has been read anew
const openDefault = /\.streamed$/;
const scenarios: readonly Scenario[] = [
  { flavor: 'mysql', name: 'schemas-disabled' },
  { flavor: 'mysql', name: 'types-numeric' },
  { flavor: 'mysql', name: 'types-text-binary' },
  { flavor: 'mysql', name: 'types-temporal', except: openDefault },
  { flavor: 'mysql', name: 'types-json' },
  { flavor: 'mysql', name: 'types-spatial-vector' },
  { flavor: 'mysql', name: 'operations' },
  { flavor: 'mysql', name: 'modes-binary-hex' },
  { flavor: 'mariadb', name: 'schemas-disabled' },
  { flavor: 'mariadb', name: 'types-temporal', except: openDefault },
  { flavor: 'mariadb', name: 'types-json' },
  { flavor: 'mariadb', name: 'types-uuid' },
  { flavor: 'mariadb', name: 'operations' },
];
const timeoutMs = 60_000;

for (const { flavor, name, except } of scenarios) {
  test(`${name} on ${flavor} gives the recorded records`, { skip: withoutServer(flavor), timeout: timeoutMs }, async () => {
    const server = await sharedServer(flavor);
    const fixture = loadCorrected(`${flavor}-${name}`);
    const rendered = await renderScenario(server, fixture);
    const topics = new Set(fixture.records.map(({ schema }) => schema.topic));
    for (const topic of topics) {
      if (except?.test(topic)) continue;
      const expected = fixture.records
        .filter(({ schema }) => schema.topic === topic)
        .map((record) => comparable(recordText(fixture, record)));
      assert.deepEqual(rendered.get(topic)?.map(comparable), expected, topic);
    }
    assert.deepEqual([...rendered.keys()].toSorted(), [...topics].toSorted());
  });
}

/** Takes a snapshot of what the first part of the SQL made, streams the second part; gives the records by topic. */
async function renderScenario(server: SharedServer, fixture: GoldenFixture): Promise<ReadonlyMap<string, readonly RecordText[]>> {
  const file = join(import.meta.dirname, '../src/codec/fixtures', `${fixture.name}.sql`);
  const [setup = '', stream = ''] = readFileSync(file, 'utf8').split('-- @stream\n');
  const databases = [...setup.matchAll(/CREATE DATABASE `?(\w+)/g)].map(([, database = '']) => database);
  await runSql(server, databases.map((database) => `DROP DATABASE IF EXISTS ${database};\n`).join(''));
  await runSql(server, setup);
  const aborted = new AbortController();
  await using task = await openSourceTask(
    { config: configOf(server, fixture, databases), state: { offset: undefined, state: () => new Map() }, log: silentLogger },
    aborted.signal,
  );
  const renderer = createDebeziumRenderer(fixture.options);
  const topics = new Map<string, RecordText[]>();
  /** Snapshots that read a table again: their rows are no records. */
  const again = new Set<string>();
  let streaming: Promise<void> | undefined;
  const isDone = (): boolean => [...topics].some(([topic, records]) => topic.endsWith('.zz_end') && records.length > 0);
  while (!isDone()) {
    const { group } = await task.poll(aborted.signal);
    for (const entry of group.entries) {
      if (entry.kind === 'snapshotBegin' && !entry.initial) again.add(entry.snapshot);
      if (entry.kind === 'snapshotEnd') streaming ??= runSql(server, stream);
      if (entry.kind === 'chunk' && again.has(entry.snapshot)) continue;
      renderer.render(group, entry, ({ topic, bytes, keyStart, keyEnd, valueStart, valueEnd, headers }) => {
        const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        const records = topics.get(topic) ?? [];
        topics.set(topic, records);
        records.push({
          topic,
          key: keyEnd < 0 ? null : text.toString('utf8', keyStart, keyEnd),
          value: valueEnd < 0 ? null : text.toString('utf8', valueStart, valueEnd),
          headers: headers.map((header) => [header.name, String(header.value === null ? null : Buffer.from(header.value))]),
        });
      });
    }
    await task.commit?.(aborted.signal);
  }
  await streaming;
  await runSql(server, databases.map((database) => `DROP DATABASE ${database};\n`).join(''));
  return topics;
}

function configOf(server: SharedServer, { options }: GoldenFixture, databases: readonly string[]): ReturnType<typeof parseSourceConfig> {
  const { flavor, host, port, user, password } = server;
  return parseSourceConfig({
    name: 'golden',
    config: {
      'connector.class': `io.debezium.connector.${flavor === 'mysql' ? 'mysql.MySqlConnector' : 'mariadb.MariaDbConnector'}`,
      'database.hostname': host,
      'database.port': String(port),
      'database.user': user,
      'database.password': password,
      'database.server.id': String(190_000 + (process.pid % 10_000)),
      'topic.prefix': options.topicPrefix,
      'database.include.list': databases.join(','),
    },
  });
}

/** Runs statements one by one in one session; some are meant to fail. */
async function runSql({ root }: SharedServer, sql: string): Promise<void> {
  const connection: Connection = await createConnection({ uri: root.url, multipleStatements: true });
  try {
    await connection.query("SET time_zone = '+00:00'");
    for (const statement of sql.split(/;\s*\n/)) {
      if (statement.trim() !== '') await connection.query(statement).catch(expectServerError);
    }
  } finally {
    await connection.end();
  }
}

function expectServerError(error: unknown): void {
  assert.ok(error instanceof Error && 'errno' in error && 'sqlState' in error, String(error));
}

/**
 * Without what differs from run to run. Which rows are first and last of a snapshot depends on the order in which its
 * parallel readers come to the tables.
 */
function comparable({ key, value, headers, ...rest }: RecordText): RecordText {
  const text = value
    ?.replaceAll(/"ts_(ms|us|ns)":\d+/g, '"ts_$1":0')
    .replace(/"gtid":"[^"]*"/, '"gtid":""')
    .replace(/"server_id":\d+/, '"server_id":0')
    .replace(/"file":"[^"]*","pos":\d+/, '"file":"","pos":0')
    .replace(/"thread":\d+/, '"thread":0')
    .replace(/"snapshot":"(?:(?:first|last)(?:_in_data_collection)?|true)"/, '"snapshot":"true"');
  return { ...rest, key, value: text ?? null, headers };
}
