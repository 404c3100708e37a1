import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isMillraceError } from '../base/errors.ts';
import { flavors } from '../cli/private-server.ts';
import { startProxy } from '../../test/servers/proxy.ts';
import { freshDatabase, sharedServer, withoutServer } from '../../test/servers/shared.ts';
import type { StreamStart } from './dump.ts';
import { GtidSet } from './gtid-set.ts';
import { MariadbGtidList } from './mariadb-gtid.ts';
import { compareBinlogPositions } from './positions.ts';
import { openReconnectingStream } from './reconnecting-stream.ts';
import { readRows } from './row-image.ts';
import { endOfBinlog, freshServerId, never, plain, rowsOf, settingsOf } from './stream.fixture.ts';
import { TransactionTracker } from './transaction-tracker.ts';

const transactions = 150;

for (const flavor of flavors) {
  for (const by of ['position', 'GTID'] as const) {
    test(
      `after cuts anywhere each transaction comes once, whole and in order, by ${by} on ${flavor}`,
      { skip: withoutServer(flavor) },
      async () => {
        const server = await sharedServer(flavor);
        await using database = await freshDatabase(server);
        await using proxy = await startProxy(server);
        const { root, name } = database;
        await root.query(
          'CREATE TABLE t (trx INT, n INT, v VARCHAR(2000), PRIMARY KEY (trx, n)); CREATE TABLE m (trx INT PRIMARY KEY) ENGINE=MyISAM',
        );
        const [row] = await rowsOf(root, flavor === 'mysql' ? 'SELECT @@gtid_executed' : 'SELECT @@gtid_current_pos');
        const text = row?.[0] ?? '';
        const start: StreamStart =
          by === 'position'
            ? { position: await endOfBinlog(root, flavor) }
            : flavor === 'mysql'
              ? { gtids: GtidSet.parse(text) }
              : { mariadbGtids: MariadbGtidList.parse(text) };
        if (flavor === 'mysql') await root.query('SET SESSION binlog_transaction_compression = OFF');
        for (let trx = 0; trx < transactions; trx++) {
          if (trx === 60) await root.query('ALTER TABLE t ADD c INT DEFAULT 5');
          if (trx === 70) await root.query('FLUSH BINARY LOGS');
          if (trx === 80 && flavor === 'mysql') await root.query('SET SESSION binlog_transaction_compression = ON');
          const rows = Array.from({ length: 1 + (trx % 40) }, (_, n) => `(${trx}, ${n}, REPEAT('x', 1000))`);
          await root.query(
            `BEGIN; INSERT INTO t (trx, n, v) VALUES ${rows.join(', ')}; SAVEPOINT s; UPDATE t SET n = n + 1000 WHERE trx = ${trx}; COMMIT`,
          );
          await root.query(`INSERT INTO m VALUES (${trx})`);
        }
        const end = await endOfBinlog(root, flavor);

        const connection = { ...settingsOf(server), host: proxy.host, port: proxy.port };
        let retries = 0;
        await using stream = await openReconnectingStream(
          { connection, serverId: freshServerId(), start, retryFirstMs: 5, retryMaxMs: 20, onRetry: () => retries++ },
          never,
        );
        const tracker = new TransactionTracker(start);
        const complete: string[] = [];
        let open: string[] = [];
        let reconnects = 0;
        let passed = 0;
        let passedAtCut = 0;
        let greatest = 150_000;
        const signal = AbortSignal.timeout(120_000);
        proxy.cutAfter(20_000);
        for (let reached = false; !reached;) {
          for (const event of await stream.read(signal)) {
            if (event.type === 'RECONNECTED') {
              reconnects++;
              open = [];
              // Other tests write on this server too: a transaction of theirs may be larger than what passes between two cuts.
              if (passed === passedAtCut) greatest *= 2;
              passedAtCut = passed;
              proxy.cutAfter(10_000 + Math.floor(Math.random() * greatest));
            }
            if (event.type === 'ROWS' && event.table.database === name) {
              for (const { after } of readRows(event)) {
                open.push(`${event.table.table} ${event.kind} ${plain(after?.[0])} ${event.table.table === 't' ? plain(after?.[1]) : ''}`);
              }
            }
            if (tracker.take(event)) {
              passed++;
              complete.push(...open);
              open = [];
            }
            const order = compareBinlogPositions({ file: event.file, position: event.nextPosition }, end);
            reached = order !== undefined && order >= 0;
          }
        }
        const expected: string[] = [];
        for (let trx = 0; trx < transactions; trx++) {
          for (let n = 0; n <= trx % 40; n++) expected.push(`t insert ${trx} ${n}`);
          for (let n = 0; n <= trx % 40; n++) expected.push(`t update ${trx} ${n + 1000}`);
          expected.push(`m insert ${trx} `);
        }
        assert.deepEqual(complete, expected);
        assert.ok(reconnects > 10, `${reconnects} reconnects`);
        assert.ok(retries >= reconnects);
        const resume = tracker.resume;
        if ('gtids' in resume) {
          const [now] = await rowsOf(root, 'SELECT @@gtid_executed');
          assert.ok(GtidSet.parse(now?.[0] ?? '').contains(resume.gtids));
        }
      },
    );
  }

  test(
    `a server that refuses for a while is waited for, at most as often as asked, on ${flavor}`,
    { skip: withoutServer(flavor) },
    async () => {
      const server = await sharedServer(flavor);
      await using database = await freshDatabase(server);
      await using proxy = await startProxy(server);
      const position = await endOfBinlog(database.root, flavor);
      const connection = { ...settingsOf(server), host: proxy.host, port: proxy.port };
      const attempts: number[] = [];
      await using stream = await openReconnectingStream(
        {
          connection,
          serverId: freshServerId(),
          start: { position },
          retryFirstMs: 5,
          retryMaxMs: 20,
          maxAttempts: 6,
          onRetry: (_, attempt) => {
            attempts.push(attempt);
            if (attempt === 4) proxy.accept();
          },
        },
        never,
      );
      await stream.read(never);
      proxy.refuse();
      proxy.cut();
      const signal = AbortSignal.timeout(20_000);
      for (;;) if ((await stream.read(signal))[0]?.type === 'RECONNECTED') break;
      assert.deepEqual(attempts, [1, 2, 3, 4]);
      attempts.length = 0;
      proxy.refuse();
      proxy.cut();
      await database.root.query('CREATE TABLE t (id INT PRIMARY KEY)');
      await assert.rejects(
        async () => {
          for (;;) await stream.read(signal);
        },
        (error) => isMillraceError(error) && error.retriable,
      );
    },
  );
}
