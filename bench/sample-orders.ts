import { createTableSchema, type Column } from '../src/event/table-schema.ts';
import type { Value } from '../src/event/value.ts';

const int = (bits: 8 | 16 | 32 | 64, unsigned = false): Column['type'] => ({ kind: 'int', bits, unsigned });
const columns: readonly Column[] = [
  { name: 'id', type: int(64), nullable: false, nativeType: 'BIGINT' },
  { name: 'customer_id', type: int(32), nullable: false, nativeType: 'INT' },
  { name: 'status', type: { kind: 'enum', labels: ['new', 'paid', 'packed', 'sent'] }, nullable: false, nativeType: 'ENUM' },
  { name: 'amount', type: { kind: 'decimal', precision: 12, scale: 2, unsigned: false }, nullable: false, nativeType: 'DECIMAL' },
  { name: 'currency', type: { kind: 'text' }, nullable: false, nativeType: 'CHAR' },
  { name: 'qty', type: int(16, true), nullable: false, nativeType: 'SMALLINT UNSIGNED' },
  { name: 'note', type: { kind: 'text' }, nullable: true, nativeType: 'VARCHAR' },
  { name: 'payload', type: { kind: 'json' }, nullable: true, nativeType: 'JSON' },
  { name: 'is_gift', type: int(8), nullable: false, nativeType: 'TINYINT' },
  { name: 'weight', type: { kind: 'double', unsigned: false }, nullable: true, nativeType: 'DOUBLE' },
  { name: 'created_at', type: { kind: 'datetime', fsp: 3 }, nullable: false, nativeType: 'DATETIME' },
  { name: 'updated_at', type: { kind: 'timestamp', fsp: 3 }, nullable: false, nativeType: 'TIMESTAMP' },
];
/** A table of orders as shops have it: twelve columns, some 300 bytes a row. */
export const schema = createTableSchema({ database: 'shop', table: 'orders', columns, primaryKey: [0] });

export function rowOf(id: number, amount: number): Value[] {
  const words = id % 10 === 0 ? 'quick brown naïve Übergröße 東京 gift wrap' : 'quick brown fox jumps over the lazy dog';
  const payload =
    `{"ref": ${id * 7919}, "sku": "A-${id}", "dims": {"d": 0.2512, "h": 40, "w": 12}, "note": "smooth ride", ` +
    '"tags": ["fox", "gift wrap"], "express": true, "history": [1, 2, 3, 5, 8, 13, 21, 34]}';
  return [
    BigInt(id),
    id % 100_000,
    'packed',
    `${amount}.25`,
    'EUR',
    id % 1000,
    id % 5 === 0 ? null : words,
    id % 10 === 0 ? null : payload,
    id % 2,
    Math.sin(id) * 100,
    '2026-03-14 15:09:26.535',
    '2026-11-01 00:00:00.123',
  ];
}
