/** The shop that the demo replicates: related tables with common column types, filled by the server itself. */
import { MillraceError } from '../../base/errors.ts';
import type { ServerConnection } from '../../binlog/connection.ts';

/** Tables in an order in which each refers to earlier ones only, with their share of the rows. */
const tables: readonly { readonly name: string; readonly columns: string }[] = [
  {
    name: 'customers',
    columns: `id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, email VARCHAR(120) NOT NULL, name VARCHAR(80) NOT NULL,
      country CHAR(2) NOT NULL, newsletter TINYINT(1) NOT NULL DEFAULT 0, birthday DATE NULL, preferences JSON NULL,
      created_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3)`,
  },
  {
    name: 'products',
    columns: `id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, sku BINARY(8) NOT NULL, title VARCHAR(120) NOT NULL,
      price DECIMAL(10,2) NOT NULL, weight_kg DOUBLE NULL, kind ENUM('book','toy','tool','food') NOT NULL,
      tags SET('new','sale','eco') NOT NULL DEFAULT '', description TEXT NULL, UNIQUE KEY (sku)`,
  },
  {
    name: 'stock',
    columns: `product_id INT UNSIGNED NOT NULL, warehouse SMALLINT NOT NULL, quantity INT NOT NULL, PRIMARY KEY (product_id, warehouse)`,
  },
  {
    name: 'orders',
    columns: `id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, customer_id INT UNSIGNED NOT NULL,
      status ENUM('new','paid','shipped','returned') NOT NULL DEFAULT 'new', total DECIMAL(12,2) NOT NULL DEFAULT 0,
      note VARCHAR(200) NULL, placed_at DATETIME(6) NOT NULL, updated_at TIMESTAMP NULL, KEY (customer_id)`,
  },
  {
    name: 'order_items',
    columns: `order_id BIGINT UNSIGNED NOT NULL, line SMALLINT UNSIGNED NOT NULL, product_id INT UNSIGNED NOT NULL,
      quantity SMALLINT UNSIGNED NOT NULL, price DECIMAL(10,2) NOT NULL, PRIMARY KEY (order_id, line)`,
  },
  {
    name: 'payments',
    columns: `id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, order_id BIGINT UNSIGNED NOT NULL, amount DECIMAL(12,2) NOT NULL,
      method VARCHAR(20) NOT NULL, reference VARBINARY(16) NULL, paid_at DATETIME(3) NOT NULL, KEY (order_id)`,
  },
  {
    name: 'coupons',
    columns: `code VARCHAR(24) NOT NULL PRIMARY KEY, percent TINYINT UNSIGNED NOT NULL, valid_for TIME NULL, uses INT NOT NULL DEFAULT 0`,
  },
];

/** Rows of each table when the shop has `rows` rows in all, about. */
export interface ShopSize {
  readonly customers: number;
  readonly products: number;
  readonly orders: number;
}

export function shopSize(rows: number): ShopSize {
  // An order has two items on average, and a payment: with itself four rows.
  const orders = Math.floor(rows / 5);
  return { orders, customers: Math.max(100, Math.floor(rows / 8)), products: Math.max(50, Math.floor(rows / 80)) };
}

/** Makes the shop and fills it, unless it is there whole already. Tells each table when it is done. */
export async function prepareShop(
  connection: ServerConnection,
  shop: { readonly database: string; readonly size: ShopSize },
  signal: AbortSignal,
): Promise<boolean> {
  const { database, size } = shop;
  if (await isFilled(connection, database, signal)) return false;
  const run = (sql: string): Promise<unknown> => connection.query(sql, signal);
  await run(`DROP DATABASE IF EXISTS ${database}`);
  await run(`CREATE DATABASE ${database} CHARACTER SET utf8mb4`);
  await run(`USE ${database}`);
  for (const { name, columns } of tables) await run(`CREATE TABLE ${name} (${columns})`);
  for (const statement of fillStatements(size)) await run(statement);
  return true;
}

/** The coupons are filled last, so that an interrupted filling begins anew. */
async function isFilled(connection: ServerConnection, database: string, signal: AbortSignal): Promise<boolean> {
  const where = `table_schema = '${database}' AND table_name = 'coupons'`;
  const found = await connection.query(`SELECT 1 FROM information_schema.tables WHERE ${where}`, signal);
  if (found.length === 0) return false;
  const coupons = await connection.query(`SELECT 1 FROM ${database}.coupons LIMIT 1`, signal);
  return coupons.length > 0;
}

/** Numbers 1 to n, in pieces, so that no transaction is huge. */
function* pieces(count: number): Generator<string> {
  const digit =
    '(SELECT 0 d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)';
  const size = 10_000;
  for (let from = 0; from < count; from += size) {
    const last = Math.min(size, count - from);
    const number = 'a.d + 10 * b.d + 100 * c.d + 1000 * e.d';
    yield `(SELECT ${from} + 1 + ${number} AS n FROM ${digit} a, ${digit} b, ${digit} c, ${digit} e WHERE ${number} < ${last}) numbers`;
  }
}

