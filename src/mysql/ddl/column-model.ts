import type { Column, WrittenType } from '../../event/table-schema.ts';
import { columnTypeOf, hasCharset, nativeTypeName, type NativeType } from '../column-type.ts';
import { resolveCharset, type CharsetCatalog } from '../charset-catalog.ts';
import { literalText } from './default-text.ts';
import { sqlModeBits } from './read-ddl.ts';
import type { ColumnDefinition, DefaultValue } from './statement.ts';

/** What a definition's meaning depends on besides its words. */
export interface ColumnEnvironment {
  readonly catalog: CharsetCatalog;
  readonly sqlMode: bigint;
  /** The session's explicit_defaults_for_timestamp. */
  readonly explicitTimestamps: boolean;
  /** The session's time zone, in which literal defaults of TIMESTAMP columns are meant. */
  readonly timeZone: string;
  /** The default collation of the column's table. */
  readonly collation: string;
  /** The one that Debezium takes for it, where that is another. */
  readonly writtenCollation?: string;
}

export interface ColumnModel {
  readonly column: Column;
  /** Why the server's own idea of the column may differ; undefined: it does not. */
  readonly doubt?: string;
}

/** The column that a definition makes, apart from what keys do to it. */
export function columnModel(definition: ColumnDefinition, environment: ColumnEnvironment): ColumnModel {
  const { catalog } = environment;
  // MariaDB's JSON is LONGTEXT with a collation of its own.
  const ownCollation = catalog.flavor === 'mariadb' && definition.type.name === 'JSON' ? 'utf8mb4_bin' : undefined;
  const { charset, collation } = resolveCharset(definition, ownCollation ?? environment.collation, catalog);
  const native = nativeTypeOf(definition.type, charset, environment);
  const type = columnTypeOf(native, charset);
  const textual = hasCharset(type);
  const [length, scale] = native.args;
  const implicit = implicitTimestamp(definition, environment);
  const nullable = definition.nullable ?? !(definition.autoIncrement === true || implicit);
  const base: Column = {
    name: definition.name,
    type,
    nullable: nullable && definition.autoIncrement !== true,
    nativeType: nativeTypeName(native),
    ...(length === undefined ? {} : { length }),
    ...(scale === undefined ? {} : { scale }),
    ...(textual ? { charset, collation } : {}),
    ...(definition.generated === undefined ? {} : { generated: definition.generated }),
    ...(definition.autoIncrement === true ? { autoIncrement: true } : {}),
    ...(definition.onUpdateNow === true ? { onUpdateNow: true } : {}),
    ...(definition.type.written === undefined ? {} : { written: writtenType(definition, { charset, environment }) }),
    ...(definition.invisible === true ? { invisible: true } : {}),
    ...(definition.versioning === undefined ? {} : { versioning: definition.versioning }),
    ...(definition.comment === undefined || definition.comment === '' ? {} : { comment: definition.comment }),
  };
  return withDefault(base, definition.default, environment);
}

const decimals = new Set(['DECIMAL', 'DEC', 'FIXED', 'NUMERIC']);
const singles = new Set(['BINARY', 'BIT', 'CHAR', 'CHARACTER']);

/** With the sizes that Debezium's parser gives types without any. */
function writtenType(
  definition: ColumnDefinition,
  { charset, environment }: { readonly charset: string; readonly environment: ColumnEnvironment },
): WrittenType {
  const { args, written: text = '', writtenLabels } = definition.type;
  const type = text.includes(' UNSIGNED') ? text : text.replace(' ZEROFILL', ' UNSIGNED ZEROFILL');
  const [word = ''] = type.split(' ');
  const isDecimal = decimals.has(word);
  const given = word.startsWith('BOOL') ? undefined : args[0];
  const length = given ?? (isDecimal ? 10 : singles.has(type) ? 1 : undefined);
  const scale = args[1] ?? (isDecimal ? 0 : undefined);
  const { collation, writtenCollation = collation, catalog } = environment;
  const believed = resolveCharset(definition.byWord === true ? {} : definition, writtenCollation, catalog).charset;
  // MySQL's connector reads the statement with single quotes.
  const labels = catalog.flavor === 'mariadb' ? writtenLabels : undefined;
  return {
    type,
    ...(length === undefined ? {} : { length }),
    ...(scale === undefined ? {} : { scale }),
    ...(believed === charset || !texts.has(definition.type.name) ? {} : { charset: believed }),
    ...(labels === undefined ? {} : { labels }),
  };
}

