import { compilationError, unknownForm } from '../snowflake-error.ts';
import { duckType, isSemiStructured, type SfType, typeText } from '../sql/sf-type.ts';
import { raise, type Typed } from './typed.ts';

/** `explicit` is a CAST, `assign` what a column takes, `try` is TRY_CAST. */
export type CastMode = 'explicit' | 'assign' | 'try';

const numberPattern = String.raw`[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?`;
const timePattern = String.raw`\d{1,2}:\d{2}:\d{2}(\.\d{1,6}0{0,3})?`;
const datePattern = String.raw`\d{4}-\d{2}-\d{2}`;
const zonePattern = String.raw`(Z| ?[+-]\d{2}:?\d{2})`;

/** @throws SnowflakeError for a conversion that Snowflake has not, or that the emulator does not know. */
export function cast(value: Typed, type: SfType, mode: CastMode): Typed {
  const from = value.type;
  if (from.kind === 'null') return { sql: `CAST(NULL AS ${duckType(type)})`, type };
  if (mode === 'try' && from.kind !== 'text') {
    throw compilationError(
      '001065',
      '22023',
      `Function TRY_CAST cannot be used with arguments of types ${typeText(from)} and ${typeText(type)}`,
    );
  }
  return { sql: convert(value.sql, from, type, mode), type };
}

/** What an INSERT, UPDATE, MERGE or COPY may store without a CAST. */
export function assign(value: Typed, type: SfType, column: string): Typed {
  const from = value.type.kind;
  const to = type.kind;
  const numeric = (kind: string): boolean => kind === 'number' || kind === 'float';
  const allowed =
    from === to ||
    from === 'null' ||
    (numeric(from) && numeric(to)) ||
    (from === 'text' && !isSemiStructured(type) && to !== 'binary') ||
    (to === 'variant' && isSemiStructured(value.type)) ||
    (from === 'date' && to === 'timestamp_ntz');
  if (!allowed) {
    throw compilationError(
      '002023',
      '22000',
      `Expression type does not match column data type, expecting ${typeText(type)} but got ${typeText(value.type)} for column ${column}`,
    );
  }
  return cast(value, type, 'assign');
}

/** The conversion, or the error of Snowflake's that names the value; with TRY_CAST, NULL. */
function checked(
  sql: string,
  attempt: string,
  mode: CastMode,
  failure: readonly [code: string, sqlState: string, message: string],
): string {
  if (mode === 'try') return attempt;
  return `CASE WHEN (${sql}) IS NULL THEN NULL ELSE coalesce(${attempt}, ${raise(...failure, sql)}) END`;
}

function matching(sql: string, pattern: string, attempt: string): string {
  return `CASE WHEN regexp_full_match(${sql}, '${pattern}') THEN ${attempt} END`;
}

function convert(sql: string, from: SfType, to: SfType, mode: CastMode): string {
  switch (to.kind) {
    case 'number':
      return toNumber(sql, from, to, mode);
    case 'float':
      return toFloat(sql, from, mode);
    case 'boolean':
      return toBoolean(sql, from, mode);
    case 'text':
      return limited(toText(sql, from), from, to, mode);
    case 'binary':
      return toBinary(sql, from, to, mode);
    case 'date':
      return toDate(sql, from, mode);
    case 'time':
      return toTime(sql, from, to.scale, mode);
    case 'timestamp_ntz':
    case 'timestamp_ltz':
    case 'timestamp_tz':
      return toTimestamp(sql, from, to, mode);
    case 'variant':
    case 'object':
    case 'array':
      return toSemiStructured(sql, from, to);
    case 'null':
      return 'NULL';
  }
}

function refused(from: SfType, to: string): Error {
  return compilationError('001007', '22023', `invalid type [CAST(… ${typeText(from)} AS ${to})] for parameter 'TO_${to}'`);
}

