import { Decimal, Struct, type ConnectValue, type Schema } from '../../../connect/data.ts';
import { isArray, isMap, logicalName } from '../../../connect/schema.ts';
import { contentText, metadataText } from './landed-json.ts';
import type { LandingColumn, LandingLayout } from './landed-rows.ts';
import { contentColumn, createPlaces, metadataColumn, type FormatOptions, type LandingFormat } from './landing-format.ts';

/** The part of a record's value that becomes a column. */
interface Cell {
  readonly field: string;
  readonly schema: Schema | null;
  readonly value: ConnectValue;
}

const onlyMetadata: LandingLayout = { columns: [metadataColumn] };
const withContent: LandingLayout = { columns: [metadataColumn, contentColumn] };

/**
 * RECORD_METADATA and a column for each field of the value. Source of the types: schemaevolution of Snowflake's Kafka
 * connector.
 */
export function createSchematizedFormat(options: FormatOptions & { readonly columnOf: (field: string) => string }): LandingFormat {
  const placeOf = createPlaces(options);
  const { metadata, columnOf } = options;
  const layouts = new Map<string, LandingLayout>();
  const bySchema = new WeakMap<Schema, LandingLayout>();

  const layoutOf = (schema: Schema | null, cells: readonly Cell[]): LandingLayout => {
    const known = schema === null ? undefined : bySchema.get(schema);
    if (known !== undefined) return known;
    const columns = [metadataColumn, ...cells.map((cell) => columnFor(columnOf(cell.field), cell))];
    const key = JSON.stringify(columns);
    const layout = layouts.get(key) ?? { columns };
    layouts.set(key, layout);
    if (schema !== null) bySchema.set(schema, layout);
    return layout;
  };

  return {
    placeOf,
    rowOf(record, { offset, epoch }) {
      const { value, valueSchema } = record;
      if (value === null && options.ignoresNulls) return undefined;
      const place = placeOf(record.topic);
      const meta = metadataText(record, offset, { ...metadata, epoch });
      if (value === null) return { place, layout: onlyMetadata, cells: [meta] };
      const cells = cellsOf(value);
      if (cells === undefined) return { place, layout: withContent, cells: [meta, contentText(valueSchema, value, metadata.version)] };
      const layout = layoutOf(value instanceof Struct ? valueSchema : null, cells);
      return { place, layout, cells: [meta, ...cells.map((cell, index) => cellText(cell, layout.columns[index + 1]?.text ?? 'plain'))] };
    },
  };
}

/** Undefined: the value has no fields. */
function cellsOf(value: ConnectValue): readonly Cell[] | undefined {
  if (value instanceof Struct) {
    return (value.schema.fields ?? []).map(({ name, schema }, index) => ({ field: name, schema, value: value.values[index] ?? null }));
  }
  if (!isMap(value)) return undefined;
  // without a schema a null tells no type: its column comes with the first value
  return Array.from(value, ([key, each]) => ({
    field: typeof key === 'string' ? key : contentText(null, key, 4),
    schema: null,
    value: each,
  })).filter((cell) => cell.value !== null);
}

function columnFor(name: string, { schema, value }: Cell): LandingColumn {
  const [sqlType, text] = schema === null ? typeOfValue(value) : typeOfSchema(schema);
  return { name, sqlType, text, nullable: schema === null || schema.optional };
}

type ColumnType = readonly [sqlType: string, text: LandingColumn['text']];

function typeOfSchema({ type, name }: Schema): ColumnType {
  switch (name) {
    case logicalName.decimal:
      return ['VARCHAR', 'plain'];
    case logicalName.date:
      return ['DATE', 'plain'];
    case logicalName.time:
      return ['TIME(6)', 'plain'];
    case logicalName.timestamp:
      return ['TIMESTAMP_NTZ(6)', 'plain'];
    default:
      return typeOfBase(type);
  }
}

function typeOfBase(type: Schema['type']): ColumnType {
  switch (type) {
    case 'int8':
    case 'int16':
    case 'int32':
    case 'int64':
      return ['NUMBER(38,0)', 'plain'];
    case 'float32':
    case 'float64':
      return ['FLOAT', 'plain'];
    case 'boolean':
      return ['BOOLEAN', 'plain'];
    case 'string':
      return ['VARCHAR', 'plain'];
    case 'bytes':
      return ['BINARY', 'base64'];
    case 'array':
      return ['ARRAY', 'json'];
    case 'map':
    case 'struct':
      return ['VARIANT', 'json'];
  }
}

function typeOfValue(value: ConnectValue): ColumnType {
  switch (typeof value) {
    case 'string':
      return ['VARCHAR', 'plain'];
    case 'bigint':
      return ['NUMBER(38,0)', 'plain'];
    case 'number':
      return ['FLOAT', 'plain'];
    case 'boolean':
      return ['BOOLEAN', 'plain'];
    default:
      return isArray(value) ? ['ARRAY', 'json'] : ['VARIANT', 'json'];
  }
}

function cellText({ schema, value }: Cell, text: LandingColumn['text']): string | null {
  if (value === null) return null;
  const json = contentText(schema, value, 4);
  if (text === 'json') return json;
  if (typeof value === 'string') return value;
  if (value instanceof Decimal) return json.replaceAll('"', '');
  const plain = json.startsWith('"') ? json.slice(1, -1) : json;
  // Connect's date and time have the other half in RECORD_CONTENT
  if (schema?.name === logicalName.date) return plain.slice(0, 10);
  if (schema?.name === logicalName.time) return plain.slice(0, 12);
  return schema?.name === logicalName.timestamp ? plain.replace('T', ' ').replace('Z', '') : plain;
}