const texts = new Set(['CHAR', 'VARCHAR', 'TINYTEXT', 'TEXT', 'MEDIUMTEXT', 'LONGTEXT', 'ENUM', 'SET']);

/** Sets a column's default, as DEFAULT and ALTER COLUMN … SET DEFAULT do; undefined: the statement has none. */
export function withDefault(
  column: Column,
  value: DefaultValue | undefined,
  environment: Pick<ColumnEnvironment, 'catalog' | 'timeZone' | 'sqlMode'>,
): ColumnModel {
  const { defaultText: _text, defaultExpression: _expression, writtenDefault: _written, ...rest } = column;
  if (column.generated !== undefined || column.autoIncrement === true) return { column: rest };
  if (value === undefined) return { column: column.nullable ? { ...rest, defaultText: null } : rest };
  switch (value.kind) {
    case 'null':
      return { column: { ...rest, defaultText: null } };
    case 'now': {
      const defaultText = `CURRENT_TIMESTAMP${value.fsp === 0 ? '' : `(${value.fsp})`}`;
      const isOther = environment.catalog.flavor === 'mariadb' && value.written !== undefined;
      return { column: { ...rest, defaultText, defaultExpression: true, ...(isOther ? { writtenDefault: value.written } : {}) } };
    }
    case 'expression':
      return { column: { ...rest, defaultText: value.text, defaultExpression: true } };
    case 'text':
    case 'number':
    case 'hex':
    case 'bit': {
      const text = literalText(value, column, { timeZone: environment.timeZone, fractions: fractionRule(environment) });
      const written = writtenDefault(value, environment.catalog.flavor);
      if (text !== undefined) return { column: { ...rest, defaultText: text, ...written } };
      return { column: { ...rest, defaultText: value.value, ...written }, doubt: `the default of ${column.name} is not certain` };
    }
  }
}

function writtenDefault(
  value: Exclude<DefaultValue, { kind: 'null' | 'now' | 'expression' }>,
  flavor: 'mysql' | 'mariadb',
): Pick<Column, 'writtenDefault'> {
  if (value.kind === 'bit' || (value.kind === 'hex' && flavor === 'mariadb')) return {};
  const text = value.written ?? value.value;
  // MariaDB's parser takes a text with its character set for an expression.
  const isExpression = flavor === 'mariadb' && value.introducer !== undefined;
  return { writtenDefault: isExpression ? `${value.introducer.startsWith('_') ? '' : '_'}${value.introducer}'${text}'` : text };
}

/** What becomes of more fraction digits than a column has. */
function fractionRule({ catalog, sqlMode }: Pick<ColumnEnvironment, 'catalog' | 'sqlMode'>): 'round' | 'truncate' {
  if (catalog.flavor === 'mysql') return (sqlMode & sqlModeBits.timeTruncateFractional) === 0n ? 'round' : 'truncate';
  return (sqlMode & sqlModeBits.timeRoundFractional) === 0n ? 'truncate' : 'round';
}

/** Without explicit_defaults_for_timestamp a TIMESTAMP is NOT NULL unless the statement says NULL. */
function implicitTimestamp({ type, generated }: ColumnDefinition, { explicitTimestamps }: ColumnEnvironment): boolean {
  return !explicitTimestamps && type.name === 'TIMESTAMP' && generated === undefined;
}

/**
 * The defaults that TIMESTAMP columns get without explicit_defaults_for_timestamp: the table's first one follows the
 * clock, others are zero.
 */
export function withImplicitTimestamp(definition: ColumnDefinition, isFirst: boolean): ColumnDefinition {
  if (definition.default !== undefined || definition.nullable === true) return definition;
  if (isFirst && definition.onUpdateNow !== true) {
    return { ...definition, default: { kind: 'now', fsp: definition.type.args[0] ?? 0 }, onUpdateNow: true };
  }
  return { ...definition, default: { kind: 'text', value: '0000-00-00 00:00:00' } };
}

