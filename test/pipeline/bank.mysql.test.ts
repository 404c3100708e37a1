/**
 * What readers of the replica see while it is fed: always a state that the source had. Money moves between accounts in two
 * tables, each transfer is in a third and its two sides in a fourth; every read must find the same sum, and all of a
 * transfer or nothing of it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createConnection } from 'mysql2/promise';
import { sleep } from '../../src/base/abort.ts';
import { flavors } from '../../src/cli/private-server.ts';
import { freshDatabase, sharedServer, withoutServer } from '../servers/shared.ts';
import { openPipeline, until, type Pipeline } from './harness.ts';
import { Random, runSeed } from './random-workload.ts';

const accounts = 400;
const opening = 1000;
const writers = 4;

const tables = `
  CREATE TABLE checking (id INT PRIMARY KEY, balance DECIMAL(12,2) NOT NULL);
  CREATE TABLE savings (id INT PRIMARY KEY, balance DECIMAL(12,2) NOT NULL);
  CREATE TABLE transfers (id BIGINT AUTO_INCREMENT PRIMARY KEY, amount DECIMAL(12,2) NOT NULL, memo VARCHAR(500) NOT NULL);
  CREATE TABLE sides (transfer BIGINT NOT NULL, account INT NOT NULL, delta DECIMAL(12,2) NOT NULL);`;

/** Even accounts are checking accounts. */
const tableOf = (account: number): string => (account % 2 === 0 ? 'checking' : 'savings');

interface Writing {
  readonly url: string;
  readonly database: string;
  readonly seed: number;
  readonly signal: AbortSignal;
  /** Now and then a transaction of so many transfers. */
  readonly bulk: number;
}

/** Transfers until the signal; gives the number of transactions. */
async function transfer({ url, database, seed, signal, bulk }: Writing): Promise<number> {
  const random = new Random(seed);
  const connection = await createConnection({ uri: url, database, multipleStatements: true });
  let transactions = 0;
  const one = (memo: string): string => {
    const amount = (1 + random.int(10_000)) / 100;
    const from = random.int(accounts);
    const to = (from + 1 + random.int(accounts - 1)) % accounts;
    // Accounts are locked in their order, so that two writers never wait for each other.
    const moves: readonly (readonly [account: number, delta: number])[] = [
      [from, -amount],
      [to, amount],
    ];
    const ordered = moves.toSorted(([a], [b]) => (a % 2) - (b % 2) || a - b);
    const updates = ordered
      .map(([account, delta]) => `UPDATE ${tableOf(account)} SET balance = balance + ${delta} WHERE id = ${account};`)
      .join('');
    return `${updates} INSERT INTO transfers (amount, memo) VALUES (${amount}, '${memo}'); SET @id = LAST_INSERT_ID();
      INSERT INTO sides VALUES (@id, ${from}, ${-amount}), (@id, ${to}, ${amount});`;
  };
  while (!signal.aborted) {
    try {
      await connection.query('BEGIN');
      if (bulk > 0 && random.chance(0.03)) {
        for (let i = 0; i < bulk; i += 100) await connection.query(Array.from({ length: 100 }, () => one('bulk '.repeat(80))).join(''));
      } else {
        await connection.query(one('single'));
      }
      await connection.query('COMMIT');
      transactions++;
    } catch (error) {
      // Transfers of many accounts can still lock each other out.
      if (!(error instanceof Error) || !('errno' in error) || error.errno !== 1213) throw error;
      await connection.query('ROLLBACK');
    }
  }
  await connection.end();
  return transactions;
}

