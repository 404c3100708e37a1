import { compilationError, unknownForm } from '../snowflake-error.ts';
import { boolean, float, isSemiStructured, type SfType, text, typeText } from '../sql/sf-type.ts';
import { cast, toText } from './cast.ts';
import { raise, type Typed } from './typed.ts';

type NumberType = Extract<SfType, { kind: 'number' }>;

export function invalidArguments(name: string, ...args: readonly Typed[]): Error {
  const types = args.map((arg) => typeText(arg.type)).join(', ');
  return compilationError('001044', '42P13', `Invalid argument types for function '${name}': (${types})`);
}

/** Snowflake takes so many expressions in a list: rows of VALUES, alternatives of IN. */
export function assertListLength(length: number): void {
  if (length <= 16_384) return;
  throw compilationError('001795', '42601', `maximum number of expressions in a list exceeded, expected at most 16,384, got ${length}`);
}

/** Both sides as one type, so that DuckDB compares what Snowflake compares. */
export function align(left: Typed, right: Typed): readonly [Typed, Typed] {
  const a = left.type.kind;
  const b = right.type.kind;
  if (a === 'null' || b === 'null') {
    const type = a === 'null' ? right.type : left.type;
    return type.kind === 'null' ? [left, right] : [cast(left, type, 'explicit'), cast(right, type, 'explicit')];
  }
  if (left.type.kind === 'number' && right.type.kind === 'number') return [left, right];
  if (a === b) return [left, right];
  if ((a === 'float' && b === 'number') || (a === 'number' && b === 'float')) {
    return [cast(left, float, 'explicit'), cast(right, float, 'explicit')];
  }
  if (isSemiStructured(left.type) && isSemiStructured(right.type)) return [left, right];
  if (isSemiStructured(left.type) || isSemiStructured(right.type)) {
    throw unknownForm(`a comparison of ${typeText(left.type)} and ${typeText(right.type)} (cast the VARIANT)`);
  }
  if (a === 'text' && b !== 'binary') return [cast(left, wide(right.type), 'explicit'), right];
  if (b === 'text' && a !== 'binary') return [left, cast(right, wide(left.type), 'explicit')];
  if (a === 'date' && b === 'timestamp_ntz') return [cast(left, right.type, 'explicit'), right];
  if (a === 'timestamp_ntz' && b === 'date') return [left, cast(right, left.type, 'explicit')];
  throw unknownForm(`a comparison of ${typeText(left.type)} and ${typeText(right.type)}`);
}

/** A text beside a number is read with all digits that there can be. */
function wide(type: SfType): SfType {
  return type.kind === 'number' ? { kind: 'number', precision: 38, scale: type.scale } : type;
}

/** SQL that can be compared, grouped and sorted by. */
export function comparable(value: Typed): string {
  return value.type.kind === 'timestamp_tz' ? `(${value.sql}).u` : value.sql;
}

export function compare(operator: string, left: Typed, right: Typed): Typed {
  const [a, b] = align(left, right);
  return { sql: `(${comparable(a)} ${operator} ${comparable(b)})`, type: boolean };
}

export function equalNull(left: Typed, right: Typed): Typed {
  return compare('IS NOT DISTINCT FROM', left, right);
}

/** One type for the branches of CASE, COALESCE and the like. */
export function unify(values: readonly Typed[], name: string): readonly Typed[] {
  let type: SfType = { kind: 'null' };
  for (const value of values) type = commonType(type, value.type, name);
  const common = type;
  if (common.kind === 'null') return values;
  return values.map((value) => (isSame(value.type, common) ? value : cast(value, common, 'explicit')));
}

function isSame(a: SfType, b: SfType): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

export function commonType(a: SfType, b: SfType, name: string): SfType {
  if (a.kind === 'null') return b;
  if (b.kind === 'null') return a;
  if (a.kind === 'number' && b.kind === 'number') {
    const scale = Math.max(a.scale, b.scale);
    return { kind: 'number', precision: Math.min(38, Math.max(a.precision - a.scale, b.precision - b.scale) + scale), scale };
  }
  if (a.kind === b.kind) {
    if ('length' in a && 'length' in b) return a.length >= b.length ? a : b;
    if ('scale' in a && 'scale' in b) return a.scale >= b.scale ? a : b;
    return a;
  }
  const kinds = new Set([a.kind, b.kind]);
  if (kinds.has('number') && kinds.has('float')) return float;
  if (isSemiStructured(a) && isSemiStructured(b)) return { kind: 'variant' };
  throw unknownForm(`${name} of ${typeText(a)} and ${typeText(b)} (write a CAST)`);
}

