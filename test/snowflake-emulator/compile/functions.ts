import { compilationError, unknownForm } from '../snowflake-error.ts';
import { binary, boolean, date, float, integer, type SfType, text } from '../sql/sf-type.ts';
import { cast, hexToBinary, toText } from './cast.ts';
import { formatted } from './date-format.ts';
import { arithmetic, asText, comparable, compare, equalNull, invalidArguments, unify } from './operators.ts';
import { type Argument, type Build, count, nothing } from './function.ts';
import { jsonFunctions } from './json-functions.ts';
import { raise, type Typed } from './typed.ts';

/** A function of texts whose result is a text. */
function ofTexts(least: number, most: number, sql: (...texts: readonly string[]) => string, type: SfType = text): Build {
  return (args, name) => {
    count(args, name, least, most);
    return { sql: sql(...args.map((arg) => asText(arg, name))), type };
  };
}

/** A text or the bytes of a binary. */
function bytes(arg: Argument, name: string): string {
  return arg.type.kind === 'binary' ? arg.sql : `encode(${asText(arg, name)})`;
}

function digest(of: (sql: string) => string): Build {
  return (args, name) => {
    count(args, name, 1);
    return { sql: of(bytes(args[0] ?? nothing, name)), type: { kind: 'text', length: 64 } };
  };
}

function whole(arg: Argument, name: string): string {
  if (arg.type.kind !== 'number' && arg.type.kind !== 'null') throw invalidArguments(name, arg);
  return `CAST(${arg.sql} AS BIGINT)`;
}

function substring(args: readonly Argument[], name: string): Typed {
  count(args, name, 2, 3);
  const [value = nothing, from = nothing, length] = args;
  const start = `CASE WHEN ${whole(from, name)} = 0 THEN 1 ELSE ${whole(from, name)} END`;
  const rest = length === undefined ? '' : `, greatest(${whole(length, name)}, 0)`;
  const isBinary = value.type.kind === 'binary';
  // DuckDB has no substring of a BLOB: its hexadecimal digits are cut.
  if (isBinary) {
    const most = length === undefined ? '' : `, greatest(${whole(length, name)}, 0) * 2`;
    return { sql: `unhex(substring(hex(${value.sql}), (${start}) * 2 - 1${most}))`, type: value.type };
  }
  return { sql: `substring(${asText(value, name)}, ${start}${rest})`, type: text };
}

function coalesce(args: readonly Argument[], name: string): Typed {
  if (args.length < 2) count(args, name, 2);
  const values = unify(args, name);
  return { sql: `coalesce(${values.map((value) => value.sql).join(', ')})`, type: values[0]?.type ?? text };
}

function iff(args: readonly Argument[], name: string): Typed {
  count(args, name, 3);
  const [condition = nothing, yes = nothing, no = nothing] = args;
  const [a = yes, b = no] = unify([yes, no], name);
  return { sql: `CASE WHEN ${truth(condition)} THEN ${a.sql} ELSE ${b.sql} END`, type: a.type };
}

export function truth(value: Typed): string {
  if (value.type.kind === 'boolean') return value.sql;
  if (value.type.kind === 'null') return 'CAST(NULL AS BOOLEAN)';
  throw compilationError('002016', '22000', `Invalid data type for predicate: a BOOLEAN is expected`);
}

function toNumber(attempt: boolean): Build {
  return (args, name) => {
    const [value = nothing, second, third, fourth] = args;
    const mode = attempt ? 'try' : 'explicit';
    if (second?.literal !== undefined && second.type.kind === 'text') return hexNumber(value, second.literal, third, name);
    count(args, name, 1, 3);
    if (fourth !== undefined) throw unknownForm(`${name} with four arguments`);
    const precision = Number(second?.literal ?? 38);
    const scale = Number(third?.literal ?? 0);
    if (!Number.isInteger(precision) || !Number.isInteger(scale)) throw unknownForm(`${name} with a computed precision`);
    return cast(value, { kind: 'number', precision, scale }, mode);
  };
}

