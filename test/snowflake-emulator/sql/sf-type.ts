import { compilationError, unknownForm } from '../snowflake-error.ts';

/** Snowflake's types, as far as the emulator keeps them. `null` is the type of a bare NULL. */
export type SfType =
  | { readonly kind: 'number'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'float' | 'boolean' | 'date' | 'variant' | 'object' | 'array' | 'null' }
  | { readonly kind: 'text' | 'binary'; readonly length: number }
  | { readonly kind: 'time' | 'timestamp_ntz' | 'timestamp_ltz' | 'timestamp_tz'; readonly scale: number };

export type SfKind = SfType['kind'];

export const maxTextLength = 134_217_728;
export const maxBinaryLength = 67_108_864;

export const text: SfType = { kind: 'text', length: 16_777_216 };
export const binary: SfType = { kind: 'binary', length: 8_388_608 };
export const integer: SfType = { kind: 'number', precision: 38, scale: 0 };
export const boolean: SfType = { kind: 'boolean' };
export const float: SfType = { kind: 'float' };
export const date: SfType = { kind: 'date' };
export const variant: SfType = { kind: 'variant' };

/** Names that need no argument, and those whose argument is one scale or length. */
const plain: Readonly<Record<string, SfType>> = {
  INT: integer,
  INTEGER: integer,
  BIGINT: integer,
  SMALLINT: integer,
  TINYINT: integer,
  BYTEINT: integer,
  FLOAT: float,
  FLOAT4: float,
  FLOAT8: float,
  DOUBLE: float,
  REAL: float,
  BOOLEAN: boolean,
  DATE: date,
  VARIANT: variant,
  OBJECT: { kind: 'object' },
  ARRAY: { kind: 'array' },
};

const timestampNames: Readonly<Record<string, 'time' | 'timestamp_ntz' | 'timestamp_ltz' | 'timestamp_tz'>> = {
  TIME: 'time',
  DATETIME: 'timestamp_ntz',
  TIMESTAMP_NTZ: 'timestamp_ntz',
  TIMESTAMPNTZ: 'timestamp_ntz',
  TIMESTAMP_LTZ: 'timestamp_ltz',
  TIMESTAMPLTZ: 'timestamp_ltz',
  TIMESTAMP_TZ: 'timestamp_tz',
  TIMESTAMPTZ: 'timestamp_tz',
};

/**
 * A type by its name and arguments. TIMESTAMP alone is refused: what it means depends on a parameter.
 * @throws SnowflakeError for a name that Snowflake does not know, or an argument out of range.
 */
export function sfType(name: string, args: readonly number[]): SfType {
  const one = args[0];
  const simple = plain[name];
  if (simple !== undefined) {
    if (args.length > 0) throw unknownForm(`type ${name}(${args.join(',')})`);
    return simple;
  }
  const temporal = timestampNames[name];
  if (temporal !== undefined) {
    if (one !== undefined && one > 9) throw invalidType(`${name}(${one})`);
    return { kind: temporal, scale: one ?? 9 };
  }
  switch (name) {
    case 'NUMBER':
    case 'DECIMAL':
    case 'NUMERIC': {
      const precision = one ?? 38;
      const scale = args[1] ?? 0;
      if (precision < 1 || precision > 38 || scale > precision || scale > 37) throw invalidType(`${name}(${args.join(',')})`);
      return { kind: 'number', precision, scale };
    }
    case 'VARCHAR':
    case 'STRING':
    case 'TEXT':
    case 'CHAR':
    case 'CHARACTER':
      return sized('text', one ?? (name.startsWith('CHAR') ? 1 : 16_777_216), maxTextLength);
    case 'BINARY':
    case 'VARBINARY':
      return sized('binary', one ?? 8_388_608, maxBinaryLength);
    case 'TIMESTAMP':
      throw unknownForm('type TIMESTAMP (its meaning depends on TIMESTAMP_TYPE_MAPPING: write TIMESTAMP_NTZ, _LTZ or _TZ)');
    default:
      throw compilationError('002040', '42601', `Unsupported data type '${name}'.`);
  }
}

function sized(kind: 'text' | 'binary', length: number, max: number): SfType {
  if (length < 1 || length > max) throw invalidType(`length ${length} of a ${kind} type`);
  return { kind, length };
}

function invalidType(what: string): Error {
  return compilationError('002010', '42601', `invalid type: ${what}`);
}

/** As DESCRIBE TABLE and INFORMATION_SCHEMA spell it. */
export function typeText(type: SfType): string {
  switch (type.kind) {
    case 'number':
      return `NUMBER(${type.precision},${type.scale})`;
    case 'text':
      return `VARCHAR(${type.length})`;
    case 'binary':
      return `BINARY(${type.length})`;
    case 'time':
    case 'timestamp_ntz':
    case 'timestamp_ltz':
    case 'timestamp_tz':
      return `${type.kind.toUpperCase()}(${type.scale})`;
    case 'null':
      return 'VARCHAR(16777216)';
    case 'float':
    case 'boolean':
    case 'date':
    case 'variant':
    case 'object':
    case 'array':
      return type.kind.toUpperCase();
  }
}

/**
 * What DuckDB keeps it as. A TIMESTAMP_TZ keeps its offset beside the instant; semi-structured values are canonical
 * JSON text. DuckDB's clock has microseconds: finer values are refused where they come in.
 */
export function duckType(type: SfType): string {
  switch (type.kind) {
    case 'number':
      return `DECIMAL(${type.precision},${type.scale})`;
    case 'float':
      return 'DOUBLE';
    case 'boolean':
      return 'BOOLEAN';
    case 'date':
      return 'DATE';
    case 'time':
      return 'TIME';
    case 'timestamp_ntz':
    case 'timestamp_ltz':
      return 'TIMESTAMP';
    case 'timestamp_tz':
      return 'STRUCT(u TIMESTAMP, o SMALLINT)';
    case 'binary':
      return 'BLOB';
    case 'text':
    case 'variant':
    case 'object':
    case 'array':
    case 'null':
      return 'VARCHAR';
  }
}

export function isSemiStructured(type: SfType): boolean {
  return type.kind === 'variant' || type.kind === 'object' || type.kind === 'array';
}
