/**
 * The properties of Debezium's MySQL (3.6) and MariaDB (3.5) connectors, and of older versions, that do not work here,
 * each with its fate: not needed, without effect (it shapes records, the replica is the same), or refused (the replica
 * would differ from what the user expects). None is ignored silently.
 */
import type { ConfigDef, PropertyFamily } from '../config/config-def.ts';
import { properties } from '../config/connect-properties.ts';

const ownWay = 'Millrace has its own way of doing this.';
const endless = 'Millrace retries passing faults without end, with growing waits, and stops at any other; it never skips data.';
const notFiltered = 'The replica would not be what it asks for. Remove it.';

export const otherSourceProperties: ConfigDef = {
  ...properties('refused', notFiltered, {
    'snapshot.query.mode': ['string', 'select_all', 'low', 'Where snapshot statements come from: select_all, custom.'],
    'snapshot.query.mode.custom.name': ['string', undefined, 'medium', 'Plugin of snapshot statements.'],
    'table.ignore.builtin': ['boolean', 'true', 'low', "Whether the server's own tables are left out."],
    'post.processors': ['string', undefined, 'low', 'Plugins that change records before they are written.'],
  }),
  ...properties(
    'refused',
    'This name of an older Debezium is no longer used: its successor has `include`, `exclude` or `topic.prefix` in its name.',
    {
      'database.server.name': ['string', undefined, 'high', 'Older name of topic.prefix.'],
      'database.whitelist': ['string', undefined, 'high', 'Older name of database.include.list.'],
      'database.blacklist': ['string', undefined, 'medium', 'Older name of database.exclude.list.'],
      'table.whitelist': ['string', undefined, 'high', 'Older name of table.include.list.'],
      'table.blacklist': ['string', undefined, 'medium', 'Older name of table.exclude.list.'],
      'column.whitelist': ['string', undefined, 'medium', 'Older name of column.include.list.'],
      'column.blacklist': ['string', undefined, 'medium', 'Older name of column.exclude.list.'],
    },
  ),
  ...properties('not needed', 'The table definitions are kept in the data folder, with the position they belong to.', {
    'schema.history.internal': [
      'class',
      'io.debezium.storage.kafka.history.KafkaSchemaHistory',
      'low',
      'Where the schema history is kept.',
    ],
    'snapshot.mode.configuration.based.snapshot.schema': ['boolean', 'false', 'medium', 'Whether definitions are taken at a start.'],
    'snapshot.mode.configuration.based.snapshot.on.schema.error': [
      'boolean',
      'false',
      'medium',
      'Whether definitions are taken anew when the schema history is lost.',
    ],
    'schema.history.internal.skip.unparseable.ddl': ['boolean', 'false', 'low', 'Whether DDL that cannot be parsed is ignored.'],
    'memory.management.schemas.class': [
      'class',
      'io.debezium.relational.ConcurrentMapTableMappingStorage',
      'low',
      'Where schemas are held.',
    ],
    'memory.management.tables.class': ['class', 'io.debezium.relational.ConcurrentMapTableMappingStorage', 'low', 'Where tables are held.'],
    'ddl.parser.type': ['string', 'default', 'low', 'Grammar of the DDL parser: default, legacy.'],
    'resolve.create.table.like.schema': ['boolean', 'false', 'low', 'Whether CREATE TABLE … LIKE is resolved.'],
  }),
  ...properties('not needed', 'Memory is bounded by bytes, and a change is passed on as soon as it is read.', {
    'max.batch.size': ['int', '2048', 'medium', 'Records handed over at a time.'],
    'max.queue.size': ['int', '8192', 'medium', 'Records held in memory.'],
    'max.queue.size.in.bytes': ['long', '0', 'medium', 'Bytes held in memory.'],
    'poll.interval.ms': ['long', '500', 'medium', 'Wait for a full batch.'],
    'poll.dispatch.interval.ms': ['long', '0', 'low', 'Shortest time between two batches.'],
    'binlog.buffer.size': ['int', '0', 'medium', 'Look-ahead to see rolled-back transactions.'],
    'min.row.count.to.stream.results': ['int', '1000', 'low', 'Tables above it are streamed by the snapshot.'],
    'query.fetch.size': ['int', '0', 'medium', 'Rows fetched at a time by other queries.'],
  }),
  ...properties('refused', 'Classes of Debezium cannot be loaded. Remove it.', {
    'transaction.metadata.factory': [
      'class',
      'io.debezium.pipeline.txmetadata.DefaultTransactionMetadataFactory',
      'low',
      'Class of transaction metadata.',
    ],
    'sourceinfo.struct.maker': [
      'class',
      'io.debezium.connector.mysql.MySqlSourceInfoStructMaker',
      'medium',
      "Class of the records' source part.",
      ['io.debezium.connector.mariadb.MariaDbSourceInfoStructMaker'],
    ],
  }),
  ...properties('refused', 'Records are made of what is in the log already: a value that cannot be converted is null in them.', {
    'event.converting.failure.handling.mode': [
      'string',
      'warn',
      'medium',
      'What a value without a conversion does: warn, skip, fail.',
      ['skip'],
    ],
  }),
  ...properties('works', '', {
    'heartbeat.topics.prefix': ['string', '__debezium-heartbeat', 'low', 'Older name of topic.heartbeat.prefix.'],
  }),
  ...properties('not needed', 'Names of topics are made once per table.', {
    'topic.cache.size': ['int', '10000', 'low', 'Topic names held in memory.'],
  }),
  ...properties('no effect', endless, {
    'event.processing.failure.handling.mode': ['string', 'fail', 'medium', 'What a broken event does: fail, warn, skip.'],
    'event.deserialization.failure.handling.mode': ['string', 'fail', 'medium', 'Older name of it.'],
    'inconsistent.schema.handling.mode': ['string', 'fail', 'medium', 'What an event of an unknown table does: fail, warn, skip.'],
  }),
  ...properties('works', '', {
    'errors.max.retries': ['int', '-1', 'low', 'Retries of a passing fault before the task fails; -1: no end.'],
    'retriable.restart.connector.wait.ms': ['long', '10000', 'low', 'Wait before each retry. When absent, waits grow from 0.2 s to 30 s.'],
  }),
  ...properties('no effect', 'A query takes as long as its connection lives.', {
    'database.query.timeout.ms': ['int', '600000', 'low', 'Longest wait for a query.'],
  }),
  ...properties('not needed', 'There is no JDBC driver.', {
    'database.jdbc.driver': ['class', 'com.mysql.cj.jdbc.Driver', 'low', 'Class of the JDBC driver.'],
    'database.protocol': ['string', 'jdbc:mysql', 'low', 'Protocol of the JDBC URL.'],
  }),
  ...properties('not needed', 'The connections are watched, by heartbeats of the server and bounded waits.', {
    'connect.keep.alive': ['boolean', 'true', 'low', 'Whether the binlog connection is watched. It always is.'],
    'connect.keep.alive.interval.ms': ['long', '60000', 'low', 'How often it is looked at.'],
    'use.nongraceful.disconnect': ['boolean', 'false', 'medium', 'Whether the binlog socket is closed at once.'],
    'binlog.net.write.timeout': ['long', '0', 'medium', 'Session value of net_write_timeout.'],
    'binlog.net.read.timeout': ['long', '0', 'medium', 'Session value of net_read_timeout.'],
    'connection.validation.timeout.ms': ['long', '60000', 'low', 'Longest wait for the check of a connection.'],
    'executor.shutdown.timeout.ms': ['long', '4000', 'medium', 'Longest wait for threads at the end.'],
  }),
  ...properties('not needed', 'There is one connection to the binlog, with one server id.', {
    'database.server.id.offset': ['long', '10000', 'high', 'Added to the server id for further connections.'],
  }),
  ...properties('not needed', 'Streaming goes on by file and position where these name one place, else by GTIDs.', {
    'gtid.ignore.on.recovery': ['boolean', 'false', 'low', 'Whether streaming goes on by file and position.'],
    'gtid.new.channel.position': ['string', 'earliest', 'low', 'Where a new GTID channel begins.'],
  }),
  ...properties('no effect', ownWay, {
    'snapshot.max.threads.multiplier': ['int', '1', 'medium', 'Chunks of a table per thread.'],
    'legacy.snapshot.max.threads': ['boolean', 'false', 'low', 'The older way of parallel snapshots.'],
    'snapshot.mode.custom.name': ['string', undefined, 'medium', 'Plugin of snapshot.mode=custom.'],
    'custom.metric.tags': ['list', undefined, 'low', 'Tags of metrics.'],
    'custom.sanitize.pattern': ['string', undefined, 'low', 'Properties whose values are not logged. Passwords never are.'],
    'statistics.metrics.enabled': ['boolean', 'true', 'medium', 'Whether statistics are measured.', ['false']],
  }),
};