/** `TO_NUMBER(hex, 'XXXX')`: as many digits as the format has, or fewer. */
function hexNumber(value: Argument, format: string, third: Argument | undefined, name: string): Typed {
  if (!/^X+$/i.test(format) || format.length > 31) throw unknownForm(`${name} with format '${format}'`);
  if (third !== undefined) throw unknownForm(`${name} with a format and a precision`);
  const digits = asText(value, name);
  const failure = raise('100039', '22018', `Can't parse '{}' as number with format '${format}'`, digits);
  const fits = `CASE WHEN length(${digits}) > ${format.length} THEN ${failure} ELSE ${digits} END`;
  return { sql: `CAST(sf_hex_number(${fits}) AS DECIMAL(38,0))`, type: integer };
}

function toVarchar(args: readonly Argument[], name: string): Typed {
  count(args, name, 1, 2);
  const [value = nothing, format] = args;
  if (format === undefined) return { sql: toText(value.sql, value.type), type: text };
  if (format.literal === undefined) throw unknownForm(`${name} with a computed format`);
  if (value.type.kind === 'binary') {
    const upper = format.literal.toUpperCase();
    if (upper === 'HEX') return { sql: `hex(${value.sql})`, type: text };
    if (upper === 'BASE64') return { sql: `to_base64(${value.sql})`, type: text };
    if (upper === 'UTF-8' || upper === 'UTF8') return { sql: `decode(${value.sql})`, type: text };
    throw unknownForm(`${name} of a BINARY as '${format.literal}'`);
  }
  return { sql: formatted(value, format.literal), type: text };
}

function toBinary(args: readonly Argument[], name: string): Typed {
  count(args, name, 1, 2);
  const [value = nothing, format] = args;
  if (value.type.kind === 'binary') return value;
  const upper = (format?.literal ?? 'HEX').toUpperCase();
  const sql = asText(value, name);
  if (upper === 'HEX') return { sql: hexToBinary(sql, 'explicit'), type: binary };
  if (upper === 'BASE64') return { sql: `from_base64(${sql})`, type: binary };
  if (upper === 'UTF-8' || upper === 'UTF8') return { sql: `encode(${sql})`, type: binary };
  throw unknownForm(`${name} with format '${upper}'`);
}

/** Nanoseconds that are whole microseconds: finer ones the emulator could not keep. */
function wholeMicros(nanos: string): string {
  const failure = raise('001003', '42000', 'the emulator keeps no nanoseconds: {}', nanos);
  return `CASE WHEN CAST(${nanos} AS BIGINT) % 1000 <> 0 THEN ${failure} ELSE CAST(${nanos} AS BIGINT) // 1000 END`;
}

/** `TO_TIMESTAMP_NTZ(text)` or `TO_TIMESTAMP_NTZ(number, scale)`; without a scale Snowflake would guess the unit. */
function toTimestamp(kind: 'timestamp_ntz' | 'timestamp_ltz' | 'timestamp_tz', attempt: boolean): Build {
  return (args, name) => {
    count(args, name, 1, 2);
    const [value = nothing, second] = args;
    const type: SfType = { kind, scale: 9 };
    if (value.type.kind === 'number') {
      const scale = second?.literal;
      if (scale === undefined || !['0', '3', '6', '9'].includes(scale)) {
        throw unknownForm(`${name}(number) without a scale of 0, 3, 6 or 9`);
      }
      const micros = scale === '9' ? wholeMicros(value.sql) : `CAST(${value.sql} AS BIGINT) * ${10 ** (6 - Number(scale))}`;
      return cast({ sql: `make_timestamp(${micros})`, type: { kind: 'timestamp_ntz', scale: 9 } }, type, 'explicit');
    }
    if (second !== undefined) throw unknownForm(`${name} of a text with a format`);
    return cast(value, type, attempt ? 'try' : 'explicit');
  };
}

