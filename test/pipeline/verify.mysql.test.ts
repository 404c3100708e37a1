/** What `verify` says of differences that were made from outside, of equal tables under load, and of what it cannot tell. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import { sleep } from '../../src/base/abort.ts';
import { flavors } from '../../src/cli/private-server.ts';
import type { ReplicasReport, ReplicaVerdict } from '../../src/cli/verify-replicas.ts';
import { freshDatabase, sharedServer, withoutServer, type FreshDatabase } from '../servers/shared.ts';
import { openPipeline, sourceConnector, until, type Pipeline } from './harness.ts';
import { namedDifferences } from './named-differences.ts';
import { createTables, openWorkload, runSeed } from './random-workload.ts';

/** A column, the value that all rows have, and the SQL by which the replica gets another one. */
const kinds: readonly (readonly [type: string, value: string, planted: string])[] = [
  ['TINYINT', '1', '2'],
  ['BIGINT UNSIGNED', '18446744073709551615', '18446744073709551614'],
  ['BIT(1)', "b'1'", 'false'],
  ['BIT(20)', "b'101'", '4'],
  ['FLOAT', '1.5', '1.5000001'],
  ['DOUBLE', '0.1', '0.10000000000000002'],
  ['DECIMAL(20,4)', '-1.0001', '-1.0002'],
  ['DECIMAL(50,1)', '5.5', "'5.6'"],
  ['YEAR', '2024', '2025'],
  ['DATE', "'2024-02-29'", "DATE '2024-03-01'"],
  ['DATETIME(6)', "'2024-01-01 00:00:00.000001'", "TIMESTAMP '2024-01-01 00:00:00.000002'"],
  ['TIMESTAMP(3) NULL', "'2024-01-01 00:00:00.5'", "TIMESTAMPTZ '2024-01-01 00:00:00.501+00'"],
  ['TIME(1)', "'-00:00:00.1'", "INTERVAL '100 milliseconds'"],
  ['VARCHAR(20)', "'Größe'", "'größe'"],
  ['CHAR(5)', "'a'", "'a '"],
  ['TEXT', "''", 'NULL'],
  ["ENUM('a','b')", "'a'", "'b'"],
  ["SET('a','b')", "'a,b'", "'a'"],
  ['VARBINARY(5)', "X'00'", "'\\x01'::BLOB"],
  ['BLOB', "X'00FF'", "'\\x00'::BLOB"],
  ['JSON', `'{"a": 1}'`, `'{"a": 2}'`],
  ['GEOMETRY', "ST_GeomFromText('POINT(1 2)')", "'\\x01'::BLOB"],
];

/** Opens the replica's file as another program would; the worker must not run. */
async function plant(pipeline: Pipeline, statements: readonly string[], changed = 1): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:');
  try {
    const connection = await instance.connect();
    await connection.run(`ATTACH '${pipeline.duckdbFile}' AS replica; USE replica`);
    for (const sql of statements) {
      const { rowsChanged } = await connection.run(sql);
      assert.equal(rowsChanged, changed, sql);
    }
    connection.closeSync();
  } finally {
    instance.closeSync();
  }
}

function verdictOf({ tables }: ReplicasReport, database: FreshDatabase, table: string): ReplicaVerdict {
  const found = tables.find((each) => each.table === `${database.name}.${table}`);
  assert.ok(found, `no verdict of ${table}`);
  return found;
}

