import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createConnection } from 'mysql2/promise';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { isMillraceError } from '../base/errors.ts';
import { flavors, startServer } from '../cli/private-server.ts';
import type { PrivateServer } from '../cli/private-server.ts';
import { withoutServer } from '../../test/servers/shared.ts';
import { openConsistentViews } from './consistent-view.ts';
import type { ConsistentViewOptions } from './consistent-view.ts';
import { readServerPosition } from './server-position.ts';
import { never, settingsOf } from './snapshot.fixture.ts';

const password = 'secret';

for (const flavor of flavors) {
  describe(`consistent views (${flavor})`, { skip: withoutServer(flavor) }, () => {
    let server: PrivateServer;
    let root: Connection;

    before(async () => {
      server = await startServer({ flavor });
      root = await connectRoot();
      const xa = flavor === 'mysql' ? ', XA_RECOVER_ADMIN' : '';
      await root.query(`CREATE DATABASE d; USE d;
        CREATE TABLE t (id INT PRIMARY KEY, n BIGINT NOT NULL); INSERT INTO t VALUES (1, 0), (2, 0), (3, 0), (4, 0);
        CREATE USER lockless@'%' IDENTIFIED BY '${password}';
        GRANT SELECT, PROCESS, REPLICATION SLAVE, REPLICATION CLIENT${xa} ON *.* TO lockless@'%';
        CREATE USER least@'%' IDENTIFIED BY '${password}'; GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO least@'%';
        CREATE USER blind@'%' IDENTIFIED BY '${password}';
        GRANT SELECT, RELOAD, REPLICATION SLAVE, REPLICATION CLIENT${xa} ON *.* TO blind@'%'`);
    });
    after(async () => {
      await root.end();
      await server[Symbol.asyncDispose]();
    });

    const connectRoot = (): Promise<Connection> => createConnection({ uri: server.root.url, multipleStatements: true });
    const views = (options: Partial<ConsistentViewOptions> = {}): ReturnType<typeof openConsistentViews> =>
      openConsistentViews({ connection: settingsOf(server), count: 2, lockWaitMs: 2000, ...options }, never);
    const asUser = (user: string): ConsistentViewOptions['connection'] =>
      settingsOf({ host: server.host, port: server.port, user, password });

    /** Adds one to a counter per transaction, from several connections, until disposed; gives how many. */
    async function load(writers: number): Promise<{ stop(): Promise<number> }> {
      let on = true;
      const running = Array.from({ length: writers }, async (_, i) => {
        const connection = await createConnection({ uri: `${server.root.url}/d` });
        let count = 0;
        for (; on; count++) await connection.query('UPDATE t SET n = n + 1 WHERE id = ?', [i + 1]);
        await connection.end();
        return count;
      });
      return {
        async stop() {
          on = false;
          return (await Promise.all(running)).reduce((sum, count) => sum + count, 0);
        },
      };
    }

    /** The last number of the only source's GTIDs: how many transactions there are before the position. */
    const transactions = (gtids: string): number => Number(/(\d+)$/.exec(gtids)?.[1]);

    /** Opens views under load, and compares what each shows with what its position says. */
    async function assertExact(options: Partial<ConsistentViewOptions>, rounds: number): Promise<Set<string>[]> {
      const start = await openPosition();
      const [[sums]] = await root.query<RowDataPacket[][]>({
        sql: 'SELECT CAST(SUM(n) AS SIGNED) FROM d.t',
        rowsAsArray: true,
      });
      const base = transactions(start.gtids) - Number(sums?.[0]);
      const writers = await load(4);
      const places: Set<string>[] = [];
      for (let i = 0; i < rounds; i++) {
        const opened = await views(options);
        places.push(new Set(opened.map(({ position }) => `${position.file}:${position.pos}`)));
        for (const view of opened) {
          const rows = await view.connection.query('SELECT SUM(n) FROM d.t', never);
          assert.equal(Number(rows[0]?.[0]), transactions(view.position.gtids) - base, `view ${i} at ${view.position.gtids}`);
          await view[Symbol.asyncDispose]();
        }
      }
      assert.ok((await writers.stop()) > rounds, 'the load ran meanwhile');
      return places;
    }

    async function openPosition(): ReturnType<typeof readServerPosition> {
      const [view] = await views({ count: 1 });
      assert.ok(view !== undefined);
      await using open = view;
      return await readServerPosition(open.connection, never);
    }

    test('under the lock all views share one exact position', async () => {
      for (const places of await assertExact({ method: 'lock', count: 3 }, 10)) assert.equal(places.size, 1);
    });

    test('without a lock every view has an exact position of its own', async () => {
      await assertExact({ method: 'lockFree' }, 25);
    });

    test('a user without RELOAD gets views without a lock', async () => {
      await assertExact({ connection: asUser('lockless') }, 3);
      // Nor is the right to see prepared transactions needed, or the process list.
      await assertExact({ connection: asUser('least') }, 3);
      await assert.rejects(views({ connection: asUser('lockless'), method: 'lock' }), (error) =>
        isMillraceError(error, 'MYSQL_PRIVILEGE_MISSING'),
      );
    });

    test('a prepared XA transaction is refused by name, and waited for', async () => {
      await root.query(
        "XA START 'open', 'branch', 7; UPDATE d.t SET n = n WHERE id = 1; INSERT INTO d.t VALUES (99, 0); XA END 'open', 'branch', 7; XA PREPARE 'open', 'branch', 7",
      );
      for (const method of ['lock', 'lockFree'] as const) {
        await assert.rejects(views({ method, patienceMs: 0 }), (error) => {
          assert.ok(isMillraceError(error, 'XA_PREPARED'));
          assert.match(error.message, /'open','branch',7/);
          assert.ok(error.retriable);
          return true;
        });
      }
      const other = await connectRoot();
      // MySQL keeps it with the session that prepared it.
      setTimeout(() => void root.query("XA COMMIT 'open', 'branch', 7"), 300);
      for (const view of await views({ patienceMs: 10_000 })) {
        assert.deepEqual(await view.connection.query('SELECT n FROM d.t WHERE id = 99', never), [['0']]);
        await view[Symbol.asyncDispose]();
      }
      await other.end();
    });

    test('the lock waits for the end of a long statement; without a lock nobody waits', async () => {
      const reader = await connectRoot();
      const long = async (seconds: number): Promise<void> => {
        const running = reader.query(`SELECT SLEEP(${seconds}) FROM d.t WHERE id = 1`);
        await new Promise((resolve) => setTimeout(resolve, 1100));
        void running;
      };
      // Seen in the process list: no try of the lock is made before its end.
      await long(3);
      const started = Date.now();
      for (const view of await views({ method: 'lock', connection: settingsOf(server) })) await view[Symbol.asyncDispose]();
      assert.ok(Date.now() - started > 1000, 'it waited');
      // Else no lock is taken: a flush that was not granted in time would let MySQL's writers wait for the statement's end.
      await long(6);
      const begun = Date.now();
      for (const view of await views({ connection: asUser('blind') })) await view[Symbol.asyncDispose]();
      await root.query('UPDATE d.t SET n = n + 1 WHERE id = 1');
      assert.ok(Date.now() - begun < 3000, `${Date.now() - begun} ms`);
      reader.destroy();
    });

    test('views can be aborted while they wait', async () => {
      await root.query("XA START 'x'; UPDATE d.t SET n = n WHERE id = 1; INSERT INTO d.t VALUES (98, 0); XA END 'x'; XA PREPARE 'x'");
      const abort = new AbortController();
      setTimeout(() => abort.abort(new Error('enough')), 200);
      await assert.rejects(openConsistentViews({ connection: settingsOf(server), count: 1, lockWaitMs: 1000 }, abort.signal), /enough/);
      await root.query("XA ROLLBACK 'x'");
      // The lock is not left behind.
      await root.query('UPDATE d.t SET n = n + 1 WHERE id = 1');
    });

    test(
      'MySQL without GTIDs needs RELOAD, and says so',
      { skip: flavor === 'mysql' ? false : 'MariaDB knows its views by itself' },
      async () => {
        await root.end();
        await server.restart({ 'gtid-mode': 'OFF', 'enforce-gtid-consistency': 'OFF' });
        root = await connectRoot();
        await assert.rejects(views({ connection: asUser('lockless') }), (error) => {
          assert.ok(isMillraceError(error, 'MYSQL_PRIVILEGE_MISSING'));
          assert.match(error.nextStep, /GRANT RELOAD ON \*\.\* TO /);
          return true;
        });
        const opened = await views();
        assert.ok(opened.every(({ position }) => position.gtids === '' || position.pos > 4));
        for (const view of opened) await view[Symbol.asyncDispose]();
      },
    );
  });
}
