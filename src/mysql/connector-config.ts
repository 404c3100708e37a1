import { createHash } from 'node:crypto';
import { messageOf } from '../base/errors.ts';
import { readColumnRules, type ColumnRules } from '../config/column-rules.ts';
import { parsedOrThrow, readConfig } from '../config/config-def.ts';
import { isConverterOption, readConverters } from '../config/converter-rules.ts';
import type { ConfigNotice, ConfigProblem, ConnectorDef, ParsedConfig } from '../config/config-def.ts';
import { connectFamilies, sourceConnectProperties } from '../config/connect-properties.ts';
import { parseRegexList } from '../config/java-regex.ts';
import type { ConnectorConfig } from '../connect/connector.ts';
import { op, type ChangeBatch } from '../event/change-batch.ts';
import { countChangesWith } from '../event/count-changes.ts';
import { tableName } from '../event/table-schema.ts';
import type { TableId, TableSchema } from '../event/table-schema.ts';
import { otherSourceProperties, sourceFamilies } from './connector-properties-other.ts';
import { sourceProperties } from './connector-properties.ts';
import { readSignalConfig } from './signals/signal-config.ts';
import { readSnapshotMode, snapshotModeProblem, snapshotNotices } from './snapshot-mode.ts';
import { readSnapshotSelection } from './snapshot-selection.ts';
import type { DescribedTables, SourceConfig, TlsConfig } from './source-config.ts';
import { readTlsFiles } from './tls-files.ts';

export const mysqlConnectorClass = 'io.debezium.connector.mysql.MySqlConnector';
export const mariadbConnectorClass = 'io.debezium.connector.mariadb.MariaDbConnector';
export const sourceConnectorClasses = [mysqlConnectorClass, mariadbConnectorClass] as const;

/** All that is known of the properties of Debezium's MySQL and MariaDB connectors. */
export const sourceConnectorDef: ConnectorDef<typeof sourceProperties> = {
  definition: sourceProperties,
  others: { ...sourceConnectProperties, ...otherSourceProperties },
  families: [...connectFamilies, ...sourceFamilies],
};

export interface SourceConfigReading {
  readonly config: SourceConfig;
  /** What to tell the user, once, at start. */
  readonly notices: readonly ConfigNotice[];
}

type SourceValues = ParsedConfig<typeof sourceProperties>;

const systemDatabases = new Set(['mysql', 'performance_schema', 'sys', 'information_schema']);
const greatestLockWaitMs = 2000;
const defaultChunkRows = 20_000;
const groupBytes = 1024 * 1024;

/**
 * A source connector's configuration, checked as a whole.
 *
 * @throws CONFIG_INVALID, CONFIG_UNSUPPORTED naming every problem; CONFIG_UNREADABLE for TLS files
 */
export function parseSourceConfig(connector: ConnectorConfig): SourceConfig {
  return readSourceConfig(connector).config;
}

