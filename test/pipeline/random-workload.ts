/**
 * Random transactions over tables with a key, with a key of two columns and without one, some of them rolled back, with
 * schema changes between them. Everything follows from the seed and the order of the statements, which one connection
 * sends.
 */
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { createConnection } from 'mysql2/promise';
import { sleep } from '../../src/base/abort.ts';

/** A small generator of pseudo-random numbers: mulberry32. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 up to but not 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  int(below: number): number {
    return Math.floor(this.next() * below);
  }

  chance(share: number): boolean {
    return this.next() < share;
  }

  pick<T>(list: readonly [T, ...T[]]): T {
    return list[this.int(list.length)] ?? list[0];
  }
}

/** Of this run: `MILLRACE_SEED` repeats one. Tests print it. */
export function runSeed(): number {
  const given = process.env['MILLRACE_SEED'];
  return given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);
}

export interface WorkloadOptions {
  readonly url: string;
  readonly database: string;
  readonly seed: number;
  /** Schema changes per transaction; default 0.02. */
  readonly ddlShare?: number;
  /** Longest pause between two transactions; default 8. */
  readonly pauseMs?: number;
  /** Connects again when the server goes away, with what was open lost; only without schema changes. */
  readonly reconnects?: boolean;
}

/** Disposed, it stops, whatever has gone wrong. */
export interface Workload extends AsyncDisposable {
  readonly transactions: number;
  readonly schemaChanges: number;
  /** Starts writing; `stop` waits for the open transaction and rejects with what has gone wrong. */
  start(): void;
  stop(): Promise<void>;
}

const tables = [
  `CREATE TABLE accounts (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(40) NOT NULL, balance DECIMAL(12,2) NOT NULL,
     note TEXT NULL, changed TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6))`,
  `CREATE TABLE lines_of (a INT NOT NULL, b VARCHAR(20) NOT NULL, qty INT NULL, amount DOUBLE NULL, payload JSON NULL, PRIMARY KEY (a, b))`,
  `CREATE TABLE events (kind INT NOT NULL, label VARCHAR(30) NULL, at_time DATETIME(3) NULL)`,
] as const;

/** Makes the tables and fills them. */
export async function createTables(root: Connection, rows = 2000): Promise<void> {
  for (const sql of tables) await root.query(sql);
  const list = (each: (i: number) => string): string => Array.from({ length: rows }, (_, i) => each(i)).join(',');
  await root.query(
    `INSERT INTO accounts (name, balance, note) VALUES ${list((i) => `('name ${i}', ${i}.5, ${i % 3 === 0 ? 'NULL' : `'note ${i}'`})`)}`,
  );
  await root.query(`INSERT INTO lines_of VALUES ${list((i) => `(${i % 50}, 'b${Math.floor(i / 50)}', ${i}, ${i} / 7, '{"i": ${i}}')`)}`);
  await root.query(
    `INSERT INTO events VALUES ${list((i) => `(${i % 20}, ${i % 7 === 0 ? 'NULL' : `'label ${i % 5}'`}, '2024-01-01 00:00:00.${i % 4}00')`)}`,
  );
}

/** Errors of statements that random values run into: a key that is there already. */
const duplicateKey = 1062;

export async function openWorkload({
  url,
  database,
  seed,
  ddlShare = 0.02,
  pauseMs = 8,
  reconnects = false,
}: WorkloadOptions): Promise<Workload> {
  const random = new Random(seed);
  let connection = await connect(url, database);
  const schema = createSchemaChanges(random, await readColumns(connection));
  let transactions = 0;
  let schemaChanges = 0;
  let stopping = false;
  let running: Promise<void> | undefined;

  const run = async (sql: string): Promise<void> => {
    try {
      await connection.query(sql);
    } catch (error) {
      if (!(error instanceof Error) || !('errno' in error) || error.errno !== duplicateKey) throw error;
    }
  };
  const transaction = async (): Promise<void> => {
    await connection.query('BEGIN');
    for (let statements = 1 + random.int(5); statements > 0; statements--) await run(randomStatement(random));
    await connection.query(random.chance(0.1) ? 'ROLLBACK' : 'COMMIT');
    transactions++;
  };
  const step = async (): Promise<void> => {
    if (random.chance(ddlShare)) {
      for (const sql of schema.next()) await run(sql);
      schemaChanges++;
    } else {
      await transaction();
    }
  };
  const loop = async (): Promise<void> => {
    while (!stopping) {
      try {
        await step();
      } catch (error) {
        if (!reconnects) {
          connection.destroy();
          throw error;
        }
        connection.destroy();
        await sleep(100, new AbortController().signal);
        connection = await connect(url, database).catch(() => connection);
      }
      if (pauseMs > 0) await sleep(random.int(pauseMs), new AbortController().signal);
    }
    await connection.end().catch(() => undefined);
  };
  return {
    get transactions() {
      return transactions;
    },
    get schemaChanges() {
      return schemaChanges;
    },
    start() {
      running = loop();
      // stop() reports it
      running.catch(() => undefined);
    },
    async stop() {
      stopping = true;
      await running;
    },
    async [Symbol.asyncDispose]() {
      stopping = true;
      await running?.catch(() => undefined);
      connection.destroy();
    },
  };
}

async function connect(url: string, database: string): Promise<Connection> {
  const connection = await createConnection({ uri: url, database });
  // Else an end of the server between two statements would end this process.
  connection.on('error', () => undefined);
  return connection;
}

