/** The properties of Debezium's connectors that shape records. Defaults are Debezium's. */
import { messageOf } from '../base/errors.ts';
import { readColumnRules } from '../config/column-rules.ts';
import { between, defineConfig, notEmpty, oneOf } from '../config/config-def.ts';
import { compileJavaPattern } from '../config/java-pattern.ts';
import { parseRegexList } from '../config/java-regex.ts';

function problemOf(check: () => unknown): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    return `cannot be used: ${messageOf(error)}`;
  }
}

const regexList = (value: string): string | undefined => problemOf(() => parseRegexList(value));
const topicPart = (value: string): string | undefined =>
  /^[A-Za-z0-9._-]+$/.test(value) ? undefined : 'may have letters, digits, dots, dashes and underscores only';

const namingStrategies = [
  'io.debezium.schema.SchemaTopicNamingStrategy',
  'io.debezium.schema.DefaultTopicNamingStrategy',
  'io.debezium.schema.DefaultRegexTopicNamingStrategy',
  'io.debezium.schema.SchemaUnicodeTopicNamingStrategy',
  'io.debezium.schema.DefaultUnicodeTopicNamingStrategy',
];
const nameModes = ['none', 'avro', 'avro_unicode'];

export const recordProperties = defineConfig({
  'millrace.compat': {
    type: 'string',
    default: 'none',
    importance: 'medium',
    doc: 'debezium-3.6: records have the values of Debezium 3.6 also where those are wrong (docs/compatibility.md). none: they are right.',
    check: oneOf('none', 'debezium-3.6'),
  },
  'decimal.handling.mode': {
    type: 'string',
    default: 'precise',
    importance: 'medium',
    doc: 'How records hold DECIMAL: precise, double, string.',
    check: oneOf('precise', 'double', 'string'),
  },
  'time.precision.mode': {
    type: 'string',
    default: 'adaptive_time_microseconds',
    importance: 'medium',
    doc: 'How records hold times: adaptive_time_microseconds, connect, isostring, microseconds, nanoseconds.',
    check: oneOf('adaptive_time_microseconds', 'connect', 'isostring', 'microseconds', 'nanoseconds'),
  },
  'bigint.unsigned.handling.mode': {
    type: 'string',
    default: 'long',
    importance: 'medium',
    doc: 'How records hold BIGINT UNSIGNED: long, precise.',
    check: oneOf('long', 'precise'),
  },
  'binary.handling.mode': {
    type: 'string',
    default: 'bytes',
    importance: 'low',
    doc: 'How records hold binary values: bytes, base64, base64-url-safe, hex.',
    check: oneOf('bytes', 'base64', 'base64-url-safe', 'hex'),
  },
  'schema.name.adjustment.mode': {
    type: 'string',
    default: 'none',
    importance: 'low',
    doc: 'How names of schemas are made fit for converters: none, avro, avro_unicode.',
    check: oneOf(...nameModes),
  },
  'field.name.adjustment.mode': {
    type: 'string',
    default: 'none',
    importance: 'low',
    doc: 'How names of fields are made fit for converters: none, avro, avro_unicode.',
    check: oneOf(...nameModes),
  },
  'tombstones.on.delete': { type: 'boolean', default: 'true', importance: 'medium', doc: 'Whether a null record follows a delete.' },
  'skipped.operations': {
    type: 'list',
    default: 't',
    importance: 'low',
    doc: 'Operations that have no records: c, u, d, r, t, or none. Sinks of tables apply all operations.',
    check: (value) =>
      value.every((letter) => /^(?:[cudrt]|none)$/i.test(letter.trim())) ? undefined : 'may have c, u, d, r, t, or be none',
  },
  'skip.messages.without.change': {
    type: 'boolean',
    default: 'false',
    importance: 'low',
    doc: 'Whether updates that change no captured column have no record.',
  },
  'message.key.columns': {
    type: 'string',
    importance: 'medium',
    doc: "Columns that make the key of records: <tables>:<column>,<column>;… Sinks of tables go by the table's own key.",
    check: (value) => problemOf(() => readColumnRules({ 'message.key.columns': value })),
  },
  'column.propagate.source.type': {
    type: 'string',
    importance: 'medium',
    doc: 'Regular expressions of the columns, as database.table.column, whose schemas tell type, length and scale of the source.',
    check: regexList,
  },
  'datatype.propagate.source.type': {
    type: 'string',
    importance: 'medium',
    doc: 'The same by type, as database.table.TYPE.',
    check: regexList,
  },
  'unavailable.value.placeholder': {
    type: 'string',
    default: '__debezium_unavailable_value',
    importance: 'low',
    doc: 'What stands for a value that is not in the row image.',
  },
  'enable.time.adjuster': { type: 'boolean', default: 'true', importance: 'low', doc: 'Whether years of two digits are of 1970 to 2069.' },
  'extended.headers.enabled': { type: 'boolean', default: 'true', importance: 'low', doc: 'Whether records have context headers.' },
  'include.schema.changes': {
    type: 'boolean',
    default: 'true',
    importance: 'medium',
    doc: 'Whether DDL is written to the topic named topic.prefix.',
  },
  'include.schema.comments': {
    type: 'boolean',
    default: 'false',
    importance: 'medium',
    doc: 'Whether schemas and DDL records hold the comments of columns and tables. Of MariaDB they always do.',
  },
  'include.query': {
    type: 'boolean',
    default: 'false',
    importance: 'medium',
    doc: "Whether records hold the statement's text, where the binlog has it (binlog_rows_query_log_events, binlog_annotate_row_events).",
  },
  'provide.transaction.metadata': {
    type: 'boolean',
    default: 'false',
    importance: 'low',
    doc: 'Whether records tell their place in their transaction, and a topic the begin and the end of each.',
  },
  'topic.transaction': {
    type: 'string',
    default: 'transaction',
    importance: 'low',
    doc: 'Last part of the name of the topic of transactions.',
    check: topicPart,
  },
  'heartbeat.interval.ms': {
    type: 'int',
    default: '0',
    importance: 'medium',
    doc: 'How often a record tells that the source is alive; 0: never.',
    check: between(0),
  },
  'heartbeat.action.query': {
    type: 'string',
    importance: 'low',
    doc: 'Statement that is run on the source at each heartbeat.',
    check: notEmpty,
  },
  'topic.heartbeat.prefix': {
    type: 'string',
    default: '__debezium-heartbeat',
    importance: 'low',
    doc: 'First part of the name of the heartbeat topic.',
    check: topicPart,
  },
  'topic.delimiter': {
    type: 'string',
    default: '.',
    importance: 'medium',
    doc: "What stands between the parts of a topic's name.",
    check: topicPart,
  },
  'topic.naming.strategy': {
    type: 'class',
    default: 'io.debezium.schema.SchemaTopicNamingStrategy',
    importance: 'medium',
    doc: `How topics are named: ${namingStrategies.map((name) => name.slice('io.debezium.schema.'.length)).join(', ')}.`,
    check: (value) => (namingStrategies.includes(value) ? undefined : `must be one of ${namingStrategies.join(', ')}`),
  },
  'topic.regex': {
    type: 'string',
    importance: 'medium',
    doc: 'Of DefaultRegexTopicNamingStrategy: pattern of names of topics.',
    check: (value) => problemOf(() => compileJavaPattern(value)),
  },
  'topic.replacement': {
    type: 'string',
    importance: 'medium',
    doc: 'Of DefaultRegexTopicNamingStrategy: what names that match become; $1 is the first group.',
  },
  converters: {
    type: 'list',
    default: '',
    importance: 'low',
    doc: 'Names of converters of columns, each with <name>.type: TinyIntOneToBooleanConverter, JdbcSinkDataTypesConverter.',
  },
  'schema.history.internal.kafka.topic': {
    type: 'string',
    importance: 'high',
    doc: 'Topic that gets the DDL in the form of the schema history of Debezium, for the way back to it.',
  },
  'schema.history.internal.file.filename': {
    type: 'string',
    importance: 'high',
    doc: 'Schema history of the Debezium whose offset this connector goes on from: its topic, or the file of FileSchemaHistory.',
  },
  'schema.history.internal.store.only.captured.databases.ddl': {
    type: 'boolean',
    default: 'false',
    importance: 'low',
    doc: 'Whether the topics of DDL tell of captured databases only.',
  },
  'schema.history.internal.store.only.captured.tables.ddl': {
    type: 'boolean',
    default: 'false',
    importance: 'low',
    doc: 'Whether the topics of DDL tell of captured tables only.',
  },
});