export const sourceFamilies: readonly PropertyFamily[] = [
  {
    name: 'column.mask.with.<n>.chars',
    pattern: /^column\.mask\.with\.\d+\.chars$/,
    importance: 'medium',
    doc: 'Columns replaced by asterisks.',
    effect: 'works',
  },
  {
    name: 'column.mask.hash.<algorithm>.with.salt.<salt>',
    pattern: /^column\.mask\.hash\.(?:v2\.)?[^.]+\.with\.salt\..+$/,
    importance: 'medium',
    doc: 'Columns replaced by a hash.',
    effect: 'works',
  },
  {
    name: 'column.truncate.to.<n>.chars',
    pattern: /^column\.truncate\.to\.\d+\.chars$/,
    importance: 'medium',
    doc: 'Columns cut to a length.',
    effect: 'works',
  },
  {
    name: 'snapshot.select.statement.overrides.<database>.<table>',
    pattern: /^snapshot\.select\.statement\.overrides\..+$/,
    importance: 'medium',
    doc: 'Statement by which the snapshot reads a table.',
  },
  {
    name: 'snapshot.mode.configuration.based.*',
    pattern: /^snapshot\.mode\.configuration\.based\..+$/,
    importance: 'medium',
    doc: 'Parts of snapshot.mode=configuration_based.',
    effect: 'works',
  },
  {
    name: 'schema.history.internal.*, database.history.*',
    pattern: /^(?:schema\.history\.internal|database\.history)(?:\..+)?$/,
    importance: 'medium',
    doc: "Settings of Debezium's schema history.",
    effect: 'not needed',
    why: 'The table definitions are kept in the data folder, with the position they belong to.',
  },
  {
    name: 'driver.*',
    pattern: /^driver\..+$/,
    importance: 'low',
    doc: 'Settings of the JDBC driver.',
    effect: 'no effect',
    why: 'There is no JDBC driver.',
  },
  {
    name: 'openlineage.*',
    pattern: /^openlineage\..+$/,
    importance: 'low',
    doc: 'Lineage events.',
    effect: 'no effect',
    why: ownWay,
    harmless: ['false'],
  },
  {
    name: 'signal.*, notification.*',
    pattern: /^(?:signal|notification)\..+$/,
    importance: 'low',
    doc: 'Signals and notifications.',
    effect: 'no effect',
    why: ownWay,
  },
  { name: 'internal.*', pattern: /^internal\..+$/, importance: 'low', doc: "Debezium's own switches.", effect: 'no effect', why: ownWay },
];
