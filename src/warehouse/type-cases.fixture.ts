/** How the tests of a warehouse's types write their cases. */
import type { ColumnType } from '../event/column-type.ts';

export const bytes = (digits: string): Uint8Array => Buffer.from(digits, 'hex');
export const signed = (bits: 8 | 16 | 24 | 32 | 64): ColumnType => ({ kind: 'int', bits, unsigned: false });
export const unsigned = (bits: 8 | 16 | 24 | 32 | 64): ColumnType => ({ kind: 'int', bits, unsigned: true });
export const decimal = (precision: number, scale: number): ColumnType => ({ kind: 'decimal', precision, scale, unsigned: false });
/** Values whose text is themselves. */
export const same = (...values: readonly string[]): (readonly [string, string])[] => values.map((value) => [value, value]);
export const numbers = (...values: readonly (number | bigint)[]): (readonly [number | bigint, string])[] =>
  values.map((value) => [value, String(value)]);
