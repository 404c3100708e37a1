import { defineConfig, notEmpty } from '../../config/config-def.ts';
import { connectorProperties } from '../../config/connect-properties.ts';
import { recordProperties } from '../record-properties.ts';
import { defaultNameFormat } from '../replica-names.ts';

const oneOf =
  (...values: readonly string[]) =>
  (value: string): string | undefined =>
    values.includes(value.toLowerCase()) ? undefined : `must be one of ${values.join(', ')}`;

const size = (value: string): string | undefined =>
  /^\d+(?:\.\d+)?\s*(?:[kmgt]i?b|b|%)$/i.test(value) ? undefined : 'must be a size, such as 300MB';
const positive = (value: number): string | undefined => (value > 0 ? undefined : 'must be greater than 0');

/** Properties of `io.millrace.DuckDbSinkConnector`. */
export const duckdbSinkProperties = defineConfig({
  ...connectorProperties,
  ...recordProperties,
  topics: { type: 'list', default: '', importance: 'high', doc: 'Topics to take, `prefix.database.table`, separated by commas.' },
  'topics.regex': {
    type: 'string',
    default: '',
    importance: 'high',
    doc: 'A Java regular expression that names the topics to take, instead of topics.',
  },
  'duckdb.file': { type: 'string', required: true, importance: 'high', doc: 'The DuckDB file that holds the replica.', check: notEmpty },
  'duckdb.memory.limit': {
    type: 'string',
    default: '200MB',
    importance: 'medium',
    doc: "DuckDB's memory_limit; larger merges go to disk.",
    check: size,
  },
  'duckdb.threads': { type: 'int', default: '2', importance: 'low', doc: 'Threads that DuckDB uses.', check: positive },
  'duckdb.temp.directory': { type: 'string', default: '', importance: 'low', doc: 'Where DuckDB spills to; beside the file unless set.' },
  'duckdb.checkpoint.threshold': {
    type: 'string',
    default: '128MB',
    importance: 'low',
    doc: 'Size of the write-ahead log at which a commit writes it into the file.',
    check: size,
  },
  'replica.name.format': {
    type: 'string',
    default: defaultNameFormat,
    importance: 'medium',
    doc: 'Schema and table in the replica, made of ${prefix}, ${database}, ${table} and other text.',
  },
  'replica.name.map': {
    type: 'string',
    default: '',
    importance: 'medium',
    doc: 'Names of single tables: database.table:schema.table, separated by commas.',
  },
  'temporal.invalid.handling': {
    type: 'string',
    default: 'null',
    importance: 'medium',
    doc: 'What becomes of dates that do not exist, such as 0000-00-00: null (NULL, counted), text (DATE, DATETIME and TIMESTAMP columns are VARCHAR), fail.',
    check: oneOf('null', 'text', 'fail'),
  },
  'flush.max.rows': {
    type: 'int',
    default: '200000',
    importance: 'low',
    doc: 'Changes that are applied at once at most, about.',
    check: positive,
  },
  'flush.max.bytes': {
    type: 'long',
    default: '33554432',
    importance: 'low',
    doc: 'Bytes of rows that are applied at once at most, about.',
    check: positive,
  },
});