/** As `parseSourceConfig`, with what there is to say of the properties. */
export function readSourceConfig({ name, config }: ConnectorConfig): SourceConfigReading {
  const reading = readConfig(sourceConnectorDef, { ...config, name });
  const problems = [...reading.problems, ...checkTogether(reading.values, config)];
  const notices = reading.notices.filter(({ property }) => !isConverterOption(property, reading.values.converters ?? []));
  const values = parsedOrThrow({ ...reading, problems }, name);
  const flavor = values['connector.class'] === mariadbConnectorClass ? 'mariadb' : 'mysql';
  const serverId = values['database.server.id'] ?? derivedServerId(name, values['topic.prefix']);
  if (values['database.server.id'] === undefined) {
    notices.push({
      property: 'database.server.id',
      level: 'info',
      text: `database.server.id is not set; ${serverId} is used, made of the names of connector and topic.prefix.`,
    });
  }
  notices.push(...snapshotNotices(values['snapshot.mode'], values['snapshot.locking.mode']));
  const filters = readFilters(values);
  const signals = readSignalConfig(values);
  if (signals.collection !== undefined && !filters.captures(signals.collection)) {
    notices.push({
      property: 'signal.data.collection',
      level: 'warning',
      text: `signal.data.collection: ${tableName(signals.collection)} is not among the captured tables: no signal comes from it.`,
    });
  }
  const rules = readColumnRules(config);
  const lockWaitMs = Math.min(values['snapshot.lock.timeout.ms'], greatestLockWaitMs);
  if (values['snapshot.lock.timeout.ms'] > greatestLockWaitMs) {
    notices.push({
      property: 'snapshot.lock.timeout.ms',
      level: 'info',
      text: `snapshot.lock.timeout.ms is taken as ${greatestLockWaitMs}: writers wait for as long; without the lock the snapshot is exact too.`,
    });
  }
  return {
    config: {
      name,
      flavor,
      server: {
        host: values['database.hostname'],
        port: values['database.port'],
        user: values['database.user'],
        password: values['database.password'].reveal(),
        tls: readTls(values, flavor),
        connectTimeoutMs: values['connect.timeout.ms'],
        initialStatements: splitStatements(values['database.initial.statements'] ?? ''),
      },
      serverId,
      topicPrefix: values['topic.prefix'],
      ...filters,
      leavesOut: readGtidFilter(values),
      rules,
      guardrail:
        values['guardrail.collections.max'] === 0
          ? undefined
          : { most: values['guardrail.collections.max'], fails: values['guardrail.collections.limit.action'].toLowerCase() === 'fail' },
      tellsQueries: values['include.query'],
      marksDocuments: values['millrace.compat'] !== 'none',
      countRecords: values['provide.transaction.metadata'] ? recordCounter(values, rules) : undefined,
      tellsTruncate: !values['skipped.operations'].some((letter) => letter.toLowerCase() === 't'),
      described: readDescribed(values, (table) => filters.captures(table)),
      snapshotMode: readSnapshotMode(values['snapshot.mode'], config) ?? 'initial',
      historyFile: isSet(values['schema.history.internal.file.filename']) ? values['schema.history.internal.file.filename'] : undefined,
      snapshotSelection: readSnapshotSelection(
        {
          include: values['snapshot.include.collection.list'],
          overrides: values['snapshot.select.statement.overrides'],
          order: values['snapshot.tables.order.by.row.count'],
        },
        config,
      ),
      snapshotThreads: values['snapshot.max.threads'],
      signals,
      snapshotDelayMs: values['snapshot.delay.ms'],
      streamingDelayMs: values['streaming.delay.ms'],
      heartbeatIntervalMs: values['heartbeat.interval.ms'],
      heartbeatQuery: values['heartbeat.action.query'],
      lockWaitMs: values['snapshot.locking.mode'].toLowerCase() === 'none' ? 0 : lockWaitMs,
      chunkRows: values['snapshot.fetch.size'] ?? defaultChunkRows,
      groupBytes,
    },
    notices,
  };
}

/** What cannot be seen from one property alone. */
function checkTogether(values: Partial<SourceValues>, config: Readonly<Record<string, string>>): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const connectorClass = values['connector.class'];
  const classes: readonly string[] = sourceConnectorClasses;
  if (connectorClass !== undefined && !classes.includes(connectorClass)) {
    problems.push({ property: 'connector.class', text: `connector.class "${connectorClass}" is no source connector.`, unsupported: false });
  }
  if (isSet(values['gtid.source.includes']) && isSet(values['gtid.source.excludes'])) {
    const text = 'gtid.source.includes and gtid.source.excludes cannot both be set.';
    problems.push({ property: 'gtid.source.excludes', text, unsupported: false });
  }
  for (const what of ['database', 'table', 'column'] as const) {
    if (isSet(values[`${what}.include.list`]) && isSet(values[`${what}.exclude.list`])) {
      const text = `${what}.include.list and ${what}.exclude.list cannot both be set.`;
      problems.push({ property: `${what}.exclude.list`, text, unsupported: false });
    }
  }
  try {
    readConverters(config);
  } catch (error) {
    problems.push({ property: 'converters', text: messageOf(error), unsupported: false });
  }
  const mode = values['snapshot.mode'];
  const modeProblem = mode === undefined ? undefined : snapshotModeProblem(mode, config);
  if (modeProblem !== undefined) problems.push(modeProblem);
  return problems;
}

function isSet(text: string | undefined): text is string {
  return text !== undefined && text !== '';
}

/** A number that stays the same from start to start, in a range that people do not use, so that two rarely meet. */
function derivedServerId(name: string, prefix: string): number {
  const hash = createHash('sha256').update(`${name}\0${prefix}`).digest();
  return 1_000_000_000 + (hash.readUInt32LE(0) % 1_000_000_000);
}

const tlsModes: Readonly<Record<string, TlsConfig['mode']>> = {
  disabled: 'disabled',
  preferred: 'preferred',
  required: 'required',
  verify_ca: 'verify_ca',
  verify_identity: 'verify_identity',
  // MariaDB's words
  disable: 'disabled',
  trust: 'required',
  'verify-ca': 'verify_ca',
  'verify-full': 'verify_identity',
};