for (const flavor of flavors) {
  const skip = withoutServer(flavor);

  test(`verify names planted differences, each by its key and column, on ${flavor}`, { skip }, async () => {
    const server = await sharedServer(flavor);
    await using database = await freshDatabase(server);
    const { root, name } = database;
    await root.query(
      `SET NAMES utf8mb4, time_zone = '+00:00';
       CREATE TABLE kinds (id INT PRIMARY KEY, ${kinds.map(([type], i) => `c${i} ${type}`).join(', ')}) CHARACTER SET utf8mb4;
       CREATE TABLE keyed (a INT, b VARCHAR(10), v INT, PRIMARY KEY (a, b)) CHARACTER SET utf8mb4;
       CREATE TABLE keyless (a INT, b VARCHAR(10)) CHARACTER SET utf8mb4;
       CREATE TABLE same (id INT PRIMARY KEY)`,
    );
    for (const id of kinds.keys()) await root.query(`INSERT INTO kinds VALUES (${id}, ${kinds.map(([, value]) => value).join(', ')})`);
    // More than the rows of one bucket of checksums.
    await root.query(`INSERT INTO keyed VALUES ${Array.from({ length: 3000 }, (_, i) => `(${i % 100}, 'k${i}', ${i})`).join(',')}`);
    await root.query("INSERT INTO keyless VALUES (1, 'one'), (1, 'one'), (2, NULL), (3, 'three')");
    await root.query('INSERT INTO same VALUES (1), (2)');
    await using pipeline = await openPipeline({ server, databases: [name] });
    const worker = await pipeline.start();
    await pipeline.caughtUp(root);
    const before = await pipeline.millrace('verify', '--json');
    assert.equal(before.code, 0, before.stdout + before.stderr);
    assert.equal((await worker.stop()).code, 0);
    await plant(pipeline, [
      ...kinds.map(([, , planted], i) => `UPDATE ${name}.kinds SET c${i} = ${planted} WHERE id = ${i}`),
      `DELETE FROM ${name}.keyed WHERE b = 'k1234'`,
      `INSERT INTO ${name}.keyed VALUES (100, 'new', 0)`,
      `INSERT INTO ${name}.keyed FROM ${name}.keyed WHERE b = 'k77'`,
      `UPDATE ${name}.keyed SET v = NULL WHERE b = 'k5'`,
      `INSERT INTO ${name}.keyless VALUES (1, 'one')`,
      `DELETE FROM ${name}.keyless WHERE a = 2`,
      `INSERT INTO ${name}.keyless VALUES (4, NULL)`,
    ]);
    await pipeline.start();
    await pipeline.caughtUp(root);
    const told = await pipeline.millrace('verify', '--json', '--max-differences', '100');
    assert.equal(told.code, 1, told.stderr);
    const report = JSON.parse(told.stdout) as ReplicasReport;
    assert.deepEqual(namedDifferences(verdictOf(report, database, 'kinds')), kinds.map((_, i) => `different id=${i} c${i}`).toSorted());
    assert.deepEqual(namedDifferences(verdictOf(report, database, 'keyed')), [
      'different a=5 b=k5 v',
      'extra a=100 b=new',
      'extra a=77 b=k77',
      'missing a=34 b=k1234',
    ]);
    assert.deepEqual(namedDifferences(verdictOf(report, database, 'keyless')), [
      'extra a=1 b=one',
      'extra a=4 b=NULL',
      'missing a=2 b=NULL',
    ]);
    const same = verdictOf(report, database, 'same');
    assert.deepEqual([same.equal, same.rows, same.differences], [true, 2, []]);
    assert.ok(report.position !== undefined && same.position !== undefined);

    // The form for people names them, too; one equal table alone is equal; a table that is not there cannot be told.
    const people = await pipeline.millrace('verify', '--table', `${name}.keyed`);
    assert.equal(people.code, 1);
    assert.match(people.stdout, /a=34, b=k1234: not in the replica/);
    assert.match(people.stdout, /a=5, b=k5: v is 5, in the replica NULL/);
    assert.equal((await pipeline.millrace('verify', '--table', `${name}.same`)).code, 0);
    const lost = await pipeline.millrace('verify', '--table', `${name}.not_there`);
    assert.equal(lost.code, 2);
    assert.match(lost.stderr, /error VERIFY_UNDECIDED: .*not_there/);
    // resync repairs what was planted.
    assert.equal((await pipeline.millrace('resync', `${name}.kinds`, `${name}.keyed`, `${name}.keyless`)).code, 0);
    await until('the resync has repaired it', async () => (await pipeline.verify()).tables.every((table) => table.equal), {
      intervalMs: 200,
    });
  });

  test(`under write load verify finds both sides equal, each table alone or all at one position, on ${flavor}`, { skip }, async (t) => {
    const server = await sharedServer(flavor);
    await using database = await freshDatabase(server);
    await createTables(database.root);
    await using pipeline = await openPipeline({ server, databases: [database.name] });
    await pipeline.start();
    await pipeline.caughtUp(database.root);
    const seed = runSeed();
    t.diagnostic(`MILLRACE_SEED=${seed}`);
    await using workload = await openWorkload({ url: server.root.url, database: database.name, seed, ddlShare: 0, pauseMs: 3 });
    workload.start();
    const positions = new Set<string>();
    for (let i = 0; i < 6; i++) {
      const { tables, position } = await pipeline.assertEqual({ onePosition: i % 2 === 1 });
      assert.equal(tables.length, 3);
      if (i % 2 === 1) assert.ok(tables.every((table) => table.position?.pos === position?.pos));
      for (const table of tables) positions.add(`${table.position?.file}:${table.position?.pos}`);
    }
    assert.ok(positions.size > 6, `the load stood still: ${[...positions].join()}`);
    await workload.stop();
  });

  test(`a table that is altered all the time is equal or undecided, never different, on ${flavor}`, { skip }, async () => {
    const server = await sharedServer(flavor);
    await using database = await freshDatabase(server);
    const { root, name } = database;
    await root.query('CREATE TABLE t (id INT PRIMARY KEY, v INT); INSERT INTO t VALUES (1, 1), (2, 2)');
    await using pipeline = await openPipeline({ server, databases: [name] });
    const worker = await pipeline.start();
    await pipeline.caughtUp(root);
    const stop = new AbortController();
    const altering = (async () => {
      for (let i = 0; !stop.signal.aborted; i++) {
        await root.query(i % 2 === 0 ? 'ALTER TABLE t ADD COLUMN w INT DEFAULT 5' : 'ALTER TABLE t DROP COLUMN w');
        await sleep(30, stop.signal).catch(() => undefined);
      }
    })();
    const seen: ReplicaVerdict[] = [];
    for (let i = 0; i < 3; i++) seen.push(...(await pipeline.verify({ tables: [`${name}.t`], onePosition: i % 2 === 1 })).tables);
    stop.abort();
    await altering;
    assert.deepEqual(
      seen.filter((verdict) => !verdict.equal && (verdict.differenceCount > 0 || verdict.undecided === undefined)),
      [],
    );
    for (const { equal, undecided } of seen) if (!equal) assert.match(undecided ?? '', /ALTER TABLE|altered/);
    await pipeline.caughtUp(root);
    await pipeline.becomesEqual();
    // What stays is a difference.
    await root.query('ALTER TABLE t ADD COLUMN x INT');
    await pipeline.caughtUp(root);
    assert.equal((await worker.stop()).code, 0);
    await plant(pipeline, [`ALTER TABLE ${name}.t DROP COLUMN x`], 0);
    await pipeline.start();
    const lost = verdictOf(await pipeline.verify(), database, 't');
    assert.deepEqual([lost.equal, lost.undecided, lost.differenceCount], [false, 'the replica has no column x', 1]);
  });

  test(`verify works from the connector files when no worker runs, and says when it cannot tell, on ${flavor}`, { skip }, async () => {
    const server = await sharedServer(flavor);
    await using database = await freshDatabase(server);
    await database.root.query('CREATE TABLE t (id INT PRIMARY KEY, v INT); INSERT INTO t VALUES (1, 1)');
    await using pipeline = await openPipeline({ server, databases: [database.name] });
    const worker = await pipeline.start();
    await pipeline.caughtUp(database.root);
    await worker.stop();
    await database.root.query('INSERT INTO t VALUES (2, 2); UPDATE t SET v = 3 WHERE id = 1');
    const alone = await pipeline.millrace('verify', ...pipeline.files, '--json');
    assert.equal(alone.code, 0, alone.stdout + alone.stderr);
    assert.equal((JSON.parse(alone.stdout) as ReplicasReport).tables[0]?.rows, 2);
    const nobody = await pipeline.millrace('verify');
    assert.equal(nobody.code, 2);
    assert.match(nobody.stderr, /error WORKER_NOT_RUNNING/);
    assert.match(nobody.stderr, /next: /);
  });

  test(`what a connector leaves out on purpose is named, never different or equal, on ${flavor}`, { skip }, async () => {
    const server = await sharedServer(flavor);
    await using database = await freshDatabase(server);
    const { root, name } = database;
    await root.query(
      `CREATE TABLE part (id INT PRIMARY KEY, v INT); INSERT INTO part VALUES (1, 1), (2, 2), (3, 3);
       CREATE TABLE left_out (id INT PRIMARY KEY); INSERT INTO left_out VALUES (1), (2);
       CREATE TABLE whole (id INT PRIMARY KEY, hidden INT); INSERT INTO whole VALUES (1, 1);
       CREATE TABLE all_taken (id INT PRIMARY KEY); INSERT INTO all_taken VALUES (1)`,
    );
    const source = {
      'column.exclude.list': `${name}\\.whole\\.hidden`,
      'snapshot.include.collection.list': `${name}\\.(part|whole|all_taken)`,
      'snapshot.select.statement.overrides': `${name}.part,${name}.all_taken`,
      [`snapshot.select.statement.overrides.${name}.part`]: `SELECT * FROM ${name}.part WHERE id > 2`,
      [`snapshot.select.statement.overrides.${name}.all_taken`]: `SELECT * FROM ${name}.all_taken`,
    };
    await using pipeline = await openPipeline({ server, databases: [name], source });
    const worker = await pipeline.start();
    await pipeline.caughtUp(root);
    await root.query('INSERT INTO part VALUES (4, 4); INSERT INTO left_out VALUES (3)');
    await pipeline.caughtUp(root);
    const report = await pipeline.verify();
    const judged = report.tables.map(({ table, equal, differenceCount, undecided }) => [table, { equal, differenceCount, undecided }]);
    const equal = { equal: true, differenceCount: 0, undecided: undefined };
    const explained = (undecided: string): object => ({ equal: false, differenceCount: 0, undecided });
    assert.deepEqual(Object.fromEntries(judged), {
      [`${name}.all_taken`]: equal,
      [`${name}.left_out`]: explained('2 rows missing: snapshot.include.collection.list leaves the table out'),
      [`${name}.part`]: explained('2 rows missing: snapshot.select.statement.overrides says what is copied of the table'),
      [`${name}.whole`]: equal,
    });
    assert.equal((await pipeline.millrace('verify')).code, 2);
    // A column that is nowhere in the replica, though it is captured, and a row that no list explains.
    assert.equal((await worker.stop()).code, 0);
    await plant(pipeline, [`INSERT INTO ${name}.left_out VALUES (77)`]);
    await pipeline.configure(sourceConnector({ server, databases: [name], source: { ...source, 'column.exclude.list': '' } }, pipeline));
    await pipeline.start();
    await pipeline.caughtUp(root);
    const later = await pipeline.verify();
    assert.equal(verdictOf(later, database, 'whole').undecided, 'the replica has no column hidden');
    assert.deepEqual(namedDifferences(verdictOf(later, database, 'left_out')), ['extra id=77', 'missing id=1', 'missing id=2']);
  });

  test(`of rows that go through transformations the columns that can be are compared, on ${flavor}`, { skip }, async () => {
    const server = await sharedServer(flavor);
    await using database = await freshDatabase(server);
    const { root, name } = database;
    await root.query("CREATE TABLE t (id INT PRIMARY KEY, v INT, secret VARCHAR(9)); INSERT INTO t VALUES (1, 1, 'a'), (2, 2, 'b')");
    const transforms = {
      transforms: 'unwrap,drop,add',
      'transforms.unwrap.type': 'io.debezium.transforms.ExtractNewRecordState',
      'transforms.drop.type': 'org.apache.kafka.connect.transforms.ReplaceField$Value',
      'transforms.drop.exclude': 'secret',
      'transforms.add.type': 'org.apache.kafka.connect.transforms.InsertField$Value',
      'transforms.add.static.field': 'origin',
      'transforms.add.static.value': 'here',
    };
    await using pipeline = await openPipeline({ server, databases: [name], sink: transforms });
    const worker = await pipeline.start();
    await pipeline.caughtUp(root);
    const first = verdictOf(await pipeline.verify(), database, 't');
    assert.deepEqual([first.equal, first.rows, first.notCompared?.toSorted()], [true, 2, ['origin', 'secret']]);
    const people = await pipeline.millrace('verify');
    assert.match(people.stdout, /not compared, since masks or transformations change them: .*secret/);
    assert.equal((await worker.stop()).code, 0);
    await plant(pipeline, [`UPDATE ${name}.t SET v = 3 WHERE id = 1`]);
    await pipeline.start();
    const second = verdictOf(await pipeline.verify(), database, 't');
    assert.deepEqual([second.equal, second.differenceCount], [false, 0]);
    assert.equal(second.undecided, '1 row different: its rows go through transformations of sink, which may change them');
  });
}