/** Pseudo-random, yet the same each time: 0 to below - 1. */
function pick(below: number, salt: string): string {
  return `(CRC32(CONCAT('${salt}', n)) % ${below})`;
}

function* fillStatements({ customers, products, orders }: ShopSize): Generator<string> {
  const country = `ELT(1 + ${pick(6, 'c')}, 'DE', 'FR', 'US', 'JP', 'BR', 'IN')`;
  for (const numbers of pieces(customers)) {
    yield `INSERT INTO customers (id, email, name, country, newsletter, birthday, preferences, created_at)
      SELECT n, CONCAT('customer', n, '@example.com'), CONCAT(ELT(1 + ${pick(5, 'f')}, 'Ana', 'Björn', 'Chloé', '大輔', 'Zoë'), ' ', ELT(1 + ${pick(4, 'l')}, 'Müller', 'Silva', 'Nguyễn', 'O''Neill')),
        ${country}, ${pick(2, 'w')}, IF(${pick(10, 'b')} = 0, NULL, DATE_ADD('1950-01-01', INTERVAL ${pick(20000, 'd')} DAY)),
        IF(${pick(3, 'p')} = 0, NULL, CONCAT('{"size": "', ELT(1 + ${pick(3, 's')}, 'S', 'M', 'L'), '", "visits": ', ${pick(1000, 'v')}, '}')),
        DATE_ADD('2024-01-01 00:00:00', INTERVAL n SECOND) FROM ${numbers}`;
  }
  for (const numbers of pieces(products)) {
    yield `INSERT INTO products (id, sku, title, price, weight_kg, kind, tags, description)
      SELECT n, UNHEX(LPAD(HEX(n), 16, '0')), CONCAT(ELT(1 + ${pick(4, 't')}, 'Garden', 'Kitchen', 'Travel', 'Office'), ' article ', n), 1 + ${pick(100000, 'x')} / 100,
        IF(${pick(7, 'g')} = 0, NULL, ${pick(5000, 'k')} / 1000), 1 + ${pick(4, 'e')}, ${pick(8, 'a')}, REPEAT('long text, ', ${pick(20, 'r')}) FROM ${numbers}`;
    yield `INSERT INTO stock (product_id, warehouse, quantity) SELECT n, w, 1000 + ${pick(500, 'q')} FROM ${numbers}, (SELECT 1 w UNION ALL SELECT 2) warehouses`;
  }
  for (const numbers of pieces(orders)) {
    const placed = `DATE_ADD('2025-01-01 00:00:00.000000', INTERVAL n * 7000001 MICROSECOND)`;
    yield `INSERT INTO orders (id, customer_id, status, total, note, placed_at, updated_at)
      SELECT n, 1 + ${pick(customers, 'u')}, 1 + ${pick(4, 'o')}, 5 + ${pick(50000, 'm')} / 100, IF(${pick(5, 'h')} = 0, CONCAT('ring twice, №', n), NULL), ${placed}, NULL FROM ${numbers}`;
    yield `INSERT INTO order_items (order_id, line, product_id, quantity, price)
      SELECT n, line, 1 + (CRC32(CONCAT(n, ':', line)) % ${products}), 1 + (n + line) % 4, 1 + ${pick(9000, 'i')} / 100 FROM ${numbers}, (SELECT 1 line UNION ALL SELECT 2 UNION ALL SELECT 3) lines_
      WHERE line <= 1 + n % 3`;
    yield `INSERT INTO payments (order_id, amount, method, reference, paid_at)
      SELECT n, 5 + ${pick(50000, 'm')} / 100, ELT(1 + ${pick(3, 'y')}, 'card', 'transfer', 'cash'), UNHEX(LEFT(SHA2(n, 256), 32)), '2025-06-01 12:00:00.123' FROM ${numbers}`;
  }
  for (const numbers of pieces(500)) {
    yield `INSERT INTO coupons (code, percent, valid_for, uses) SELECT CONCAT('SAVE-', n), 5 + n % 50, SEC_TO_TIME(3600 * (n % 800)), 0 FROM ${numbers}`;
  }
}

/** Ids that the workload may use. */
export async function readIdRange(
  connection: ServerConnection,
  table: string,
  signal: AbortSignal,
): Promise<{ readonly min: number; readonly max: number }> {
  const [row] = await connection.query(`SELECT MIN(id), MAX(id) FROM ${table}`, signal);
  const [min, max] = row ?? [];
  if (typeof min !== 'string' || typeof max !== 'string') throw new MillraceError('INTERNAL', `the shop has no ${table}`);
  return { min: Number(min), max: Number(max) };
}