function as(type: SfType, attempt = false): Build {
  return (args, name) => {
    if (args.length > 1) throw unknownForm(`${name} with a format`);
    count(args, name, 1);
    return cast(args[0] ?? nothing, type, attempt ? 'try' : 'explicit');
  };
}

function extreme(duck: string): Build {
  return (args, name) => {
    const values = unify(args, name);
    // Snowflake: one NULL makes the result NULL; DuckDB would pass over it.
    const anyNull = values.map((value) => `(${value.sql}) IS NULL`).join(' OR ');
    return { sql: `CASE WHEN ${anyNull} THEN NULL ELSE ${duck}(${values.map(comparable).join(', ')}) END`, type: values[0]?.type ?? text };
  };
}

function rounding(duck: string): Build {
  return (args, name) => {
    count(args, name, 1, duck === 'round' ? 2 : 1);
    const [value = nothing, scale] = args;
    if (value.type.kind === 'float') {
      return { sql: `${duck}(${value.sql}${scale === undefined ? '' : `, ${whole(scale, name)}`})`, type: float };
    }
    if (value.type.kind !== 'number') throw invalidArguments(name, value);
    const digits = scale === undefined ? 0 : Number(scale.literal ?? Number.NaN);
    if (!Number.isInteger(digits) || digits < 0) throw unknownForm(`${name} with a computed or negative scale`);
    const type: SfType = { kind: 'number', precision: 38, scale: Math.min(digits, value.type.scale) };
    return { sql: `CAST(${duck}(${value.sql}${scale === undefined ? '' : `, ${digits}`}) AS DECIMAL(38,${type.scale}))`, type };
  };
}

function bitwise(operator: string): Build {
  return (args, name) => {
    count(args, name, 2);
    for (const arg of args) if (arg.type.kind !== 'number' || arg.type.scale > 0) throw invalidArguments(name, ...args);
    const [a = nothing, b = nothing] = args;
    const sql =
      operator === 'xor'
        ? `xor(CAST(${a.sql} AS HUGEINT), CAST(${b.sql} AS HUGEINT))`
        : `(CAST(${a.sql} AS HUGEINT) ${operator} CAST(${b.sql} AS HUGEINT))`;
    return { sql: `CAST(${sql} AS DECIMAL(38,0))`, type: integer };
  };
}

function nullIf(args: readonly Argument[], name: string): Typed {
  count(args, name, 2);
  const [a = nothing, b = nothing] = args;
  return { sql: `CASE WHEN ${compare('=', a, b).sql} THEN NULL ELSE ${a.sql} END`, type: a.type };
}

/** `DATE_PART(EPOCH_…, x)` and the parts of a date. */
export function datePart(part: string, value: Typed): Typed {
  if (!['date', 'time', 'timestamp_ntz', 'timestamp_ltz', 'timestamp_tz'].includes(value.type.kind)) {
    throw invalidArguments('DATE_PART', value);
  }
  const at = value.type.kind === 'time' ? `(DATE '1970-01-01' + ${value.sql})` : comparable(value);
  const duck: Readonly<Record<string, string>> = {
    EPOCH_SECOND: `CAST(floor(epoch_us(${at}) / 1000000) AS BIGINT)`,
    EPOCH_MILLISECOND: `CAST(floor(epoch_us(${at}) / 1000) AS BIGINT)`,
    EPOCH_MICROSECOND: `epoch_us(${at})`,
    EPOCH_NANOSECOND: `CAST(epoch_us(${at}) AS HUGEINT) * 1000`,
    ...Object.fromEntries(['YEAR', 'MONTH', 'DAY', 'HOUR', 'MINUTE', 'SECOND'].map((name) => [name, `date_part('${name}', ${at})`])),
  };
  const sql = duck[part];
  if (sql === undefined) throw unknownForm(`DATE_PART(${part}, …)`);
  return { sql: `CAST(${sql} AS DECIMAL(38,0))`, type: integer };
}

