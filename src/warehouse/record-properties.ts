import { connectFamilies, sinkConnectProperties } from '../config/connect-properties.ts';
import { defineConfig, oneOf, type ConfigDef, type PropertyFamily } from '../config/config-def.ts';
import { parseRegexList } from '../config/java-regex.ts';

const regexList = (value: string): string | undefined => {
  try {
    parseRegexList(value);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};

/**
 * Properties of a sink of tables that say how records become rows: what the connector that wrote the records had set, where the
 * records do not tell, and what becomes of records that cannot be stored. Of a source in the same worker the first are known.
 */
export const recordProperties: ConfigDef = defineConfig({
  transforms: {
    type: 'list',
    default: '',
    importance: 'low',
    doc: 'Aliases of the transformations of each record, before it becomes a row.',
  },
  predicates: { type: 'list', default: '', importance: 'low', doc: 'Aliases of the predicates that transformations use.' },
  'time.precision.mode': {
    type: 'string',
    default: 'adaptive_time_microseconds',
    importance: 'low',
    doc: "The source's, for records without schemas.",
    check: oneOf('adaptive_time_microseconds', 'adaptive', 'connect', 'isostring', 'microseconds', 'nanoseconds'),
  },
  'decimal.handling.mode': {
    type: 'string',
    default: 'precise',
    importance: 'low',
    doc: "The source's, for records without schemas.",
    check: oneOf('precise', 'string', 'double'),
  },
  'binary.handling.mode': {
    type: 'string',
    importance: 'low',
    doc: "The source's, where records have binary columns as text: their schemas do not tell which.",
    check: oneOf('bytes', 'base64', 'base64-url-safe', 'hex'),
  },
  'unavailable.value.placeholder': {
    type: 'string',
    default: '__debezium_unavailable_value',
    importance: 'low',
    doc: "The source's: what stands for a value that a record does not have; the row keeps the one that it has.",
  },
  'database.include.list': {
    type: 'string',
    importance: 'low',
    doc: "The source's, like the three below: with one of them, tables of the schema-change topic are there before their first record.",
    check: regexList,
  },
  'database.exclude.list': { type: 'string', importance: 'low', doc: "The source's.", check: regexList },
  'table.include.list': { type: 'string', importance: 'low', doc: "The source's.", check: regexList },
  'table.exclude.list': { type: 'string', importance: 'low', doc: "The source's.", check: regexList },
  'errors.tolerance': {
    type: 'string',
    default: 'none',
    importance: 'medium',
    doc: 'Whether records that cannot be converted, transformed or stored are left out: none, all.',
    check: oneOf('none', 'all'),
  },
  'errors.retry.timeout': {
    type: 'long',
    default: '0',
    importance: 'medium',
    doc: 'How long an operation on a record that may succeed later is repeated, in milliseconds; -1 without end. What the warehouse refuses for a passing reason is repeated without end.',
  },
  'errors.retry.delay.max.ms': { type: 'long', default: '60000', importance: 'medium', doc: 'Longest wait between two of these.' },
  'errors.log.enable': { type: 'boolean', default: 'false', importance: 'medium', doc: 'Whether each of these records is logged.' },
  'errors.log.include.messages': {
    type: 'boolean',
    default: 'false',
    importance: 'medium',
    doc: 'Whether the log has their keys and values.',
  },
  'errors.deadletterqueue.topic.name': {
    type: 'string',
    default: '',
    importance: 'medium',
    doc: 'Topic of the log that keeps them, with errors.tolerance=all.',
  },
  'errors.deadletterqueue.context.headers.enable': {
    type: 'boolean',
    default: 'false',
    importance: 'medium',
    doc: 'Whether they tell what went wrong in headers, __connect.errors.*.',
  },
});

/** What a sink connector has from Kafka Connect, apart from what is defined above. */
export const recordSinkProperties: ConfigDef = Object.fromEntries(
  Object.entries(sinkConnectProperties).filter(([name]) => !Object.hasOwn(recordProperties, name)),
);

export const recordFamilies: readonly PropertyFamily[] = [
  {
    name: 'millrace.types.<database>.<table>',
    pattern: /^millrace\.types\..+$/,
    importance: 'low',
    doc: 'Columns of a table whose records do not tell their types, as in CREATE TABLE: "id INT PRIMARY KEY, price DECIMAL(10,2)".',
  },
  {
    name: 'key.converter, value.converter',
    pattern: /^(?:key|value)\.converter(?:\..+)?$/,
    importance: 'low',
    doc: 'Converters of the bytes of records, and their settings. Unset: JSON, with or without schemas.',
  },
  {
    name: 'header.converter',
    pattern: /^header\.converter(?:\..+)?$/,
    importance: 'low',
    doc: 'Converter of headers, for transformations.',
  },
  { name: 'transforms.*', pattern: /^transforms\..+$/, importance: 'low', doc: 'Settings of transformations.' },
  { name: 'predicates.*', pattern: /^predicates\..+$/, importance: 'low', doc: 'Settings of predicates.' },
  ...connectFamilies,
];
