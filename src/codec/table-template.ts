import { ByteWriter } from '../base/byte-writer.ts';
import { cellWidth } from '../event/column-type.ts';
import type { Column, TableSchema } from '../event/table-schema.ts';
import type { DebeziumOptions } from './debezium-options.ts';
import { defaultJson } from './default-value.ts';
import { converterShape } from './converter-shape.ts';
import { describedType, escaped, isOptional } from './described-column.ts';
import { fieldShape, type FieldShape, type WriteCell } from './field.ts';
import { jsonString, utf8, writeBytes } from './json-writer.ts';
import { simpleHeaderWriter } from './simple-header.ts';
import { adjustedName } from './topic-naming.ts';

/** One column, compiled. */
export interface ColumnTemplate {
  /** `"name":`, with a comma in front for all but the first. */
  readonly label: Uint8Array;
  readonly stream: WriteCell;
  readonly snapshot: WriteCell;
  /** What stands for SQL NULL, and for a column that is not in the row image. */
  readonly nullText: Uint8Array;
  readonly absentText: Uint8Array;
  /** Bytes of a cell, 0 where each has a length of its own. */
  readonly width: number;
}

/** Everything about a table's records that does not change from row to row. */
export interface TableTemplate {
  readonly topic: string;
  readonly columns: readonly ColumnTemplate[];
  /** Positions in `columns` of the key's columns, in key order; empty: the key is null. */
  readonly key: readonly number[];
  readonly keyLabels: readonly Uint8Array[];
  readonly keyColumns: readonly ColumnTemplate[];
  /** The same of snapshot rows, where Debezium's compat form has no value of columns that are in the key only. */
  readonly snapshotKey: readonly ColumnTemplate[];
  /** How the key's columns stand in the headers of a key change. */
  readonly keyInHeader: readonly WriteCell[];
  /** Around the key's fields: `{"schema":…,"payload":{` and `}}`, or `{` and `}`. */
  readonly keyFrame: Frame;
  readonly headerFrame: Frame;
  /** Around the envelope; its head ends with `"before":`. */
  readonly valueFrame: Frame;
  /** The source block's text up to the value of `ts_ms`; from behind `snapshot` to `ts_us`; from behind `ts_ns` to `server_id`. */
  readonly sourceHead: Uint8Array;
  readonly sourceDatabase: Uint8Array;
  readonly sourceTable: Uint8Array;
}

interface Field {
  readonly column: Column;
  readonly name: string;
  readonly shape: FieldShape;
  readonly doc: string | undefined;
  readonly default: string | undefined;
}

/** Compiles a table's schema for the records that `options` ask for. */
export function compileTable(schema: TableSchema, options: DebeziumOptions): TableTemplate {
  const fields = schema.columns.map((column) => fieldOf(schema, column, options));
  const topic = options.nameTopic(schema);
  const structName = adjustedName(topic, options.schemaNames, true);
  const key = options.rules.messageKey(schema);
  const isShown = schema.columns.map(({ name }) => options.rules.isInRow(schema, name));
  const shown = fields.filter((_field, position) => isShown[position]);
  const keyColumns = key.flatMap((position) => schema.columns[position] ?? []);
  const keyFieldsOf = (form: DebeziumOptions): readonly Field[] =>
    // what masks and the source type add stands in the row's schema only
    keyColumns.map((column) => ({ ...fieldOf(schema, column, form), shape: shapeOf(schema, column, form) }));
  const keyForm = { ...options, ...options.keyConverter };
  const keyFields = keyFieldsOf(keyForm);
  const headerFields = keyFieldsOf({ ...options, ...options.headerConverter });
  const keySchema = (of: readonly Field[]): string =>
    `{"type":"struct","fields":[${of.map(fieldSchema).join(',')}],"optional":false,"name":${jsonString(`${structName}.Key`)}}`;
  const { connector, version, topicPrefix } = options;
  return {
    topic,
    columns: columnTemplates(fields, isShown, options),
    keyColumns: keyFields.map((field) => columnTemplate(field, 0, keyForm)),
    snapshotKey: keyFields.map((field, at) => {
      const template = columnTemplate(field, 0, keyForm);
      const isShownToo = isShown[key[at] ?? 0] === true;
      return isShownToo || options.compat === undefined ? template : withoutValue(template, field.shape.zero);
    }),
    key,
    keyLabels: keyFields.map(({ name }, at) => label(name, at)),
    keyInHeader: headerFields.map((field) => headerWriter(field, options)),
    keyFrame: frame(options.keySchemas ? keySchema(keyFields) : undefined),
    headerFrame: frame(options.headerFormat === 'json-schemas' ? keySchema(headerFields) : undefined),
    valueFrame: frame(options.valueSchemas ? envelopeSchema(structName, shown, connector) : undefined, '"before":'),
    sourceHead: utf8(`,"source":{"version":${jsonString(version)},"connector":"${connector}","name":${jsonString(topicPrefix)},"ts_ms":`),
    sourceDatabase: utf8(`,"db":${jsonString(schema.database)},"sequence":null,"ts_us":`),
    sourceTable: utf8(`,"table":${jsonString(schema.table)},"server_id":`),
  };
}