function readTls(values: SourceValues, flavor: SourceConfig['flavor']): TlsConfig {
  const mode = tlsModes[values['database.ssl.mode']?.toLowerCase() ?? ''] ?? (flavor === 'mariadb' ? 'disabled' : 'preferred');
  if (mode === 'disabled') return { mode };
  return {
    mode,
    ...readTlsFiles({
      keystore: values['database.ssl.keystore'],
      keystorePassword: values['database.ssl.keystore.password'],
      truststore: values['database.ssl.truststore'],
      truststorePassword: values['database.ssl.truststore.password'],
    }),
  };
}

/** Two semicolons stand for one that does not end a statement. */
function splitStatements(text: string): readonly string[] {
  return text
    .split(/(?<!;);(?!;)/)
    .map((statement) => statement.replaceAll(';;', ';').trim())
    .filter((statement) => statement !== '');
}

/** What transaction metadata counts: no tombstones, and nothing that is skipped. */
function recordCounter(values: SourceValues, rules: ColumnRules): (batch: ChangeBatch) => number {
  const skipped = new Set(values['skipped.operations'].map((letter) => letter.trim().toLowerCase()));
  const shown = (schema: TableSchema): readonly number[] =>
    schema.columns.flatMap(({ name }, position) => (rules.isInRow(schema, name) ? [position] : []));
  return countChangesWith(
    (code, keyChanged) => {
      if (code === op.insert) return skipped.has('c') ? 0 : 1;
      if (code === op.delete) return skipped.has('d') ? 0 : 1;
      if (code !== op.update || skipped.has('u')) return 0;
      return keyChanged ? 2 : 1;
    },
    {
      keyOf: (schema) => rules.messageKey(schema),
      hiddenEndOf: (schema) => rules.hiddenEnd(schema),
      comparedOf: values['skip.messages.without.change'] ? shown : undefined,
    },
  );
}

/** The schema-change topic has what Debezium's schema history keeps. */
function readDescribed(values: SourceValues, captures: SourceConfig['captures']): DescribedTables | undefined {
  if (!values['include.schema.changes'] && !isSet(values['schema.history.internal.kafka.topic'])) return undefined;
  const database = filter(values['database.include.list'], values['database.exclude.list']);
  const capturedDatabases = values['schema.history.internal.store.only.captured.databases.ddl'];
  const capturedTables = values['schema.history.internal.store.only.captured.tables.ddl'];
  const takesDatabase = (name: string): boolean =>
    !systemDatabases.has(name.toLowerCase()) && (!capturedDatabases || name === '' || database(name));
  return {
    takesDatabase,
    takesOthers: !capturedTables,
    takesTable: (table) => (capturedTables ? captures(table) : takesDatabase(table.database)),
  };
}

/** Include and exclude lists as Debezium applies them: on `database`, `database.table` and `database.table.column`. */
function readFilters(values: SourceValues): Pick<SourceConfig, 'captures' | 'capturesColumn' | 'tableRank'> {
  const database = filter(values['database.include.list'], values['database.exclude.list']);
  const table = filter(values['table.include.list'], values['table.exclude.list']);
  const column = filter(values['column.include.list'], values['column.exclude.list']);
  const included = isSet(values['table.include.list']) ? parseRegexList(values['table.include.list']) : undefined;
  return {
    captures: (id: TableId) =>
      !systemDatabases.has(id.database.toLowerCase()) && database(id.database) && table(`${id.database}.${id.table}`),
    capturesColumn: (id: TableId, name: string) => column(`${id.database}.${id.table}.${name}`),
    tableRank: (id: TableId) => included?.indexOf(`${id.database}.${id.table}`) ?? 0,
  };
}

/** A transaction without a GTID is no server's. */
function readGtidFilter(values: SourceValues): SourceConfig['leavesOut'] {
  const { 'gtid.source.includes': includes, 'gtid.source.excludes': excludes, 'gtid.source.filter.dml.events': isOn } = values;
  if (!isOn || (!isSet(includes) && !isSet(excludes))) return undefined;
  const takes = filter(includes, excludes);
  return (source) => source !== '' && !takes(source.split(':')[0] ?? '');
}

function filter(include: string | undefined, exclude: string | undefined): (name: string) => boolean {
  if (isSet(include)) {
    const list = parseRegexList(include);
    return (name) => list.matches(name);
  }
  if (!isSet(exclude)) return () => true;
  const list = parseRegexList(exclude);
  return (name) => !list.matches(name);
}