const binaryTypes: Readonly<Record<string, string>> = {
  CHAR: 'BINARY',
  VARCHAR: 'VARBINARY',
  TINYTEXT: 'TINYBLOB',
  TEXT: 'BLOB',
  MEDIUMTEXT: 'MEDIUMBLOB',
  LONGTEXT: 'LONGBLOB',
};

/** The type as the server keeps it: sizes that nobody wrote, and types that another is chosen for. */
function nativeTypeOf(written: NativeType, charset: string, { catalog, sqlMode }: ColumnEnvironment): NativeType {
  const type = charset === 'binary' ? { ...written, name: binaryTypes[written.name] ?? written.name } : written;
  const [first] = type.args;
  switch (type.name) {
    case 'TINYINT':
    case 'SMALLINT':
    case 'MEDIUMINT':
    case 'INT':
    case 'BIGINT':
      return { ...type, args: integerWidth(type, catalog) };
    case 'FLOAT':
      if (type.args.length !== 1) return type;
      return { ...type, name: (first ?? 0) > 24 ? 'DOUBLE' : 'FLOAT', args: [] };
    case 'DECIMAL':
      return { ...type, args: [first === undefined || first === 0 ? 10 : first, type.args[1] ?? 0] };
    case 'BIT':
    case 'CHAR':
    case 'BINARY':
      return { ...type, args: [first ?? 1] };
    case 'YEAR':
      return { ...type, args: catalog.integerWidths ? [first === 2 ? 2 : 4] : [] };
    case 'TIME':
    case 'DATETIME':
    case 'TIMESTAMP':
      return { ...type, args: first === undefined || first === 0 ? [] : [first] };
    case 'VECTOR':
      return catalog.flavor === 'mysql' ? { ...type, args: [first ?? 2048] } : type;
    case 'VARCHAR':
    case 'VARBINARY': {
      const bytes = (first ?? 0) * (type.name === 'VARCHAR' ? (catalog.maxLengths.get(charset) ?? 1) : 1);
      const strict = (sqlMode & (sqlModeBits.strictTransTables | sqlModeBits.strictAllTables)) !== 0n;
      return bytes > 65535 && !strict ? blobFor(bytes, type.name === 'VARCHAR') : type;
    }
    case 'ENUM':
    case 'SET':
      // Trailing spaces of labels are not kept.
      return charset === 'binary' ? type : { ...type, labels: type.labels.map((label) => label.replace(/ +$/, '')) };
    case 'TEXT':
      return first === undefined ? type : blobFor(first * (catalog.maxLengths.get(charset) ?? 1), true);
    case 'BLOB':
      return first === undefined ? type : blobFor(first, false);
    case 'GEOMCOLLECTION':
      return catalog.flavor === 'mariadb' ? { ...type, name: 'GEOMETRYCOLLECTION' } : type;
    case 'JSON':
      return catalog.flavor === 'mariadb' ? { ...type, name: 'LONGTEXT' } : type;
    default:
      return type;
  }
}

/** The smallest TEXT or BLOB that holds so many bytes. */
function blobFor(bytes: number, text: boolean): NativeType {
  const size = bytes < 256 ? 'TINY' : bytes < 65536 ? '' : bytes < 2 ** 24 ? 'MEDIUM' : 'LONG';
  return { name: `${size}${text ? 'TEXT' : 'BLOB'}`, args: [], labels: [], unsigned: false, zerofill: false };
}

const widths: Readonly<Record<string, readonly [signed: number, unsigned: number]>> = {
  TINYINT: [4, 3],
  SMALLINT: [6, 5],
  MEDIUMINT: [9, 8],
  INT: [11, 10],
  BIGINT: [20, 20],
};

/** MySQL keeps a width for ZEROFILL and of TINYINT(1) only. */
function integerWidth({ name, args, unsigned, zerofill }: NativeType, { integerWidths }: CharsetCatalog): readonly number[] {
  const own = args[0] === 0 ? undefined : args[0];
  if (integerWidths || zerofill) return [own ?? widths[name]?.[unsigned ? 1 : 0] ?? 0];
  return name === 'TINYINT' && own === 1 && !unsigned ? [1] : [];
}
