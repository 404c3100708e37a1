/** What happens in the shop while it is replicated: small and larger transactions over several tables, and schema changes. */
import { sleep } from '../../base/abort.ts';
import { isMillraceError } from '../../base/errors.ts';
import { openConnection } from '../../binlog/connection.ts';
import type { ConnectionSettings, ServerConnection } from '../../binlog/connection.ts';
import { readIdRange } from './shop.ts';

export interface WorkloadOptions {
  readonly settings: ConnectionSettings;
  readonly database: string;
  readonly seconds: number;
  /** Tells each schema change when it begins. */
  readonly onSchemaChange: (statement: string) => void;
}

export interface WorkloadCounts {
  readonly transactions: number;
  readonly schemaChanges: number;
}

export interface Workload {
  /** Ends with the time, or with the signal, which is no error. */
  readonly done: Promise<WorkloadCounts>;
  readonly counts: WorkloadCounts;
}

/** Shoppers that are at it at a time, and the pause of each after a transaction. */
const shoppers = 4;
const pauseMs = 8;

/** Starts it; several connections write at a time, a further one changes schemas. */
export function startWorkload(options: WorkloadOptions, stop: AbortSignal): Workload {
  const counts = { transactions: 0, schemaChanges: 0 };
  const signal = AbortSignal.any([stop, AbortSignal.timeout(options.seconds * 1000)]);
  const shop = async (index: number): Promise<void> => {
    await using connection = await connect(options);
    const shopper = await createShopper(connection, index);
    while (!signal.aborted) {
      await shopper();
      counts.transactions++;
      await sleep(pauseMs, signal).catch(() => undefined);
    }
  };
  const alter = async (): Promise<void> => {
    await using connection = await connect(options);
    await undoSchemaChanges(connection);
    for (const [index, sql] of schemaChanges.entries()) {
      await sleep(options.seconds * 1000 * (index === 0 ? 0.15 : 0.8 / schemaChanges.length), signal).catch(() => undefined);
      if (signal.aborted) break;
      options.onSchemaChange(sql);
      await connection.query(sql, never);
      counts.schemaChanges++;
    }
  };
  const run = async (): Promise<WorkloadCounts> => {
    await Promise.all([alter(), ...Array.from({ length: shoppers }, (_, index) => shop(index))]);
    return counts;
  };
  return { done: run(), counts };
}

const never = new AbortController().signal;

async function connect({ settings, database }: WorkloadOptions): Promise<ServerConnection> {
  const connection = await openConnection(settings, never);
  await connection.query(`USE ${database}`, never);
  return connection;
}

const schemaChanges = [
  "ALTER TABLE customers ADD COLUMN tier VARCHAR(10) NOT NULL DEFAULT 'basic' AFTER name",
  'CREATE TABLE reviews (id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, product_id INT UNSIGNED NOT NULL, stars TINYINT NOT NULL, body TEXT NULL)',
  "INSERT INTO reviews (product_id, stars, body) SELECT id, 1 + id % 5, IF(id % 2, 'fine', NULL) FROM products WHERE id <= 1000",
  'ALTER TABLE reviews ADD COLUMN helpful INT NOT NULL DEFAULT 0, MODIFY stars SMALLINT NOT NULL',
  'RENAME TABLE reviews TO product_reviews',
  'DELETE FROM product_reviews WHERE stars = 1',
  'ALTER TABLE customers RENAME COLUMN tier TO loyalty',
  'ALTER TABLE customers DROP COLUMN loyalty',
];

/** What an earlier run has left of its changes, so that the demo can run again. */
async function undoSchemaChanges(connection: ServerConnection): Promise<void> {
  const left = await connection.query(
    "SELECT column_name FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'customers' AND column_name IN ('tier', 'loyalty')",
    never,
  );
  for (const [name] of left) await connection.query(`ALTER TABLE customers DROP COLUMN ${name}`, never);
  await connection.query('DROP TABLE IF EXISTS reviews, product_reviews', never);
}

