import { defineConfig, notEmpty } from '../../config/config-def.ts';
import { connectorProperties } from '../../config/connect-properties.ts';
import { recordProperties } from '../record-properties.ts';
import { replicaProperties } from '../replica-properties.ts';

const size = (value: string): string | undefined =>
  /^\d+(?:\.\d+)?\s*(?:[kmgt]i?b|b|%)$/i.test(value) ? undefined : 'must be a size, such as 300MB';
const positive = (value: number): string | undefined => (value > 0 ? undefined : 'must be greater than 0');

/** Properties of `io.millrace.DuckDbSinkConnector`. */
export const duckdbSinkProperties = defineConfig({
  ...connectorProperties,
  ...recordProperties,
  ...replicaProperties,
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