function toNumber(sql: string, from: SfType, to: Extract<SfType, { kind: 'number' }>, mode: CastMode): string {
  const type = duckType(to);
  const range = ['100039', '22003', `Numeric value '{}' is out of range`] as const;
  switch (from.kind) {
    case 'number':
      if (to.scale >= from.scale && to.precision - to.scale >= from.precision - from.scale) return `CAST(${sql} AS ${type})`;
      return checked(sql, `TRY_CAST(${sql} AS ${type})`, mode, range);
    case 'float':
      return checked(sql, `TRY_CAST(${sql} AS ${type})`, mode, range);
    case 'text':
      return checked(sql, matching(`trim(${sql})`, numberPattern, `TRY_CAST(trim(${sql}) AS ${type})`), mode, [
        '100038',
        '22018',
        `Numeric value '{}' is not recognized`,
      ]);
    case 'boolean':
      return `CAST(CAST(${sql} AS INTEGER) AS ${type})`;
    case 'variant':
      return fromVariant(sql, to, mode, 'FIXED');
    default:
      throw refused(from, 'NUMBER');
  }
}

function toFloat(sql: string, from: SfType, mode: CastMode): string {
  switch (from.kind) {
    case 'number':
    case 'float':
      return `CAST(${sql} AS DOUBLE)`;
    case 'text':
      return checked(sql, matching(`lower(trim(${sql}))`, `${numberPattern}|nan|-?inf`, `TRY_CAST(trim(${sql}) AS DOUBLE)`), mode, [
        '100038',
        '22018',
        `Numeric value '{}' is not recognized`,
      ]);
    case 'variant':
      return fromVariant(sql, { kind: 'float' }, mode, 'REAL');
    default:
      throw refused(from, 'DOUBLE');
  }
}

function toBoolean(sql: string, from: SfType, mode: CastMode): string {
  switch (from.kind) {
    case 'boolean':
      return sql;
    case 'number':
      return `(${sql}) <> 0`;
    case 'text': {
      const word = `lower(trim(${sql}))`;
      const attempt = `CASE WHEN ${word} IN ('true','t','yes','y','on','1') THEN true WHEN ${word} IN ('false','f','no','n','off','0') THEN false END`;
      return checked(sql, attempt, mode, ['100037', '22018', `Boolean value '{}' is not recognized`]);
    }
    case 'variant':
      return fromVariant(sql, { kind: 'boolean' }, mode, 'BOOLEAN');
    default:
      throw refused(from, 'BOOLEAN');
  }
}

/** Without the length of the target. */
export function toText(sql: string, from: SfType): string {
  switch (from.kind) {
    case 'text':
      return sql;
    case 'number':
      // DuckDB prints no zero before the point where the type has no digit there
      if (from.precision === from.scale) return `regexp_replace(CAST(${sql} AS VARCHAR), '^(-?)\\.', '\\10.')`;
      return `CAST(${sql} AS VARCHAR)`;
    case 'float':
      return `sf_float_text(CAST(${sql} AS VARCHAR))`;
    case 'boolean':
      return `CAST(${sql} AS VARCHAR)`;
    case 'binary':
      // BINARY_OUTPUT_FORMAT is HEX: the emulator takes no other.
      return `hex(${sql})`;
    case 'variant':
      return `sf_text(${sql})`;
    case 'object':
    case 'array':
      return sql;
    case 'date':
    case 'time':
    case 'timestamp_ntz':
    case 'timestamp_ltz':
    case 'timestamp_tz':
      throw unknownForm(`a ${from.kind.toUpperCase()} cast to VARCHAR (its form depends on parameters: write TO_VARCHAR with a format)`);
    case 'null':
      return 'CAST(NULL AS VARCHAR)';
  }
}

/** A CAST cuts a longer text, a column refuses it. */
function limited(sql: string, from: SfType, to: Extract<SfType, { kind: 'text' | 'binary' }>, mode: CastMode): string {
  if (from.kind === to.kind && from.length <= to.length) return sql;
  if (from.kind !== 'text' && from.kind !== 'variant' && to.length > 100) return sql;
  if (mode === 'explicit') return `left(${sql}, ${to.length})`;
  if (mode === 'try') return `CASE WHEN length(${sql}) <= ${to.length} THEN ${sql} END`;
  const failure = raise('100078', '22000', `String '{}' is too long and would be truncated`, sql);
  return `CASE WHEN length(${sql}) > ${to.length} THEN ${failure} ELSE ${sql} END`;
}