/** The text before and behind a struct's members, with the schema around it where it is sent. */
interface Frame {
  readonly head: Uint8Array;
  readonly tail: Uint8Array;
}

function frame(schema: string | undefined, first = ''): Frame {
  if (schema === undefined) return { head: utf8(`{${first}`), tail: utf8('}') };
  return { head: utf8(`{"schema":${schema},"payload":{${first}`), tail: utf8('}}') };
}

function shapeOf(schema: TableSchema, column: Column, options: DebeziumOptions): FieldShape {
  const plain = fieldShape(column, options);
  const conversion = options.conversionOf(schema, column);
  return conversion === undefined ? plain : converterShape(conversion, column.type, plain);
}

function fieldOf(schema: TableSchema, column: Column, options: DebeziumOptions): Field {
  const shape = withRules(shapeOf(schema, column, options), { schema, column, options });
  const name = adjustedName(column.name, options.fieldNames, false);
  const comment = options.compat === undefined ? column.comment : column.comment && escaped(column.comment);
  const doc = (options.columnComments ? comment : undefined) ?? shape.doc;
  return { column, name, shape, doc, default: defaultJson(column, shape, options) };
}

/** A column that is in the key only is passed over without a trace. */
function columnTemplates(fields: readonly Field[], isShown: readonly boolean[], options: DebeziumOptions): readonly ColumnTemplate[] {
  let position = 0;
  return fields.map((field, at) => {
    if (isShown[at] === true) return columnTemplate(field, position++, options);
    const template = columnTemplate(field, 0, options);
    const nothing = new Uint8Array(0);
    const scratch = new ByteWriter(64);
    const pass: WriteCell = (cell) => {
      scratch.clear();
      template.stream(cell, scratch);
    };
    return { ...template, label: nothing, stream: pass, snapshot: pass, nullText: nothing, absentText: nothing };
  });
}

function withoutValue(template: ColumnTemplate, zero: string): ColumnTemplate {
  const text = utf8(zero);
  const stream: WriteCell = (_cell, out) => writeBytes(out, text);
  return { ...template, stream, snapshot: stream, nullText: text };
}

interface RuledColumn {
  readonly schema: TableSchema;
  readonly column: Column;
  readonly options: DebeziumOptions;
}

/** With the parameters that masks and `propagate.source.type` add. */
function withRules(shape: FieldShape, { schema, column, options: { rules } }: RuledColumn): FieldShape {
  const parameters: (readonly [string, string])[] = [];
  for (const mask of rules.masksOf(schema, column.name)) {
    parameters.push(mask.kind === 'truncate' ? ['truncateLength', String(mask.length)] : ['masked', 'true']);
  }
  if (rules.propagates(schema, column)) {
    const { type, length, scale } = describedType(column);
    parameters.push(['__debezium.source.column.type', type]);
    if (length !== undefined) parameters.push(['__debezium.source.column.length', String(length)]);
    if (scale !== undefined) parameters.push(['__debezium.source.column.scale', String(scale)]);
    if (column.comment !== undefined && column.comment !== '') parameters.push(['__debezium.source.column.comment', column.comment]);
    parameters.push(['__debezium.source.column.name', column.name]);
  }
  return parameters.length === 0 ? shape : { ...shape, parameters: [...(shape.parameters ?? []), ...parameters] };
}