/** Everything in one statement, which sees one state. */
const readSql = (schema: string): string => `
  WITH accounts AS (FROM ${schema}.checking UNION ALL FROM ${schema}.savings),
       sums AS (SELECT account, sum(delta) AS delta FROM ${schema}.sides GROUP BY account),
       pairs AS (SELECT transfer, count(*) AS n, sum(delta) AS delta, max(delta) AS amount FROM ${schema}.sides GROUP BY transfer)
  SELECT
    (SELECT count(*) FROM accounts),
    (SELECT sum(balance) FROM accounts),
    (SELECT count(*) FROM ${schema}.transfers),
    (SELECT count(*) FROM ${schema}.sides),
    (SELECT count(*) FROM accounts LEFT JOIN sums ON account = id WHERE balance <> ${opening} + coalesce(delta, 0)),
    (SELECT count(*) FROM ${schema}.transfers t FULL JOIN pairs p ON p.transfer = t.id
      WHERE p.n IS DISTINCT FROM 2 OR p.delta <> 0 OR p.amount IS DISTINCT FROM t.amount)`;

interface Reads {
  count: number;
  readonly states: Set<string>;
}

/** Reads until the signal, each read checked. */
async function readAll(
  pipeline: Pipeline,
  { schema, reads }: { readonly schema: string; readonly reads: Reads },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const [row] = await pipeline.query(readSql(schema));
    const [count, sum, transfers, sides, wrongBalances, wrongTransfers] = row ?? [];
    const what = `read ${reads.count} with ${transfers} transfers`;
    assert.equal(count, String(accounts), what);
    assert.equal(Number(sum), accounts * opening, `the sum of all money, ${what}`);
    assert.equal(sides, String(2 * Number(transfers)), `sides, ${what}`);
    assert.equal(wrongBalances, '0', `accounts that are not what their transfers make them, ${what}`);
    assert.equal(wrongTransfers, '0', `transfers of which a side is missing, ${what}`);
    reads.count++;
    reads.states.add(transfers ?? '');
  }
}

interface Case {
  readonly name: string;
  readonly bulk: number;
  readonly sink: Readonly<Record<string, string>>;
}

const cases: readonly Case[] = [
  { name: 'small transactions', bulk: 0, sink: {} },
  {
    name: 'some of them larger than a commit group, and a sink that flushes all the time',
    bulk: 3000,
    sink: { 'flush.max.rows': '300', 'flush.max.bytes': '200000' },
  },
];

for (const flavor of flavors) {
  for (const { name, bulk, sink } of cases) {
    test(`every read of the replica sees a state of the source: ${name}, on ${flavor}`, { skip: withoutServer(flavor) }, async (t) => {
      const seed = runSeed();
      t.diagnostic(`MILLRACE_SEED=${seed}`);
      const server = await sharedServer(flavor);
      await using database = await freshDatabase(server);
      await database.root.query(tables);
      for (const table of ['checking', 'savings']) {
        const ids = Array.from({ length: accounts }, (_, id) => id).filter((id) => tableOf(id) === table);
        await database.root.query(`INSERT INTO ${table} VALUES ${ids.map((id) => `(${id}, ${opening})`).join(',')}`);
      }
      await using pipeline = await openPipeline({ server, databases: [database.name], source: { 'snapshot.fetch.size': '50' }, sink });
      const done = new AbortController();
      const writing = Array.from({ length: writers }, async (_, i) =>
        transfer({ url: server.root.url, database: database.name, seed: seed + i, signal: done.signal, bulk }),
      );
      // The snapshot, too, is taken while they write; readers begin when its tables appear, all at once.
      await pipeline.start();
      await pipeline.caughtUp(database.root);
      const read = new AbortController();
      const reads: Reads = { count: 0, states: new Set() };
      const reading = readAll(pipeline, { schema: database.name, reads }, read.signal);
      // On a busy machine it takes longer to see enough of them.
      const seen = until('the reads have seen different states', () => reads.states.size >= 12, { deadlineMs: 60_000 });
      await Promise.race([Promise.all([sleep(5000, new AbortController().signal), seen]), reading, ...writing]);
      done.abort();
      const transactions = (await Promise.all(writing)).reduce((sum, each) => sum + each, 0);
      await pipeline.caughtUp(database.root, 120_000);
      read.abort();
      await reading;
      await pipeline.assertEqual();
      t.diagnostic(`${transactions} transactions, ${reads.count} reads, ${reads.states.size} different states`);
    });
  }
}