function toBinary(sql: string, from: SfType, to: Extract<SfType, { kind: 'text' | 'binary' }>, mode: CastMode): string {
  if (from.kind === 'binary') {
    if (from.length <= to.length) return sql;
    const failure = raise('100145', '22000', `Binary value '{}' is too long and would be truncated`, `hex(${sql})`);
    return `CASE WHEN octet_length(${sql}) > ${to.length} THEN ${failure} ELSE ${sql} END`;
  }
  if (from.kind === 'variant') return toBinary(`sf_text(${sql})`, { kind: 'text', length: to.length }, to, mode);
  if (from.kind !== 'text') throw refused(from, 'BINARY');
  return hexToBinary(sql, mode);
}

/** BINARY_INPUT_FORMAT is HEX: the emulator knows no other. */
export function hexToBinary(sql: string, mode: CastMode): string {
  const attempt = matching(sql, '([0-9a-fA-F]{2})*', `unhex(${sql})`);
  return checked(sql, attempt, mode, ['100115', '22000', `The following string is not a legal hex-encoded value: '{}'`]);
}

function toDate(sql: string, from: SfType, mode: CastMode): string {
  switch (from.kind) {
    case 'date':
      return sql;
    case 'timestamp_ntz':
    case 'timestamp_ltz':
      return `CAST(${sql} AS DATE)`;
    case 'text':
      return checked(sql, matching(sql, datePattern, `TRY_CAST(${sql} AS DATE)`), mode, ['100040', '22007', `Date '{}' is not recognized`]);
    case 'variant':
      return toDate(`sf_text(${sql})`, { kind: 'text', length: 1 }, mode);
    default:
      throw refused(from, 'DATE');
  }
}

function toTime(sql: string, from: SfType, scale: number, mode: CastMode): string {
  switch (from.kind) {
    case 'time':
      return scale >= from.scale || scale >= 6 ? sql : cutTime(sql, scale);
    case 'text': {
      const attempt = matching(sql, timePattern, `TRY_CAST(left(${sql}, 15) AS TIME)`);
      return cutTime(checked(sql, attempt, mode, ['100108', '22007', `Time '{}' is not recognized`]), scale);
    }
    case 'variant':
      return toTime(`sf_text(${sql})`, { kind: 'text', length: 1 }, scale, mode);
    default:
      throw refused(from, 'TIME');
  }
}

/** Snowflake cuts digits of a second that a type has not. */
function cutTime(sql: string, scale: number): string {
  if (scale >= 6) return sql;
  const unit = 10 ** (6 - scale);
  return `CAST(make_timestamp((date_part('epoch_us', DATE '1970-01-01' + (${sql})) // ${unit}) * ${unit}) AS TIME)`;
}

function cutTimestamp(sql: string, scale: number): string {
  if (scale >= 6) return sql;
  const unit = 10 ** (6 - scale);
  return `make_timestamp(CAST(floor(epoch_us(${sql}) / ${unit}) AS BIGINT) * ${unit})`;
}

function toTimestamp(sql: string, from: SfType, to: Extract<SfType, { scale: number; kind: string }>, mode: CastMode): string {
  const zoned = to.kind === 'timestamp_tz';
  const make = (utc: string, minutes = '0'): string => {
    const cut = cutTimestamp(utc, to.scale);
    return zoned ? `CASE WHEN (${utc}) IS NULL THEN NULL ELSE {'u': ${cut}, 'o': CAST(${minutes} AS SMALLINT)} END` : cut;
  };
  switch (from.kind) {
    case 'date':
    case 'timestamp_ntz':
    case 'timestamp_ltz':
      // TIMEZONE is UTC: the emulator knows no other.
      return make(`CAST(${sql} AS TIMESTAMP)`);
    case 'timestamp_tz':
      if (zoned) return from.scale <= to.scale ? sql : make(`(${sql}).u`, `(${sql}).o`);
      return make(to.kind === 'timestamp_ltz' ? `(${sql}).u` : `(${sql}).u + to_minutes(CAST((${sql}).o AS BIGINT))`);
    case 'text':
      return textToTimestamp(sql, to, mode, make);
    case 'variant':
      return toTimestamp(`sf_text(${sql})`, { kind: 'text', length: 1 }, to, mode);
    default:
      throw refused(from, to.kind.toUpperCase());
  }
}

