/** The properties of Debezium's MySQL and MariaDB connectors that work here. Defaults are Debezium's where nothing else is said. */
import { messageOf } from '../base/errors.ts';
import { between, defineConfig, notEmpty, oneOf } from '../config/config-def.ts';
import { connectorProperties } from '../config/connect-properties.ts';
import { parseRegexList } from '../config/java-regex.ts';
import { recordProperties } from './connector-properties-records.ts';
import { signalProperties } from './connector-properties-signals.ts';

const mysqlModes = ['disabled', 'preferred', 'required', 'verify_ca', 'verify_identity'];
const mariadbModes = ['disable', 'trust', 'verify-ca', 'verify-full'];

function regexList(value: string): string | undefined {
  try {
    parseRegexList(value);
    return undefined;
  } catch (error) {
    return `cannot be used: ${messageOf(error)}`;
  }
}

export const sourceProperties = defineConfig({
  ...connectorProperties,
  ...recordProperties,
  ...signalProperties,
  'topic.prefix': {
    type: 'string',
    required: true,
    importance: 'high',
    doc: "Logical name of the server: the first part of its topics' names, and of the identity of its offsets.",
    check: (value) => (/^[A-Za-z0-9._-]+$/.test(value) ? undefined : 'may have letters, digits, dots, dashes and underscores only'),
  },
  'database.hostname': { type: 'string', required: true, importance: 'high', doc: 'Host name or address of the server.', check: notEmpty },
  'database.port': { type: 'int', default: '3306', importance: 'high', doc: 'Port of the server.', check: between(1, 65_535) },
  'database.user': {
    type: 'string',
    required: true,
    importance: 'high',
    doc: 'User who reads the tables and the binlog.',
    check: notEmpty,
  },
  'database.password': { type: 'password', default: '', importance: 'high', doc: 'Password of the user.' },
  'database.server.id': {
    type: 'long',
    importance: 'high',
    doc: 'Number of this replica among all replicas of the server. Without it, it is made of the names of connector and topic.prefix, above 10^9.',
    check: between(1, 2 ** 32 - 1),
  },
  'database.initial.statements': {
    type: 'string',
    importance: 'low',
    doc: 'Statements, with semicolons between them (two stand for one), that each new connection runs.',
  },
  'guardrail.collections.max': {
    type: 'int',
    default: '0',
    importance: 'medium',
    doc: 'Most tables that may be captured; 0: any number.',
    check: between(0),
  },
  'guardrail.collections.limit.action': {
    type: 'string',
    default: 'warn',
    importance: 'medium',
    doc: 'What more tables at the start do: warn, fail.',
    check: oneOf('warn', 'fail'),
  },
  'connect.timeout.ms': { type: 'int', default: '30000', importance: 'medium', doc: 'Longest wait for a connection.', check: between(1) },
  'database.ssl.mode': {
    type: 'string',
    importance: 'medium',
    doc: `MySQL: ${mysqlModes.join(', ')}; default preferred. MariaDB: ${mariadbModes.join(', ')}; default disable.`,
    check: oneOf(...mysqlModes, ...mariadbModes),
  },
  'database.ssl.keystore': {
    type: 'string',
    importance: 'medium',
    doc: "File with the client's certificate and key: PEM, PKCS #12 or JKS.",
  },
  'database.ssl.keystore.password': { type: 'password', importance: 'medium', doc: 'Password of the key store file.' },
  'database.ssl.truststore': {
    type: 'string',
    importance: 'medium',
    doc: 'File with the authorities that may have signed the certificate of the server: PEM, PKCS #12 or JKS.',
  },
  'database.ssl.truststore.password': { type: 'password', importance: 'medium', doc: 'Password of the trust store file.' },
  'database.include.list': {
    type: 'string',
    importance: 'high',
    doc: 'Regular expressions of the databases to capture; else all.',
    check: regexList,
  },
  'database.exclude.list': {
    type: 'string',
    importance: 'medium',
    doc: 'Regular expressions of databases not to capture.',
    check: regexList,
  },
  'table.include.list': {
    type: 'string',
    importance: 'high',
    doc: 'Regular expressions of the tables to capture, as database.table; else all.',
    check: regexList,
  },
  'table.exclude.list': {
    type: 'string',
    importance: 'medium',
    doc: 'Regular expressions of tables not to capture, as database.table.',
    check: regexList,
  },
  'column.include.list': {
    type: 'string',
    importance: 'medium',
    doc: 'Regular expressions of the columns to capture, as database.table.column; else all. Key columns are always captured.',
    check: regexList,
  },
  'column.exclude.list': {
    type: 'string',
    importance: 'medium',
    doc: 'Regular expressions of columns not to capture, as database.table.column.',
    check: regexList,
  },
  'gtid.source.includes': {
    type: 'string',
    importance: 'high',
    doc: "Regular expressions of the servers (UUID; of MariaDB domain-server) whose transactions' rows are streamed; else all.",
    check: regexList,
  },
  'gtid.source.excludes': {
    type: 'string',
    importance: 'medium',
    doc: "Regular expressions of the servers whose transactions' rows are not streamed.",
    check: regexList,
  },
  'gtid.source.filter.dml.events': {
    type: 'boolean',
    default: 'true',
    importance: 'medium',
    doc: 'Whether gtid.source.includes and gtid.source.excludes leave rows out. The stored GTIDs are of all servers in any case.',
  },
  'snapshot.mode': {
    type: 'string',
    default: 'initial',
    importance: 'low',
    doc: 'initial: copy the tables once, then follow. initial_only: copy only. no_data: follow from now on. when_needed: copy also when the binlog from the stored position is gone. always: copy at each start. recovery: go on from the stored position with the definitions that the tables have now. configuration_based: as snapshot.mode.configuration.based.* say.',
  },
  'snapshot.include.collection.list': {
    type: 'string',
    importance: 'medium',
    doc: 'Regular expressions of the tables whose rows the snapshot copies, as database.table, of those captured; else all.',
    check: regexList,
  },
  'snapshot.select.statement.overrides': {
    type: 'list',
    default: '',
    importance: 'medium',
    doc: 'Tables, as database.table, that the snapshot reads by a statement: the property of this name, a dot and the table.',
  },
  'snapshot.tables.order.by.row.count': {
    type: 'string',
    default: 'disabled',
    importance: 'medium',
    doc: "Order of tables in a snapshot, by the server's estimates of their rows: descending, ascending, disabled (by name).",
    check: (value) => (/^(?:disabled|ascending|descending)$/i.test(value) ? undefined : 'must be disabled, ascending or descending'),
  },
  'snapshot.locking.mode': {
    type: 'string',
    default: 'minimal',
    importance: 'low',
    doc: 'minimal: a global read lock for an instant where possible, else none; the other modes of Debezium but none and custom are the same. none: never a lock. Either way all tables are copied as of positions that are exact.',
    check: (value) =>
      /^(?:minimal|none|extended|minimal_percona|minimal_percona_no_table_locks|minimal_at_least_once)$/i.test(value)
        ? undefined
        : 'must be minimal, extended, minimal_percona, minimal_percona_no_table_locks, minimal_at_least_once or none; none of them locks tables while data is read',
  },
  'snapshot.lock.timeout.ms': {
    type: 'long',
    default: '2000',
    importance: 'medium',
    doc: 'Longest wait for the global read lock, at most 2000: writers wait meanwhile. When it passes, the snapshot is taken without a lock.',
    check: between(0),
  },
  'snapshot.max.threads': {
    type: 'int',
    default: '1',
    importance: 'medium',
    doc: 'Connections that copy tables at a time.',
    check: between(1, 64),
  },
  'snapshot.fetch.size': {
    type: 'int',
    importance: 'medium',
    doc: 'Rows that a snapshot reads at a time, about; default 20000.',
    check: between(1),
  },
});