const timestampTypes = ['timestamp_ntz', 'timestamp_ltz', 'timestamp_tz'] as const;

export const scalarFunctions: Readonly<Record<string, Build>> = {
  ...jsonFunctions,
  UPPER: ofTexts(1, 1, (x) => `upper(${x ?? ''})`),
  LOWER: ofTexts(1, 1, (x) => `lower(${x ?? ''})`),
  TRIM: ofTexts(1, 1, (x) => `trim(${x ?? ''}, ' ')`),
  LTRIM: ofTexts(1, 2, (x, y) => `ltrim(${x ?? ''}, ${y ?? "' '"})`),
  RTRIM: ofTexts(1, 2, (x, y) => `rtrim(${x ?? ''}, ${y ?? "' '"})`),
  CONCAT: (args, name) => {
    count(args, name, 1, 1000);
    if (args.every((arg) => arg.type.kind === 'binary')) return { sql: `(${args.map((arg) => arg.sql).join(' || ')})`, type: binary };
    return { sql: `(${args.map((arg) => asText(arg, name)).join(' || ')})`, type: text };
  },
  CONCAT_WS: ofTexts(
    2,
    1000,
    (x, ...rest) => `CASE WHEN ${rest.map((y) => `(${y}) IS NULL`).join(' OR ')} THEN NULL ELSE concat_ws(${[x, ...rest].join(', ')}) END`,
  ),
  LENGTH: (args, name) => {
    count(args, name, 1);
    const [value = nothing] = args;
    return {
      sql: value.type.kind === 'binary' ? `octet_length(${value.sql})` : `length(${asText(value, name)})`,
      type: { kind: 'number', precision: 18, scale: 0 },
    };
  },
  OCTET_LENGTH: (args, name) => {
    count(args, name, 1);
    return { sql: `octet_length(${bytes(args[0] ?? nothing, name)})`, type: { kind: 'number', precision: 18, scale: 0 } };
  },
  SUBSTR: substring,
  SUBSTRING: substring,
  LEFT: (args, name) => {
    count(args, name, 2);
    return substring([args[0] ?? nothing, { sql: '1', type: integer, literal: '1' }, args[1] ?? nothing], name);
  },
  RIGHT: (args, name) => {
    count(args, name, 2);
    return { sql: `right(${asText(args[0] ?? nothing, name)}, ${whole(args[1] ?? nothing, name)})`, type: text };
  },
  REPLACE: ofTexts(3, 3, (x, y, z) => `replace(${x ?? ''}, ${y ?? ''}, ${z ?? ''})`),
  LPAD: (args, name) => {
    count(args, name, 3);
    const [value = nothing, length = nothing, pad = nothing] = args;
    return { sql: `lpad(${asText(value, name)}, CAST(${whole(length, name)} AS INTEGER), ${asText(pad, name)})`, type: text };
  },
  STARTSWITH: ofTexts(2, 2, (x, y) => `starts_with(${x ?? ''}, ${y ?? ''})`, boolean),
  ENDSWITH: ofTexts(2, 2, (x, y) => `ends_with(${x ?? ''}, ${y ?? ''})`, boolean),
  CONTAINS: ofTexts(2, 2, (x, y) => `contains(${x ?? ''}, ${y ?? ''})`, boolean),
  POSITION: ofTexts(2, 2, (x, y) => `strpos(${y ?? ''}, ${x ?? ''})`, { kind: 'number', precision: 9, scale: 0 }),
  SPLIT_PART: (args, name) => {
    count(args, name, 3);
    const [value = nothing, separator = nothing, part = nothing] = args;
    const index = `CASE WHEN ${whole(part, name)} = 0 THEN 1 ELSE ${whole(part, name)} END`;
    const list = `string_split(${asText(value, name)}, ${asText(separator, name)})`;
    const anyNull = [value, separator, part].map((arg) => `(${arg.sql}) IS NULL`).join(' OR ');
    return { sql: `CASE WHEN ${anyNull} THEN NULL ELSE coalesce(${list}[${index}], '') END`, type: text };
  },
  REPEAT: (args, name) => {
    count(args, name, 2);
    return { sql: `repeat(${asText(args[0] ?? nothing, name)}, ${whole(args[1] ?? nothing, name)})`, type: text };
  },
  MD5: digest((x) => `md5(${x})`),
  MD5_HEX: digest((x) => `md5(${x})`),
  SHA1: digest((x) => `sha1(${x})`),
  SHA1_HEX: digest((x) => `sha1(${x})`),
  SHA2: (args, name) => {
    count(args, name, 1, 2);
    if (args[1] !== undefined && args[1].literal !== '256') throw unknownForm(`${name} of another length than 256`);
    return { sql: `sha256(${bytes(args[0] ?? nothing, name)})`, type: { kind: 'text', length: 128 } };
  },
  HEX_ENCODE: digest((x) => `hex(${x})`),
  BASE64_ENCODE: digest((x) => `to_base64(${x})`),
  COALESCE: coalesce,
  NVL: coalesce,
  IFNULL: coalesce,
  NULLIF: nullIf,
  IFF: iff,
  EQUAL_NULL: (args, name) => {
    count(args, name, 2);
    return equalNull(args[0] ?? nothing, args[1] ?? nothing);
  },
  GREATEST: extreme('greatest'),
  LEAST: extreme('least'),
  ABS: (args, name) => {
    count(args, name, 1);
    const [value = nothing] = args;
    if (value.type.kind !== 'number' && value.type.kind !== 'float') throw invalidArguments(name, value);
    return { sql: `abs(${value.sql})`, type: value.type };
  },
  LN: (args, name) => {
    count(args, name, 1);
    return { sql: `ln(${cast(args[0] ?? nothing, float, 'explicit').sql})`, type: float };
  },
  POWER: (args, name) => {
    count(args, name, 2);
    const [base = nothing, exponent = nothing] = args;
    return { sql: `pow(${cast(base, float, 'explicit').sql}, ${cast(exponent, float, 'explicit').sql})`, type: float };
  },
  ROUND: rounding('round'),
  FLOOR: rounding('floor'),
  CEIL: rounding('ceil'),
  TRUNC: rounding('trunc'),
  MOD: (args, name) => {
    count(args, name, 2);
    return arithmetic('%', args[0] ?? nothing, args[1] ?? nothing);
  },
  BITAND: bitwise('&'),
  BITOR: bitwise('|'),
  BITXOR: bitwise('xor'),
  BITSHIFTLEFT: bitwise('<<'),
  BITSHIFTRIGHT: bitwise('>>'),
  TO_NUMBER: toNumber(false),
  TO_DECIMAL: toNumber(false),
  TO_NUMERIC: toNumber(false),
  TRY_TO_NUMBER: toNumber(true),
  TRY_TO_DECIMAL: toNumber(true),
  TO_DOUBLE: as(float),
  TO_BOOLEAN: as(boolean),
  TO_VARCHAR: toVarchar,
  TO_CHAR: toVarchar,
  TO_BINARY: toBinary,
  TO_DATE: as(date),
  TRY_TO_DATE: as(date, true),
  TO_TIME: as({ kind: 'time', scale: 9 }),
  ...Object.fromEntries(timestampTypes.map((kind) => [`TO_${kind.toUpperCase()}`, toTimestamp(kind, false)])),
  ...Object.fromEntries(timestampTypes.map((kind) => [`TRY_TO_${kind.toUpperCase()}`, toTimestamp(kind, true)])),
  TO_OBJECT: as({ kind: 'object' }),
  TO_ARRAY: as({ kind: 'array' }),
  UUID_STRING: (args, name) => {
    count(args, name, 0);
    return { sql: 'CAST(uuid() AS VARCHAR)', type: { kind: 'text', length: 36 } };
  },
};
