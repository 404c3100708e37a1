/**
 * Rows per second of a snapshot up to encoded batches, server and client on the same machine:
 *
 *   node bench/snapshot-read.ts [mysql|mariadb] [rows]
 *
 * The table is the one of the replication benchmark: 12 columns, about 290 bytes a row in the binlog.
 */
import { createConnection } from 'mysql2/promise';
import { flavors, startServer } from '../src/cli/private-server.ts';
import type { Flavor, PrivateServer } from '../src/cli/private-server.ts';
import { readTableSchemas } from '../src/mysql/read-schema.ts';
import { openSnapshot } from '../src/mysql/snapshot.ts';

const signal = new AbortController().signal;
const [flavorWish, rowsWish] = process.argv.slice(2);
const rows = Number(rowsWish ?? 500_000);

for (const flavor of flavors) {
  if (flavorWish !== undefined && flavorWish !== flavor) continue;
  await using server = await startServer({ flavor, options: { 'innodb-buffer-pool-size': '1G' } });
  await fill(server);
  for (const threads of [1, 2]) {
    const runs: number[] = [];
    let cpu = 0;
    for (let i = 0; i < 4; i++) {
      const before = process.cpuUsage();
      runs.push(await measure(server, threads));
      const { user, system } = process.cpuUsage(before);
      cpu = (user + system) / rows;
    }
    // The first run warms up both sides.
    const [, ...warm] = runs;
    const best = warm.map((ms) => Math.round(rows / ms)).join(' ');
    console.log(
      `${flavor} ${threads} connection${threads > 1 ? 's' : ''}: ${best} k rows/s (cold ${Math.round(rows / (runs[0] ?? 1))}), ${cpu.toFixed(2)} µs of own CPU a row`,
    );
  }
}

async function measure(server: PrivateServer, threads: number): Promise<number> {
  const started = performance.now();
  const { host, port, user, password } = server;
  await using snapshot = await openSnapshot(
    {
      connector: 'bench',
      connection: { host, port, user, password, ssl: { mode: 'disabled' } },
      threads,
      chunkRows: 50_000,
      lockWaitMs: 2000,
      initial: true,
      state: new Map(),
      readTables: (connection, _tables, abort) => readTableSchemas(connection, ({ database }) => database === 'bench', abort),
    },
    signal,
  );
  let seen = 0;
  for (;;) {
    const step = await snapshot.next(signal);
    if (step.kind === 'chunk') seen += step.batch.count;
    if (step.kind === 'end') break;
  }
  if (seen !== rows) throw new Error(`${seen} rows of ${rows}`);
  return performance.now() - started;
}

async function fill(server: PrivateServer): Promise<void> {
  const root = await createConnection({ uri: server.root.url, multipleStatements: true });
  const json: Record<Flavor, string> = { mysql: 'JSON', mariadb: 'LONGTEXT' };
  await root.query(`CREATE DATABASE bench; USE bench; SET sql_log_bin = 0;
    CREATE TABLE orders (id BIGINT PRIMARY KEY AUTO_INCREMENT, customer_id INT NOT NULL, status ENUM('new','paid','shipped','returned') NOT NULL,
      amount DECIMAL(12,2) NOT NULL, currency CHAR(3) NOT NULL, qty SMALLINT UNSIGNED NOT NULL, note VARCHAR(200), payload ${json[server.flavor]},
      is_gift TINYINT NOT NULL, weight DOUBLE, created_at DATETIME(3) NOT NULL, updated_at TIMESTAMP(3) NOT NULL)`);
  const select = (
    from: string,
    limit: number,
  ): string => `INSERT INTO orders (customer_id, status, amount, currency, qty, note, payload, is_gift, weight, created_at, updated_at)
    SELECT FLOOR(RAND() * 1000000), ELT(1 + FLOOR(RAND() * 4), 'new', 'paid', 'shipped', 'returned'), RAND() * 100000, ELT(1 + FLOOR(RAND() * 3), 'EUR', 'USD', 'CHF'),
      FLOOR(RAND() * 1000), IF(RAND() < 0.3, NULL, CONCAT(IF(RAND() < 0.1, 'größer – ', 'order '), REPEAT('lorem ipsum ', FLOOR(RAND() * 8)))),
      IF(RAND() < 0.2, NULL, CONCAT('{"source": "web", "tags": ["a", "b"], "session": "', SHA2(RAND(), 256), '", "visits": ', FLOOR(RAND() * 100), ', "text": "', REPEAT('x', 40), '"}')),
      RAND() < 0.1, IF(RAND() < 0.2, NULL, RAND() * 100), NOW(3), NOW(3) FROM ${from} LIMIT ${limit}`;
  await root.query(select('(SELECT 1 AS x UNION SELECT 2 UNION SELECT 3 UNION SELECT 4) AS q', 4));
  for (let count = 4; count < rows; count *= 2) await root.query(select('orders', Math.min(count, rows - count)));
  await root.query('ANALYZE TABLE orders');
  await root.end();
}
