import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { createConnection } from 'mysql2/promise';
import type { Connection } from 'mysql2/promise';
import { isMillraceError } from '../base/errors.ts';
import { openConnection } from '../binlog/connection.ts';
import type { ConnectionSettings } from '../binlog/connection.ts';
import { flavors, startServer } from '../cli/private-server.ts';
import type { PrivateServer } from '../cli/private-server.ts';
import { withoutServer } from '../../test/servers/shared.ts';
import { readServerPosition } from './server-position.ts';
import { openSnapshot } from './snapshot.ts';
import type { Snapshot, SnapshotOptions } from './snapshot-contract.ts';
import { Replica } from './snapshot-replica.fixture.ts';
import { never, settingsOf } from './snapshot.fixture.ts';
import type { BinlogPlace } from './snapshot-table.ts';

const password = 'secret';

for (const flavor of flavors) {
  describe(`snapshot (${flavor})`, { skip: withoutServer(flavor) }, () => {
    let server: PrivateServer;
    let root: Connection;
    let lockless: ConnectionSettings;

    before(async () => {
      server = await startServer({ flavor });
      root = await createConnection({ uri: server.root.url, multipleStatements: true });
      await root.query(`CREATE USER lockless@'%' IDENTIFIED BY '${password}';
        GRANT SELECT, PROCESS, REPLICATION SLAVE, REPLICATION CLIENT${flavor === 'mysql' ? ', XA_RECOVER_ADMIN' : ''} ON *.* TO lockless@'%'`);
      lockless = settingsOf({ host: server.host, port: server.port, user: 'lockless', password });
    });
    after(async () => {
      await root.end();
      await server[Symbol.asyncDispose]();
    });
    beforeEach(async () => {
      await root.query('DROP DATABASE IF EXISTS s; CREATE DATABASE s CHARACTER SET utf8mb4; USE s');
    });

    const open = (replica: Replica, options: Partial<SnapshotOptions> = {}): Promise<Snapshot> =>
      openSnapshot(
        {
          connector: 'c',
          connection: settingsOf(server),
          threads: 2,
          chunkRows: 400,
          chunkBytes: 32 * 1024,
          lockWaitMs: 2000,
          initial: true,
          state: replica.state,
          readTables: replica.readTables,
          streamPlace: () => (replica.isStreaming ? replica.place : undefined),
          ...options,
        },
        never,
      );

    const serverEnd = async (): Promise<BinlogPlace> => {
      await using connection = await openConnection(settingsOf(server), never);
      return await readServerPosition(connection, never);
    };

    /** Takes all steps up to the end; gives the chunks' sizes. */
    async function takeAll(snapshot: Snapshot, replica: Replica): Promise<number[]> {
      const chunks: number[] = [];
      for (;;) {
        const step = await snapshot.next(never);
        replica.takeStep(step);
        if (step.kind === 'chunk') chunks.push(step.batch.count);
        if (step.kind === 'end') return chunks;
      }
    }

    /** Streams to the server's end; the filter ends when the snapshot's end is passed. */
    async function catchUp(replica: Replica, snapshot: Snapshot): Promise<void> {
      for (;;) {
        if (snapshot.end === undefined) await takeAll(snapshot, replica);
        assert.ok(snapshot.end !== undefined);
        const { end } = snapshot;
        await replica.streamTo(end, snapshot);
        // A statement that came between two views of a table asks for reading it anew.
        if (snapshot.end === end) break;
      }
      replica.store(snapshot.finish());
      assert.equal(replica.state.size, 0, 'nothing is left of the snapshot');
      await replica.streamTo(await serverEnd(), undefined);
    }

    async function createTables(rows: number): Promise<void> {
      await root.query(`CREATE TABLE a (id INT PRIMARY KEY, v BIGINT, note VARCHAR(100));
        CREATE TABLE b (day DATETIME(3), code VARBINARY(8), v DECIMAL(20,4), PRIMARY KEY (code, day));
        CREATE TABLE n (id DECIMAL(20,4) PRIMARY KEY, v INT);
        CREATE TABLE k (name VARCHAR(40) COLLATE utf8mb4_general_ci PRIMARY KEY, v INT);
        CREATE TABLE keyless (v INT, t TIMESTAMP(3) NULL)`);
      const sequence = Array.from({ length: rows }, (_, i) => i - Math.floor(rows / 2));
      for (let at = 0; at < rows; at += 2000) {
        const part = sequence.slice(at, at + 2000);
        await root.query(`INSERT INTO a VALUES ${part.map((i) => `(${i * 3}, ${i}, 'note ${i}')`).join(', ')}`);
        await root.query(
          `INSERT INTO b VALUES ${part.map((i) => `('2024-01-01' + INTERVAL ${i * 1000} MINUTE, x'${(i & 255).toString(16).padStart(2, '0')}ff', ${i / 3})`).join(', ')}`,
        );
        await root.query(`INSERT INTO n VALUES ${part.map((i) => `(${i}.5, ${i})`).join(', ')}`);
        await root.query(`INSERT INTO k VALUES ${part.map((i) => `('${i % 2 === 0 ? 'Ä' : 'z'}${i}', ${i})`).join(', ')}`);
        await root.query(
          `INSERT INTO keyless VALUES ${part.map((i) => `(${i % 100}, IF(${i} % 7, '2024-05-06 07:08:09.123', NULL))`).join(', ')}`,
        );
      }
      await root.query('ANALYZE TABLE a, b, n, k, keyless');
    }

    /** Writes to all tables from some connections, moving keys too, until stopped. */
    function load(writers: number): AsyncDisposable & { stop(): Promise<number> } {
      let on = true;
      const running = Array.from({ length: writers }, async () => {
        const connection = await createConnection({ uri: `${server.root.url}/s` });
        const random = (below: number): number => Math.floor(Math.random() * below);
        let count = 0;
        while (on) {
          const key = random(6000) - 3000;
          const statements = [
            `INSERT IGNORE INTO a VALUES (${key}, ${count}, REPEAT('x', ${random(90)}))`,
            `UPDATE IGNORE a SET id = ${random(6000) - 3000}, v = v + 1 WHERE id >= ${key} LIMIT 1`,
            `DELETE FROM a WHERE id = ${key}`,
            `UPDATE IGNORE b SET day = day + INTERVAL ${random(100)} SECOND, code = x'${random(256).toString(16).padStart(2, '0')}' WHERE code = x'${random(256).toString(16).padStart(2, '0')}ff' LIMIT 1`,
            `UPDATE IGNORE n SET id = id + ${random(50)} WHERE id = ${key}.5`,
            `UPDATE k SET v = v + 1 WHERE name = 'z${key}'`,
            `INSERT INTO keyless VALUES (${random(100)}, NULL)`,
            `DELETE FROM keyless WHERE v = ${random(100)} LIMIT 1`,
          ];
          await connection.beginTransaction();
          for (let i = 0; i <= random(4); i++) await connection.query(statements[random(statements.length)] ?? 'DO 0').catch(() => {});
          await connection.commit().catch(() => {});
          count++;
        }
        await connection.end();
        return count;
      });
      const stop = async (): Promise<number> => {
        on = false;
        return (await Promise.all(running)).reduce((sum, count) => sum + count, 0);
      };
      return {
        stop,
        async [Symbol.asyncDispose]() {
          await stop();
        },
      };
    }

    for (const method of ['lockFree', 'lock'] as const) {
      test(`chunks and kept changes equal the source under write load (${method})`, async () => {
        await createTables(4000);
        await using writers = load(3);
        const replica = new Replica(settingsOf(server), 's');
        await using snapshot = await open(replica, method === 'lock' ? { method } : { connection: lockless });
        const chunks = await takeAll(snapshot, replica);
        assert.ok(chunks.length > 20, `${chunks.length} chunks`);
        await new Promise((resolve) => setTimeout(resolve, 200));
        assert.ok((await writers.stop()) > 50);
        await catchUp(replica, snapshot);
        await replica.assertEqual();
        assert.ok(replica.kept > 0);
        await replica.close();
      });
    }

    test('an aborted snapshot goes on with the missing chunks only, under write load', async () => {
      await createTables(3000);
      await using writers = load(2);
      const replica = new Replica(settingsOf(server), 's');
      const places = new Set<string>();
      let begun = 0;
      for (let attempt = 0; ; attempt++) {
        await using snapshot = await open(replica);
        let left = 6;
        while (left-- > 0 && snapshot.end === undefined) {
          const step = await snapshot.next(never);
          replica.takeStep(step);
          if (step.kind === 'begin') begun++;
          if (step.kind === 'chunk') places.add(`${step.position.file}:${step.position.pos}`);
        }
        if (snapshot.end === undefined) continue;
        assert.ok(attempt > 3, `${attempt} restarts`);
        await writers.stop();
        await catchUp(replica, snapshot);
        break;
      }
      await replica.assertEqual();
      assert.equal(begun, 1);
      assert.ok(places.size > 3, `${places.size} views`);
      await replica.close();
    });

    test('tables are read anew beside a running stream', async () => {
      await createTables(3000);
      const replica = new Replica(settingsOf(server), 's');
      await using writers = load(2);
      replica.place = await serverEnd();
      await using snapshot = await open(replica, { initial: false, streamPlace: () => replica.place });
      const deadline = Date.now() + 60_000;
      let pending: Promise<void> | undefined;
      let steps = 0;
      let truncation: Promise<unknown> | undefined;
      while (snapshot.end === undefined) {
        assert.ok(Date.now() < deadline, 'it comes to an end');
        pending ??= snapshot.next(never).then((step) => {
          replica.takeStep(step);
          steps++;
          pending = undefined;
        });
        await Promise.race([pending, new Promise((resolve) => setTimeout(resolve, 2))]);
        await replica.streamTo(await serverEnd(), snapshot);
        if (steps === 10) {
          steps++;
          // Not waited for here: it may wait for a query that waits for us.
          truncation = root.query("TRUNCATE TABLE a; INSERT IGNORE INTO a VALUES (1, 1, 'after'), (5000, 2, 'after')");
        }
      }
      await truncation;
      await new Promise((resolve) => setTimeout(resolve, 300));
      await writers.stop();
      if (snapshot.end === undefined) await takeAll(snapshot, replica);
      await catchUp(replica, snapshot);
      await replica.assertEqual();
      assert.ok(replica.kept > 0);
      await replica.close();
    });

    test('a table that is altered while it is read begins anew, one that is dropped leaves', async () => {
      await createTables(3000);
      await root.query('CREATE TABLE z (id INT PRIMARY KEY); INSERT INTO z VALUES (1), (2)');
      const replica = new Replica(settingsOf(server), 's');
      await using snapshot = await open(replica, { threads: 1, roundMs: 50 });
      const kinds: string[] = [];
      let ddl: Promise<unknown> | undefined;
      for (let step = 0; ; step++) {
        const next = await snapshot.next(never);
        replica.takeStep(next);
        kinds.push(next.kind);
        if (step === 1) {
          // The views hold back no DDL between two queries.
          ddl = root.query(
            "ALTER TABLE a ADD COLUMN extra INT DEFAULT 5, ALGORITHM=COPY; INSERT INTO a VALUES (100001, 1, 'n', 6); ALTER TABLE b DROP COLUMN v; DROP TABLE z; TRUNCATE TABLE n",
          );
        }
        if (next.kind === 'end') break;
        // Time for the statements to come between the queries.
        if (step > 0) await new Promise((resolve) => setTimeout(resolve, 30));
      }
      await ddl;
      assert.ok(kinds.includes('tableRestart'), kinds.join(' '));
      assert.ok(kinds.includes('tableDropped'), kinds.join(' '));
      await catchUp(replica, snapshot);
      await replica.assertEqual();
      await replica.close();
    });

    test('a table that is to be read anew is not done, though all of it was read', async () => {
      await root.query('CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1)');
      const replica = new Replica(settingsOf(server), 's');
      await using snapshot = await open(replica);
      await takeAll(snapshot, replica);
      assert.deepEqual(
        snapshot.progress().map(({ done }) => done),
        [true],
      );
      snapshot.tableChanged({ database: 's', table: 't' });
      assert.deepEqual(
        snapshot.progress().map(({ done }) => done),
        [false],
      );
      await takeAll(snapshot, replica);
    });

    test('a server that crashes meanwhile ends the snapshot with a retriable error, and a new one goes on', async () => {
      await createTables(3000);
      const replica = new Replica(settingsOf(server), 's');
      {
        await using first = await open(replica);
        for (let i = 0; i < 8; i++) replica.takeStep(await first.next(never));
        await server.kill9();
        await assert.rejects(
          async () => {
            for (;;) replica.takeStep(await first.next(never));
          },
          (error) => isMillraceError(error, 'MYSQL_UNREACHABLE') && error.retriable,
        );
      }
      await server.restart();
      root.destroy();
      root = await createConnection({ uri: `${server.root.url}/s`, multipleStatements: true });
      await root.query('UPDATE a SET v = v + 1 WHERE id % 2 = 0; DELETE FROM n WHERE v % 3 = 0');
      await using second = await open(replica);
      await takeAll(second, replica);
      await catchUp(replica, second);
      await replica.assertEqual();
      await replica.close();
    });

    test('rows come over TLS too', async () => {
      await createTables(500);
      await root.query("INSERT INTO a SELECT 1000000 + id, v, REPEAT('long', 25) FROM a");
      const replica = new Replica(settingsOf(server), 's');
      await using snapshot = await open(replica, { connection: { ...settingsOf(server), ssl: { mode: 'required' } } });
      await takeAll(snapshot, replica);
      await replica.assertEqual();
      await replica.close();
    });

    const keys: readonly (readonly [string, readonly string[]])[] = [
      ['SMALLINT', ['-32768', '-2', '-1', '0', '1', '255', '256', '32767']],
      ['MEDIUMINT', ['-8388608', '-1', '0', '8388607']],
      ['BIGINT', ['-9223372036854775808', '-4294967297', '-1', '0', '4294967296', '9223372036854775807']],
      ['BIGINT UNSIGNED', ['0', '9223372036854775807', '9223372036854775808', '18446744073709551615']],
      ['DECIMAL(10,3)', ['-9999999.999', '-0.001', '0', '0.001', '10', '9.5']],
      ['DECIMAL(30,5)', ['-1234567890123456789012345.00001', '-1', '0', '99999999999999999999.5']],
      ['DATE', ["'0000-00-00'", "'2023-00-10'", "'2023-02-31'", "'1000-01-01'", "'9999-12-31'"]],
      ['DATETIME(6)', ["'0000-00-00 00:00:00'", "'2024-01-01 00:00:00.000001'", "'2024-01-01'", "'9999-12-31 23:59:59.999999'"]],
      ['TIMESTAMP(3)', ["'0000-00-00 00:00:00'", "'1970-01-01 00:00:01.001'", "'2024-01-01 00:00:00.002'", "'2038-01-19 03:14:07.999'"]],
      ['VARBINARY(10)', ["x''", "x'00'", "x'0000'", "x'61'", "x'6100'", "x'ff'", "x'61ff'", "x'27'", "x'5c'"]],
      ['BINARY(4)', ["x'00'", "x'61'", "x'6161'", "x'ffffffff'"]],
    ];

    test("a table's last row is marked, wherever its chunks end", async () => {
      await root.query('CREATE TABLE keyed (id INT PRIMARY KEY, v CHAR(20)); CREATE TABLE keyless (v CHAR(20))');
      await root.query(`INSERT INTO keyed VALUES ${[1, 2, 3, 4, 5, 6].map((id) => `(${id}, 'v')`).join(', ')}`);
      await root.query("INSERT INTO keyless VALUES ('a'), ('b'), ('c')");
      for (const limits of [{ chunkRows: 3 }, { chunkBytes: 1 }, { chunkRows: 2, chunkBytes: 1 }]) {
        const replica = new Replica(settingsOf(server), 's');
        await using snapshot = await open(replica, { threads: 1, ...limits });
        const marks: (string | number)[][] = [];
        for (let step = await snapshot.next(never); step.kind !== 'end'; step = await snapshot.next(never)) {
          replica.takeStep(step);
          if (step.kind === 'chunk' && step.last !== undefined) {
            marks.push([step.batch.schema.table, step.batch.count > 0 ? step.last : 'no row']);
          }
        }
        assert.deepEqual(
          marks,
          [
            ['keyed', 'table'],
            ['keyless', 'snapshot'],
          ],
          JSON.stringify(limits),
        );
        await replica.assertEqual();
        await replica.close();
      }
    });

    test('chunks of one row meet at keys of every comparable type', async () => {
      await root.query("SET SESSION sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'");
      for (const [i, [type, values]] of keys.entries()) {
        await root.query(`CREATE TABLE k${i} (v INT, id ${type} NOT NULL, PRIMARY KEY (id))`);
        await root.query(`INSERT INTO k${i} VALUES ${values.map((value, v) => `(${v}, ${value})`).join(', ')}`);
        await root.query(`CREATE TABLE c${i} (x ${type} NOT NULL, v INT, y TINYINT NOT NULL, PRIMARY KEY (y, x))`);
        await root.query(
          `INSERT INTO c${i} VALUES ${values.flatMap((value, v) => [`(${value}, ${v}, -1)`, `(${value}, ${v}, 1)`]).join(', ')}`,
        );
      }
      await root.query(
        "CREATE TABLE nothing (id INT PRIMARY KEY); CREATE TABLE one (id INT PRIMARY KEY); INSERT INTO one VALUES (7); CREATE TABLE `we``ird - n'ame` (`sel``ect` INT PRIMARY KEY); INSERT INTO `we``ird - n'ame` VALUES (1), (2)",
      );
      const replica = new Replica(settingsOf(server), 's');
      await using snapshot = await open(replica, { chunkRows: 1 });
      const chunks = await takeAll(snapshot, replica);
      assert.ok(chunks.every((count) => count <= 1));
      await replica.assertEqual();
      assert.deepEqual(
        snapshot.progress().filter(({ done }) => !done),
        [],
      );
      await replica.close();
    });
  });
}
