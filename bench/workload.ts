/**
 * The workload of every benchmark: an order-like table with twelve columns, filled and changed in small transactions
 * (1–3 rows) or large ones (1,000 rows), half of the changes inserts, a third updates, the rest deletes. Everything follows
 * from a seed, so that two runs do the same.
 */
import { createConnection, type Connection } from 'mysql2/promise';

export const tableSql = (name: string): string => `CREATE TABLE ${name} (
  id BIGINT NOT NULL PRIMARY KEY,
  customer_id INT NOT NULL,
  status ENUM('new','paid','packed','sent','done','returned') NOT NULL,
  amount DECIMAL(12,2) NOT NULL,
  currency CHAR(3) NOT NULL,
  qty SMALLINT UNSIGNED NOT NULL,
  note VARCHAR(200) NULL,
  payload JSON NULL,
  is_gift TINYINT NOT NULL,
  weight DOUBLE NULL,
  created_at DATETIME(3) NOT NULL,
  updated_at TIMESTAMP(3) NOT NULL
)`;

const columns = 'id, customer_id, status, amount, currency, qty, note, payload, is_gift, weight, created_at, updated_at';
const statuses = ['new', 'paid', 'packed', 'sent', 'done', 'returned'] as const;
const currencies = ['EUR', 'USD', 'GBP', 'CHF', 'JPY'] as const;
const words = ['quick', 'brown', 'fox', 'jumps', 'over', 'lazy', 'dog', 'Übergröße', 'naïve', 'smörgåsbord', '東京', 'gift wrap'] as const;

/** A small, fast generator of pseudo-random numbers: mulberry32. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function rowSql(id: number, random: () => number): string {
  const int = (below: number): number => Math.floor(random() * below);
  const pick = <T>(list: readonly [T, ...T[]]): T => list[int(list.length)] ?? list[0];
  const note = random() < 0.2 ? 'NULL' : `'${Array.from({ length: 3 + int(8) }, () => pick(words)).join(' ')}'`;
  const payload =
    random() < 0.1
      ? 'NULL'
      : `'{"sku": "A-${int(1e6)}", "tags": ["${pick(words)}", "${pick(words)}"], "dims": {"w": ${int(100)}, "h": ${int(100)}, "d": ${random().toFixed(4)}}, "express": ${random() < 0.5}, "note": "${pick(words)} ${pick(words)}", "ref": ${int(1e9)}}'`;
  const weight = random() < 0.1 ? 'NULL' : String(random() * 100);
  const second = String(int(60)).padStart(2, '0');
  return (
    `(${id},${int(100_000)},'${pick(statuses)}',${(random() * 10_000).toFixed(2)},'${pick(currencies)}',${int(1000)},${note},${payload},` +
    `${int(2)},${weight},'2026-0${1 + int(9)}-1${int(10)} 1${int(10)}:${10 + int(50)}:${second}.${100 + int(900)}','2026-0${1 + int(9)}-2${int(9)} 0${int(10)}:${10 + int(50)}:${second}.${100 + int(900)}')`
  );
}

/** Inserts rows `first … first + count - 1`, 1,000 a statement, each statement a transaction. */
export async function insertRows(
  connection: Connection,
  table: string,
  rows: { first: number; count: number; seed: number },
): Promise<void> {
  const random = createRandom(rows.seed);
  for (let id = rows.first; id < rows.first + rows.count; id += 1000) {
    const count = Math.min(1000, rows.first + rows.count - id);
    const values = Array.from({ length: count }, (_, i) => rowSql(id + i, random)).join(',');
    await connection.query(`INSERT INTO ${table} (${columns}) VALUES ${values}`);
  }
}

export interface Written {
  readonly transactions: number;
  readonly changes: number;
}