function randomStatement(random: Random): string {
  const id = 1 + random.int(2500);
  const text = (): string => random.pick(['ä', 'plain', '東京', 'a\\\\b', "it''s", '', 'NULL', '🙂 x']);
  const many = (each: () => string): string => Array.from({ length: 1 + random.int(20) }, each).join(',');
  switch (random.int(14)) {
    case 0:
    case 1:
      return `INSERT INTO accounts (name, balance, note) VALUES ${many(() => `('${text()}', ${random.int(1e6)} / 100, '${text()}')`)}`;
    case 2:
    case 3:
      return `UPDATE accounts SET balance = balance + ${random.int(1000)} / 100, note = '${text()}' WHERE id BETWEEN ${id} AND ${id + random.int(10)}`;
    case 4:
      return `UPDATE accounts SET id = id + ${random.pick([1, 7, 10_000])} WHERE id = ${id}`;
    case 5:
      return `DELETE FROM accounts WHERE id BETWEEN ${id} AND ${id + random.int(8)}`;
    case 6:
      return `INSERT INTO accounts (id, name, balance) VALUES (${id}, '${text()}', 1) ON DUPLICATE KEY UPDATE balance = balance + 1`;
    case 7:
      return `REPLACE INTO lines_of (a, b, qty, payload) VALUES ${many(() => `(${random.int(50)}, 'b${random.int(60)}', ${random.int(1000)}, '{"v": [${random.int(9)}, "${random.int(9)}"]}')`)}`;
    case 8:
      return `UPDATE lines_of SET amount = ${random.next()}, qty = qty + 1 WHERE a = ${random.int(50)} AND b < 'b${random.int(9)}'`;
    case 9:
      return `UPDATE lines_of SET b = CONCAT(b, 'x') WHERE a = ${random.int(50)} AND LENGTH(b) < 15 ORDER BY b LIMIT ${1 + random.int(3)}`;
    case 10:
      return `INSERT INTO events (kind, at_time) VALUES ${many(() => `(${random.int(20)}, ${random.chance(0.3) ? 'NULL' : `'2024-02-0${1 + random.int(9)} 01:02:03.250'`})`)}`;
    case 11:
      return `DELETE FROM events WHERE kind = ${random.int(20)} LIMIT ${1 + random.int(5)}`;
    case 12:
      return `UPDATE events SET at_time = '2024-03-01 00:00:00' WHERE kind = ${random.int(20)} LIMIT ${1 + random.int(4)}`;
    default:
      // Now and then a transaction that is larger than the others together.
      return random.chance(0.1)
        ? `INSERT INTO events (kind, at_time) SELECT kind, at_time FROM events LIMIT 3000`
        : `DELETE FROM lines_of WHERE a = ${random.int(50)} AND b > 'b${random.int(60)}' LIMIT 5`;
  }
}

/** Columns by `table.column`, with their types: an earlier workload may have changed the tables. */
async function readColumns(connection: Connection): Promise<ReadonlyMap<string, string>> {
  const [rows] = await connection.query<RowDataPacket[]>(
    "SELECT CONCAT(TABLE_NAME, '.', COLUMN_NAME) AS name, DATA_TYPE AS type FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE()",
  );
  return new Map(rows.map((row) => [String(row['name']), String(row['type'])]));
}

/** Statements that change the tables' definitions, such that every random statement stays valid. */
function createSchemaChanges(random: Random, columns: ReadonlyMap<string, string>): { next(): readonly string[] } {
  let extra = Number([...columns.keys()].find((name) => name.startsWith('accounts.extra'))?.slice('accounts.extra'.length) ?? 0);
  let hasExtra = extra > 0;
  let wide = columns.get('lines_of.qty') === 'bigint';
  let renamed = columns.has('events.caption');
  let side = columns.has('side.id');
  let truncations = 0;
  return {
    next() {
      switch (random.int(6)) {
        case 0:
          hasExtra = !hasExtra;
          if (hasExtra) {
            extra++;
            const place = random.pick(['', ' FIRST', ' AFTER name']);
            return [
              `ALTER TABLE accounts ADD COLUMN extra${extra} INT ${random.pick(['NULL', 'NOT NULL DEFAULT 7', "NULL DEFAULT '3'"])}${place}`,
              `UPDATE accounts SET extra${extra} = id WHERE id < ${random.int(500)}`,
            ];
          }
          return [`ALTER TABLE accounts DROP COLUMN extra${extra}`];
        case 1:
          wide = !wide;
          return [`ALTER TABLE lines_of MODIFY COLUMN qty ${wide ? 'BIGINT' : 'INT'} NULL`];
        case 2:
          renamed = !renamed;
          return [`ALTER TABLE events RENAME COLUMN ${renamed ? 'label' : 'caption'} TO ${renamed ? 'caption' : 'label'}`];
        case 3:
          side = !side;
          return side
            ? ['CREATE TABLE side (id INT PRIMARY KEY, v VARCHAR(10))', "INSERT INTO side VALUES (1, 'one'), (2, 'two'), (3, NULL)"]
            : ['DROP TABLE side'];
        case 4:
          return truncations++ % 4 === 3 ? ['TRUNCATE TABLE events'] : ["UPDATE accounts SET note = 'x' WHERE id < 50"];
        default:
          return ['RENAME TABLE lines_of TO lines_aside', 'RENAME TABLE lines_aside TO lines_of'];
      }
    },
  };
}