export function arithmetic(operator: string, left: Typed, right: Typed): Typed {
  const numeric = (value: Typed): Typed => {
    if (value.type.kind === 'number' || value.type.kind === 'float') return value;
    if (value.type.kind === 'null') return cast(value, { kind: 'number', precision: 38, scale: 0 }, 'explicit');
    throw invalidArguments(operator, left, right);
  };
  if (left.type.kind === 'date' && right.type.kind === 'number' && (operator === '+' || operator === '-')) {
    return { sql: `CAST(${left.sql} ${operator} CAST(${right.sql} AS INTEGER) AS DATE)`, type: left.type };
  }
  const [a, b] = [numeric(left), numeric(right)];
  if (a.type.kind !== 'number' || b.type.kind !== 'number') {
    const zero = raise('100051', '22012', 'Division by zero');
    const divisor =
      operator === '/' || operator === '%'
        ? `CASE WHEN CAST(${b.sql} AS DOUBLE) = 0 THEN ${zero} ELSE CAST(${b.sql} AS DOUBLE) END`
        : `CAST(${b.sql} AS DOUBLE)`;
    return { sql: `(CAST(${a.sql} AS DOUBLE) ${operator} ${divisor})`, type: float };
  }
  return decimals(operator, { sql: a.sql, type: a.type }, { sql: b.sql, type: b.type });
}

interface Decimal {
  readonly sql: string;
  readonly type: NumberType;
}

/** Precision and scale as Snowflake's rules give them, never more than 38 digits. */
function decimals(operator: string, a: Decimal, b: Decimal): Typed {
  const integers = Math.max(a.type.precision - a.type.scale, b.type.precision - b.type.scale);
  switch (operator) {
    case '+':
    case '-': {
      const scale = Math.max(a.type.scale, b.type.scale);
      const type: NumberType = { kind: 'number', precision: Math.min(38, integers + scale + 1), scale };
      const same = `DECIMAL(${type.precision},${scale})`;
      return { sql: `CAST(CAST(${a.sql} AS ${same}) ${operator} CAST(${b.sql} AS ${same}) AS ${same})`, type };
    }
    case '*': {
      const scale = Math.min(a.type.scale + b.type.scale, Math.max(a.type.scale, b.type.scale, 12));
      const type: NumberType = { kind: 'number', precision: Math.min(38, a.type.precision + b.type.precision), scale };
      if (a.type.scale + b.type.scale > 37) throw unknownForm('a product of more than 37 digits after the point');
      const wide_ = (value: Decimal): string => `CAST(${value.sql} AS DECIMAL(38,${value.type.scale}))`;
      return { sql: `CAST(${wide_(a)} * ${wide_(b)} AS DECIMAL(${type.precision},${scale}))`, type };
    }
    case '%': {
      if (a.type.scale > 0 || b.type.scale > 0) throw unknownForm('% of fractions');
      const zero = raise('100051', '22012', 'Division by zero');
      const divisor = `CASE WHEN ${b.sql} = 0 THEN ${zero} ELSE CAST(${b.sql} AS HUGEINT) END`;
      return { sql: `CAST(CAST(${a.sql} AS HUGEINT) % (${divisor}) AS DECIMAL(${b.type.precision},0))`, type: b.type };
    }
    default:
      return quotient(a, b);
  }
}

/** Six digits more than the dividend has after the point, up to twelve, or as many as it has. */
export function quotient(a: Decimal, b: Decimal): Typed {
  const scale = Math.max(a.type.scale, Math.min(a.type.scale + 6, 12));
  const type: NumberType = { kind: 'number', precision: 38, scale };
  const texts = `CAST(${a.sql} AS VARCHAR), CAST(${b.sql} AS VARCHAR)`;
  return { sql: `CAST(sf_divide(${texts}, '${scale}') AS DECIMAL(38,${scale}))`, type };
}

/** What functions on texts take: texts, and what has one form as text. */
export function asText(value: Typed, name: string): string {
  switch (value.type.kind) {
    case 'text':
    case 'number':
    case 'boolean':
    case 'date':
    case 'null':
    case 'float':
      return toText(value.sql, value.type);
    default:
      throw invalidArguments(name, value);
  }
}

export function concat(left: Typed, right: Typed): Typed {
  if (left.type.kind === 'binary' && right.type.kind === 'binary') return { sql: `(${left.sql} || ${right.sql})`, type: left.type };
  return { sql: `(${asText(left, '||')} || ${asText(right, '||')})`, type: text };
}