/** Transactions of 1,000 row changes each; the first one is all inserts. */
export async function writeLargeTransactions(connection: Connection, table: string, transactions: number): Promise<Written> {
  const random = createRandom(1);
  let nextId = 1;
  let changes = 0;
  const live = new Set<number>();
  const someLive = (count: number): number[] => {
    const found: number[] = [];
    // The oldest keys: their order is that of insertion, and removing keeps it.
    const skip = Math.floor(random() * Math.max(1, live.size - count * 2));
    let i = 0;
    for (const id of live) {
      if (i++ < skip) continue;
      found.push(id);
      if (found.length === count) break;
    }
    return found;
  };
  for (let t = 0; t < transactions; t++) {
    const inserts = t === 0 ? 1000 : 500;
    await connection.beginTransaction();
    const ids = Array.from({ length: inserts }, () => nextId++);
    await connection.query(`INSERT INTO ${table} (${columns}) VALUES ${ids.map((id) => rowSql(id, random)).join(',')}`);
    changes += inserts;
    if (t > 0) {
      const updated = someLive(350);
      const status = statuses[t % statuses.length] ?? 'new';
      await connection.query(
        `UPDATE ${table} SET amount = amount + 1.25, qty = (qty + 7) % 1000, status = '${status}', updated_at = '2026-11-01 00:00:00.123' WHERE id IN (${updated.join(',')})`,
      );
      const deleted = someLive(150);
      await connection.query(`DELETE FROM ${table} WHERE id IN (${deleted.join(',')})`);
      for (const id of deleted) live.delete(id);
      changes += updated.length + deleted.length;
    }
    await connection.commit();
    for (const id of ids) live.add(id);
  }
  return { transactions, changes };
}

/**
 * Transactions of one to three row changes, as many as `transactions`, over several connections. Run by a stored
 * procedure in the server, so that the generator is not what limits.
 */
export async function writeSmallTransactions(connection: Connection, table: string, transactions: number): Promise<Written> {
  const name = `${table}_small`;
  await connection.query(`DROP PROCEDURE IF EXISTS ${name}`);
  await connection.query(`CREATE PROCEDURE ${name}(IN first_id INT, IN n INT)
    BEGIN
      DECLARE i INT DEFAULT 0;
      DECLARE next_id INT DEFAULT first_id;
      DECLARE changes INT DEFAULT 0;
      WHILE i < n DO
        START TRANSACTION;
        INSERT INTO ${table} (${columns}) VALUES (next_id, i % 100000, 'new', (i % 10000) + 0.25, 'EUR', i % 1000,
          CONCAT('quick brown naïve ', i), CONCAT('{"sku": "A-', i, '", "tags": ["fox", "東京"], "dims": {"w": 12, "h": 40, "d": 0.25}, "express": true, "note": "jumps over", "ref": ', i, '}'),
          i % 2, i / 7e0, '2026-03-04 05:06:07.089', '2026-03-04 05:06:07.089');
        SET changes = changes + 1;
        IF i % 10 < 7 AND i > 10 THEN
          UPDATE ${table} SET amount = amount + 1.25, qty = qty + 1, status = 'paid', updated_at = '2026-11-01 00:00:00.123' WHERE id = next_id - 5;
          SET changes = changes + 1;
        END IF;
        IF i % 10 < 3 AND i > 10 THEN
          DELETE FROM ${table} WHERE id = next_id - 9;
          SET changes = changes + 1;
        END IF;
        COMMIT;
        SET next_id = next_id + 1, i = i + 1;
      END WHILE;
      SELECT changes;
    END`);
  const [rows] = await connection.query(`SELECT COALESCE(MAX(id), 0) + 1 AS first_id FROM ${table}`);
  const first = Array.isArray(rows) ? Number(Reflect.get(rows[0] ?? {}, 'first_id')) : 1;
  const [answer] = await connection.query(`CALL ${name}(${first}, ${transactions})`);
  const changes = Number(JSON.stringify(answer).match(/"changes":(\d+)/)?.[1] ?? 0);
  await connection.query(`DROP PROCEDURE ${name}`);
  return { transactions, changes };
}

export async function openRoot(url: string, database: string): Promise<Connection> {
  const connection = await createConnection({ uri: url, multipleStatements: true });
  await connection.query(`CREATE DATABASE IF NOT EXISTS ${database}; USE ${database}`);
  return connection;
}