/** One shopper's transactions, one at a time, by the dice; the same in each run. */
async function createShopper(connection: ServerConnection, index: number): Promise<() => Promise<void>> {
  const random = createRandom(0x9e3779b9 ^ (index * 7919));
  const customers = await readIdRange(connection, 'customers', never);
  const products = await readIdRange(connection, 'products', never);
  const orders = await readIdRange(connection, 'orders', never);
  const between = ({ min, max }: { min: number; max: number }): number => min + Math.floor(random() * (max - min + 1));
  const query = (sql: string): ReturnType<ServerConnection['query']> => connection.query(sql, never);

  const placeOrder = async (): Promise<void> => {
    const lines = 1 + Math.floor(random() * 4);
    await query(`INSERT INTO orders (customer_id, status, total, placed_at) VALUES (${between(customers)}, 'new', 0, UTC_TIMESTAMP(6))`);
    await query('SET @order_id = LAST_INSERT_ID()');
    const items = Array.from({ length: lines }, (_, line) => ({
      line: line + 1,
      product: between(products),
      quantity: 1 + Math.floor(random() * 3),
    }));
    const values = items.map(
      ({ line, product, quantity }) => `(@order_id, ${line}, ${product}, ${quantity}, ${(1 + random() * 90).toFixed(2)})`,
    );
    await query(`INSERT INTO order_items VALUES ${values.join(', ')}`);
    // In one order of keys everywhere, or two shoppers would wait for each other.
    for (const { product, quantity } of items.sort((a, b) => a.product - b.product)) {
      await query(`UPDATE stock SET quantity = quantity - ${quantity} WHERE product_id = ${product} AND warehouse = 1`);
    }
    await query(
      'UPDATE orders SET total = (SELECT SUM(quantity * price) FROM order_items WHERE order_id = @order_id) WHERE id = @order_id',
    );
    await query(
      "INSERT INTO payments (order_id, amount, method, reference, paid_at) SELECT id, total, 'card', UNHEX(LEFT(SHA2(id, 256), 32)), UTC_TIMESTAMP(3) FROM orders WHERE id = @order_id",
    );
  };
  const ship = (): Promise<unknown> => {
    const from = between(orders);
    return query(`UPDATE orders SET status = 'shipped', updated_at = CURRENT_TIMESTAMP WHERE id BETWEEN ${from} AND ${from + 19}`);
  };
  const cancel = async (): Promise<void> => {
    const order = between(orders);
    await query(`DELETE FROM payments WHERE order_id = ${order}`);
    await query(`DELETE FROM order_items WHERE order_id = ${order}`);
    await query(`DELETE FROM orders WHERE id = ${order}`);
  };
  const edit = (): Promise<unknown> =>
    query(
      `UPDATE customers SET email = CONCAT('c', id, '.', ${Math.floor(random() * 1e6)}, '@example.com'), preferences = '{"size": "XL", "visits": ${Math.floor(random() * 100)}}' WHERE id = ${between(customers)}`,
    );
  const join = (): Promise<unknown> =>
    query(
      `INSERT INTO customers (email, name, country, newsletter) VALUES ('new${Math.floor(random() * 1e9)}@example.com', 'Søren 🎉', 'DK', 1)`,
    );
  const reprice = (): Promise<unknown> => query(`UPDATE products SET price = price + 0.01 WHERE id % 97 = ${Math.floor(random() * 97)}`);
  const renameCoupon = (): Promise<unknown> => {
    const number = 1 + Math.floor(random() * 500);
    // The key itself changes.
    return query(
      `UPDATE coupons SET code = CONCAT('SAVE-', ${number}, '-', ${Math.floor(random() * 1e6)}), uses = uses + 1 WHERE code LIKE 'SAVE-${number}%' LIMIT 1`,
    );
  };
  const rollBack = async (): Promise<void> => {
    await query(`DELETE FROM stock WHERE product_id = ${between(products)}`);
    await query('ROLLBACK');
    await query('BEGIN');
  };

  return async () => {
    const dice = random();
    const work =
      dice < 0.5
        ? placeOrder
        : dice < 0.65
          ? ship
          : dice < 0.72
            ? cancel
            : dice < 0.86
              ? edit
              : dice < 0.92
                ? join
                : dice < 0.94
                  ? reprice
                  : dice < 0.98
                    ? renameCoupon
                    : rollBack;
    try {
      await query('BEGIN');
      await work();
      await query('COMMIT');
    } catch (error) {
      // Two shoppers stood in each other's way; the server has undone one of them.
      if (!isMillraceError(error, 'MYSQL_QUERY_FAILED')) throw error;
      await query('ROLLBACK');
    }
  };
}

/** Mulberry32: numbers from 0 to below 1. */
function createRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
