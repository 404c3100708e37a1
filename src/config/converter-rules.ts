import { MillraceError } from '../base/errors.ts';
import { parseRegexList } from './java-regex.ts';
import type { RuledTable } from './column-rules.ts';

type Properties = Readonly<Record<string, string | undefined>>;

/** A column as far as converters look at it; `written` is its type in a streamed statement. */
export interface ConvertedColumn {
  readonly name: string;
  readonly nativeType: string;
  readonly length?: number;
  readonly charset?: string;
  readonly written?: { readonly type: string };
}

/** What a converter makes of a column. */
export type Conversion =
  | { readonly kind: 'boolean' }
  | { readonly kind: 'int16' }
  | { readonly kind: 'real'; readonly asDouble: boolean }
  | { readonly kind: 'string'; readonly charset: string };

/** The converters that `converters` names, the first one that takes a column counts. */
export type FindConversion = (table: RuledTable, column: ConvertedColumn) => Conversion | undefined;

/** @throws CONFIG_INVALID naming a converter that is none of these, or a selector that is no list of patterns */
export function readConverters(properties: Properties): FindConversion {
  const converters = (properties['converters'] ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
    .map((name) => readConverter(name, properties));
  return (table, column) => {
    for (const convert of converters) {
      const conversion = convert(table, column);
      if (conversion !== undefined) return conversion;
    }
    return undefined;
  };
}

const optionsOfConverters: readonly string[] = [
  'type',
  'selector',
  'length.checker',
  'selector.boolean',
  'selector.real',
  'selector.string',
  'treat.real.as.double',
];

/** Whether a property is an option of one of these converters: `<name>.type`, `<name>.selector`, … */
export function isConverterOption(property: string, converters: readonly string[]): boolean {
  return converters.some((name) => property.startsWith(`${name}.`) && optionsOfConverters.includes(property.slice(name.length + 1)));
}

function readConverter(name: string, properties: Properties): FindConversion {
  const type = properties[`${name}.type`]?.trim() ?? '';
  switch (type.split('.').at(-1)) {
    case 'TinyIntOneToBooleanConverter':
      return tinyIntOneToBoolean(name, properties);
    case 'JdbcSinkDataTypesConverter':
      return jdbcSinkDataTypes(name, properties);
    default:
      throw new MillraceError('CONFIG_INVALID', `converters: ${name} has the type "${type}", which is not here`, {
        nextStep: 'TinyIntOneToBooleanConverter and JdbcSinkDataTypesConverter are. Remove the converter, or transform the records.',
      });
  }
}

type Selector = (table: RuledTable, column: string) => boolean;

/** Absent: all columns. */
function selectorOf(text: string | undefined, fallback: boolean): Selector {
  if (text === undefined || text.trim() === '') return () => fallback;
  const list = parseRegexList(text);
  return ({ database, table }, column) => list.matches(`${database}.${table}.${column}`);
}

/** Source: io.debezium.connector.binlog.converters.TinyIntOneToBooleanConverter. */
function tinyIntOneToBoolean(name: string, properties: Properties): FindConversion {
  const selects = selectorOf(properties[`${name}.selector`], true);
  const checksLength = properties[`${name}.length.checker`]?.trim().toLowerCase() !== 'false';
  return (table, column) => {
    if (!/^TINYINT( UNSIGNED)?$/.test(column.nativeType) || !selects(table, column.name)) return undefined;
    return checksLength && column.length !== 1 ? undefined : { kind: 'boolean' };
  };
}

/** Source: io.debezium.connector.binlog.converters.JdbcSinkDataTypesConverter. */
function jdbcSinkDataTypes(name: string, properties: Properties): FindConversion {
  const booleans = selectorOf(properties[`${name}.selector.boolean`], false);
  const reals = selectorOf(properties[`${name}.selector.real`], false);
  const strings = selectorOf(properties[`${name}.selector.string`], false);
  const asDouble = properties[`${name}.treat.real.as.double`]?.trim().toLowerCase() !== 'false';
  return (table, column) => {
    if (/^TINYINT( UNSIGNED)?$/.test(column.nativeType) && column.length === 1) {
      return booleans(table, column.name) ? { kind: 'int16' } : undefined;
    }
    if (column.written?.type.startsWith('REAL') === true) return reals(table, column.name) ? { kind: 'real', asDouble } : undefined;
    if (!/^(?:CHAR|VARCHAR|TINYTEXT|TEXT|MEDIUMTEXT|LONGTEXT)$/.test(column.nativeType) || column.charset === undefined) return undefined;
    return strings(table, column.name) ? { kind: 'string', charset: column.charset } : undefined;
  };
}
