import type { ColumnType } from '../../event/column-type.ts';
import type { Conversion, ConversionSql } from '../duckdb/type-conversion.ts';
import { literal } from './sql-text.ts';

/** Snowflake's SQL of conversions that MySQL does to rows when a column is changed. */
export const snowflakeConversions: ConversionSql = {
  number: (from, to, value) => convertNumber(from.column.type, to.column.type, value),
  literal,
  bytesOfText: (value) => `OCTET_LENGTH(${value})`,
  bytesOfBinary: (value) => `OCTET_LENGTH(${value})`,
  endsAt: (value, digits) => `MOD(DATE_PART(NANOSECOND, ${value}), ${10 ** (9 - digits)}) = 0`,
};

/** A number that the new type holds as it is; what would be cut or rounded there depends on the SQL mode. */
function convertNumber(from: ColumnType, to: ColumnType, value: string): Conversion | undefined {
  switch (to.kind) {
    case 'int': {
      if (from.kind === 'int' && holdsAll(from, to)) return { sql: value };
      const [least, greatest] = rangeOf(to);
      return { sql: value, check: `(${value} BETWEEN ${least} AND ${greatest} AND ${value} = ROUND(${value}))` };
    }
    case 'decimal': {
      if (to.precision > 38 || (from.kind === 'decimal' && from.precision > 38)) return undefined;
      const whole = to.precision - to.scale;
      if (from.kind === 'decimal' && from.precision - from.scale <= whole && from.scale <= to.scale && (from.unsigned || !to.unsigned)) {
        return { sql: value };
      }
      const sign = to.unsigned ? ` AND ${value} >= 0` : '';
      return { sql: value, check: `(ABS(${value}) < 1${'0'.repeat(whole)} AND ${value} = ROUND(${value}, ${to.scale})${sign})` };
    }
    case 'double':
      if (from.kind === 'float' || from.kind === 'double') return { sql: value };
      return from.kind === 'int' ? { sql: value, check: `ABS(${value}) <= 9007199254740992` } : undefined;
    case 'float':
      if (from.kind === 'float') return { sql: value };
      return from.kind === 'int' ? { sql: value, check: `ABS(${value}) <= 16777216` } : undefined;
    case 'year':
      return from.kind === 'year' ? { sql: value } : undefined;
    default:
      return undefined;
  }
}

type IntType = Extract<ColumnType, { readonly kind: 'int' }>;

function rangeOf({ bits, unsigned }: IntType): readonly [bigint, bigint] {
  const half = 2n ** BigInt(bits - 1);
  return unsigned ? [0n, 2n * half - 1n] : [-half, half - 1n];
}

function holdsAll(from: IntType, to: IntType): boolean {
  const [least, greatest] = rangeOf(from);
  const [lower, upper] = rangeOf(to);
  return lower <= least && greatest <= upper;
}