function columnTemplate({ column, name, shape, default: fallback }: Field, position: number, options: DebeziumOptions): ColumnTemplate {
  const nullText = options.replaceNullWithDefault ? (fallback ?? 'null') : 'null';
  const missing = utf8(column.nullable ? nullText : (fallback ?? shape.zero));
  const stream = shape.writer(missing);
  return {
    label: label(name, position),
    stream,
    snapshot: shape.snapshotWriter?.(missing) ?? stream,
    nullText: utf8(nullText),
    absentText: utf8(shape.unavailable ?? nullText),
    width: cellWidth(column.type),
  };
}

function headerWriter({ column, shape }: Field, options: DebeziumOptions): WriteCell {
  const json = shape.writer(utf8(shape.zero));
  return options.headerFormat === 'simple' ? simpleHeaderWriter(column.type, json, options) : json;
}

function label(name: string, position: number): Uint8Array {
  return utf8(`${position === 0 ? '' : ','}${jsonString(name)}:`);
}

/** Member order is JsonConverter's: type, fields or items, optional, name, version, doc, parameters, default, field. */
function fieldSchema({ column, name, shape, doc, default: fallback }: Field): string {
  const parts = [`"type":"${shape.type}"`];
  if (shape.inner !== undefined) parts.push(shape.inner);
  parts.push(`"optional":${isOptional(column)}`);
  if (shape.name !== undefined) parts.push(`"name":"${shape.name}"`, '"version":1');
  if (doc !== undefined && doc !== '') parts.push(`"doc":${jsonString(doc)}`);
  if (shape.parameters !== undefined) {
    const unique = new Map(shape.parameters);
    const parameters = [...unique].map(([key, value]) => `"${key}":${jsonString(value)}`);
    parts.push(`"parameters":{${parameters.join(',')}}`);
  }
  if (fallback !== undefined) parts.push(`"default":${fallback}`);
  parts.push(`"field":${jsonString(name)}`);
  return `{${parts.join(',')}}`;
}

function envelopeSchema(structName: string, fields: readonly Field[], connector: string): string {
  const row = `{"type":"struct","fields":[${fields.map(fieldSchema).join(',')}],"optional":true,"name":${jsonString(`${structName}.Value`)}`;
  const source =
    `{"type":"struct","fields":[${sourceFields}],"optional":false,"name":"io.debezium.connector.${connector}.Source",` +
    '"version":1,"field":"source"}';
  return (
    `{"type":"struct","fields":[${row},"field":"before"},${row},"field":"after"},${source},${transactionField},` +
    `${plainField('string', false, 'op')},${plainField('int64', true, 'ts_ms')},${plainField('int64', true, 'ts_us')},` +
    `${plainField('int64', true, 'ts_ns')}],"optional":false,"name":${jsonString(`${structName}.Envelope`)},"version":2}`
  );
}

function plainField(type: string, optional: boolean, name: string): string {
  return `{"type":"${type}","optional":${optional},"field":"${name}"}`;
}

const sourceFields = [
  plainField('string', false, 'version'),
  plainField('string', false, 'connector'),
  plainField('string', false, 'name'),
  plainField('int64', false, 'ts_ms'),
  '{"type":"string","optional":true,"name":"io.debezium.data.Enum","version":1,"parameters":{"allowed":' +
    '"true,first,first_in_data_collection,last_in_data_collection,last,false,incremental"},"default":"false","field":"snapshot"}',
  plainField('string', false, 'db'),
  plainField('string', true, 'sequence'),
  plainField('int64', true, 'ts_us'),
  plainField('int64', true, 'ts_ns'),
  plainField('string', true, 'table'),
  plainField('int64', false, 'server_id'),
  plainField('string', true, 'gtid'),
  plainField('string', false, 'file'),
  plainField('int64', false, 'pos'),
  plainField('int32', false, 'row'),
  plainField('int64', true, 'thread'),
  plainField('string', true, 'query'),
].join(',');

const transactionField =
  `{"type":"struct","fields":[${plainField('string', false, 'id')},${plainField('int64', false, 'total_order')},` +
  `${plainField('int64', false, 'data_collection_order')}],"optional":true,"name":"event.block","version":1,"field":"transaction"}`;
