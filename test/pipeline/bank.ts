/**
 * Money, for what readers of a replica see: accounts in two tables, each transfer in a third and its two sides in a fourth,
 * which has no key. Every read must find the same sum, and all of a transfer or nothing of it.
 */
import assert from 'node:assert/strict';
import { createConnection, type Connection } from 'mysql2/promise';
import { sleep } from '../../src/base/abort.ts';
import type { FreshDatabase, SharedServer } from '../servers/shared.ts';
import type { Pipeline } from './harness.ts';
import { Random } from './random-workload.ts';

const accounts = 400;
const opening = 1000;
const writers = 4;

export const bankTables = ['checking', 'savings', 'transfers', 'sides'] as const;

const definitions = `
  CREATE TABLE checking (id INT PRIMARY KEY, balance DECIMAL(12,2) NOT NULL);
  CREATE TABLE savings (id INT PRIMARY KEY, balance DECIMAL(12,2) NOT NULL);
  CREATE TABLE transfers (id BIGINT AUTO_INCREMENT PRIMARY KEY, amount DECIMAL(12,2) NOT NULL, memo VARCHAR(500) NOT NULL);
  CREATE TABLE sides (transfer BIGINT NOT NULL, account INT NOT NULL, delta DECIMAL(12,2) NOT NULL);`;

/** Even accounts are checking accounts. */
const tableOf = (account: number): string => (account % 2 === 0 ? 'checking' : 'savings');

/** Makes the tables, and opens the accounts; with so many thousands of transfers, back and forth between two of them. */
export async function openBank({ root }: FreshDatabase, { thousands = 0 }: { readonly thousands?: number } = {}): Promise<void> {
  await root.query(definitions);
  const numbers = `(WITH RECURSIVE each_one (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM each_one WHERE n < 1000) SELECT n FROM each_one) numbers`;
  for (let i = 0; i < thousands; i++) {
    await root.query(`INSERT INTO transfers SELECT n + ${1000 * i}, 1, 'early' FROM ${numbers};
      INSERT INTO sides SELECT n + ${1000 * i}, 0, 1 - 2 * (n % 2) FROM ${numbers};
      INSERT INTO sides SELECT n + ${1000 * i}, 1, 2 * (n % 2) - 1 FROM ${numbers}`);
  }
  for (const table of ['checking', 'savings']) {
    const ids = Array.from({ length: accounts }, (_, id) => id).filter((id) => tableOf(id) === table);
    await root.query(`INSERT INTO ${table} VALUES ${ids.map((id) => `(${id}, ${opening})`).join(',')}`);
  }
}

export interface BankWriting {
  readonly server: SharedServer;
  readonly database: string;
  readonly seed: number;
  /** Now and then a transaction of so many transfers. */
  readonly bulk: number;
  /** Between two transactions of a writer; default 0. */
  readonly pauseMs?: number;
}

/** Writers at work; disposed, they stop. */
export interface BankWriters extends AsyncDisposable {
  /** Rejects when one of them fails; else it resolves when all have stopped. */
  readonly ended: Promise<unknown>;
  /** Gives the number of transactions. */
  stop(): Promise<number>;
}

export function startTransfers(writing: BankWriting): BankWriters {
  const done = new AbortController();
  const each = Array.from({ length: writers }, async (_, i) => transfer({ ...writing, seed: writing.seed + i }, done.signal));
  const ended = Promise.all(each);
  return {
    ended,
    async stop() {
      done.abort();
      return (await ended).reduce((sum, transactions) => sum + transactions, 0);
    },
    async [Symbol.asyncDispose]() {
      done.abort();
      await Promise.allSettled(each);
    },
  };
}

async function transfer({ server, database, seed, bulk, pauseMs = 0 }: BankWriting, signal: AbortSignal): Promise<number> {
  const random = new Random(seed);
  const connection = await createConnection({ uri: server.root.url, database, multipleStatements: true });
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
  try {
    while (!signal.aborted) {
      if (await commits(connection, bulk > 0 && random.chance(0.03) ? bulk : 0, one)) transactions++;
      if (pauseMs > 0) await sleep(pauseMs, signal).catch(() => undefined);
    }
    return transactions;
  } finally {
    await connection.end();
  }
}

/** One transaction; false: two writers have locked each other out, as transfers of many accounts can. */
async function commits(connection: Connection, bulk: number, one: (memo: string) => string): Promise<boolean> {
  try {
    await connection.query('BEGIN');
    for (let i = 0; i < bulk; i += 100) await connection.query(Array.from({ length: 100 }, () => one('bulk '.repeat(80))).join(''));
    if (bulk === 0) await connection.query(one('single'));
    await connection.query('COMMIT');
    return true;
  } catch (error) {
    if (!(error instanceof Error) || !('errno' in error) || error.errno !== 1213) throw error;
    await connection.query('ROLLBACK');
    return false;
  }
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

export interface BankReads {
  count: number;
  /** Different states that were seen, by the number of transfers. */
  readonly states: Set<string>;
}

/** Reads until the signal, from when the tables are there on, each read checked. */
export async function readBank(
  pipeline: Pipeline,
  { schema, reads }: { readonly schema: string; readonly reads: BankReads },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const row = await readOnce(pipeline, schema);
    if (row === undefined) {
      assert.equal(reads.count, 0, 'tables that were there are there');
      await sleep(20, new AbortController().signal);
      continue;
    }
    const [count, sum, transfers, sides, wrongBalances, wrongTransfers] = row;
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

/** Undefined: a table, or the file, is not there yet. */
async function readOnce(pipeline: Pipeline, schema: string): Promise<readonly (string | null)[] | undefined> {
  try {
    const [row = []] = await pipeline.query(readSql(schema));
    return row;
  } catch (error) {
    if (error instanceof Error && /does not exist/.test(error.message)) return undefined;
    throw error;
  }
}