function textToTimestamp(
  sql: string,
  to: Extract<SfType, { scale: number; kind: string }>,
  mode: CastMode,
  make: (utc: string, minutes?: string) => string,
): string {
  const pattern = `${datePattern}([ T]${timePattern}${to.kind === 'timestamp_ntz' ? '' : `${zonePattern}?`})?`;
  const zone = `regexp_extract(substr(${sql}, 11), '${zonePattern}$', 1)`;
  const local = `TRY_CAST(left(regexp_replace(${sql}, '(:[0-9]{2}(\\.[0-9]+)?)${zonePattern}$', '\\1'), 26) AS TIMESTAMP)`;
  const sign = `CASE WHEN ${zone} LIKE '%-%' THEN -1 ELSE 1 END`;
  const digits = `regexp_replace(${zone}, '[^0-9]', '', 'g')`;
  const minutes = `CASE WHEN ${zone} IN ('', 'Z') THEN 0 ELSE ${sign} * (CAST(left(${digits}, 2) AS BIGINT) * 60 + CAST(right(${digits}, 2) AS BIGINT)) END`;
  const value = to.kind === 'timestamp_ntz' ? make(local) : make(`${local} - to_minutes(${minutes})`, minutes);
  return checked(sql, matching(sql, pattern, value), mode, ['100035', '22007', `Timestamp '{}' is not recognized`]);
}

/** JSON's null becomes NULL; what is no value of the type is an error. */
function fromVariant(sql: string, to: SfType, mode: CastMode, name: string): string {
  const inner = convert(`sf_text(${sql})`, { kind: 'text', length: 1 }, to, 'try');
  if (mode === 'try') return inner;
  const failure = raise('100071', '22000', `Failed to cast variant value {} to ${name}`, sql);
  return `CASE WHEN sf_text(${sql}) IS NULL THEN NULL ELSE coalesce(${inner}, ${failure}) END`;
}

function toSemiStructured(sql: string, from: SfType, to: SfType): string {
  if (from.kind === to.kind || (to.kind === 'variant' && isSemiStructured(from))) return sql;
  if (from.kind === 'variant') {
    const [first, name] = to.kind === 'array' ? ['[', 'ARRAY'] : ['{', 'OBJECT'];
    const failure = raise('100071', '22000', `Failed to cast variant value {} to ${name}`, sql);
    return `CASE WHEN ${sql} IS NULL OR ${sql} = 'null' THEN NULL WHEN starts_with(${sql}, '${first}') THEN ${sql} ELSE ${failure} END`;
  }
  if (to.kind !== 'variant') throw refused(from, to.kind.toUpperCase());
  return toVariant(sql, from);
}

export function toVariant(sql: string, from: SfType): string {
  switch (from.kind) {
    case 'text':
      return `CAST(to_json(${sql}) AS VARCHAR)`;
    case 'number':
    case 'boolean':
      return `sf_parse_json(${toText(sql, from)})`;
    case 'float':
      return `sf_parse_json(CAST(${sql} AS VARCHAR) || CASE WHEN CAST(${sql} AS VARCHAR) LIKE '%e%' THEN '' ELSE 'e0' END)`;
    case 'variant':
    case 'object':
    case 'array':
      return sql;
    case 'null':
      return 'CAST(NULL AS VARCHAR)';
    case 'date':
    case 'binary':
    case 'time':
    case 'timestamp_ntz':
    case 'timestamp_ltz':
    case 'timestamp_tz':
      throw unknownForm(`a ${from.kind.toUpperCase()} in a VARIANT (its form depends on parameters: write TO_VARCHAR with a format)`);
  }
}
