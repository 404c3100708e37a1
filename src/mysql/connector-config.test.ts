import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isMillraceError } from '../base/errors.ts';
import { findProperty } from '../config/config-def.ts';
import { readSourceConfig, sourceConnectorDef } from './connector-config.ts';

const least = {
  'connector.class': 'io.debezium.connector.mysql.MySqlConnector',
  'database.hostname': 'db',
  'database.user': 'u',
  'database.password': 'secret-word',
  'topic.prefix': 'shop',
};

function read(config: Readonly<Record<string, string>>): ReturnType<typeof readSourceConfig> {
  return readSourceConfig({ name: 'c', config: { ...least, ...config } });
}

function refusal(config: Readonly<Record<string, string>>): { code: string; message: string; nextStep: string } {
  try {
    read(config);
  } catch (error) {
    if (isMillraceError(error)) return error;
    throw error;
  }
  return assert.fail('nothing was refused');
}

// The names that Debezium MySQL 3.6.1 and MariaDB 3.5.0 publish at /connector-plugins/<class>/config, and those that
// their documentation has besides.
const published = `
  topic.prefix database.hostname database.port database.user database.password database.query.timeout.ms
  database.initial.statements database.server.id database.server.id.offset database.ssl.keystore
  database.ssl.keystore.password database.ssl.truststore database.ssl.truststore.password database.jdbc.driver
  database.protocol database.ssl.mode event.processing.failure.handling.mode max.batch.size max.queue.size
  poll.interval.ms max.queue.size.in.bytes provide.transaction.metadata skipped.operations snapshot.delay.ms
  streaming.delay.ms snapshot.include.collection.list snapshot.fetch.size snapshot.max.threads
  snapshot.max.threads.multiplier legacy.snapshot.max.threads internal.legacy.snapshot.max.threads
  snapshot.mode.custom.name snapshot.mode.configuration.based.snapshot.data
  snapshot.mode.configuration.based.snapshot.schema snapshot.mode.configuration.based.start.stream
  snapshot.mode.configuration.based.snapshot.on.schema.error
  snapshot.mode.configuration.based.snapshot.on.data.error retriable.restart.connector.wait.ms query.fetch.size
  errors.max.retries incremental.snapshot.watermarking.strategy internal.log.position.check.enable
  internal.advanced.metrics.enable connection.validation.timeout.ms executor.shutdown.timeout.ms
  openlineage.integration.enabled openlineage.integration.config.file.path openlineage.integration.job.namespace
  openlineage.integration.job.description openlineage.integration.job.tags openlineage.integration.job.owners
  openlineage.integration.dataset.kafka.bootstrap.servers extended.headers.enabled guardrail.collections.max
  guardrail.collections.limit.action custom.sanitize.pattern statistics.metrics.enabled decimal.handling.mode
  snapshot.lock.timeout.ms memory.management.schemas.class memory.management.tables.class connect.timeout.ms
  connect.keep.alive connect.keep.alive.interval.ms use.nongraceful.disconnect binlog.net.write.timeout
  binlog.net.read.timeout snapshot.mode snapshot.query.mode snapshot.query.mode.custom.name
  bigint.unsigned.handling.mode time.precision.mode enable.time.adjuster schema.name.adjustment.mode
  min.row.count.to.stream.results incremental.snapshot.chunk.size incremental.snapshot.allow.schema.changes
  snapshot.locking.mode ddl.parser.type schema.history.internal schema.history.internal.skip.unparseable.ddl
  schema.history.internal.store.only.captured.tables.ddl schema.history.internal.store.only.captured.databases.ddl
  converters post.processors tombstones.on.delete heartbeat.interval.ms heartbeat.topics.prefix
  signal.data.collection signal.poll.interval.ms signal.enabled.channels topic.naming.strategy
  notification.enabled.channels notification.sink.topic.name transaction.metadata.factory custom.metric.tags
  column.include.list column.exclude.list table.include.list table.exclude.list message.key.columns
  snapshot.select.statement.overrides include.schema.changes include.schema.comments column.propagate.source.type
  datatype.propagate.source.type internal.snapshot.scan.all.columns.force snapshot.tables.order.by.row.count
  heartbeat.action.query include.query table.ignore.builtin database.include.list database.exclude.list
  binlog.buffer.size event.deserialization.failure.handling.mode inconsistent.schema.handling.mode
  gtid.source.filter.dml.events gtid.ignore.on.recovery gtid.source.includes gtid.source.excludes
  sourceinfo.struct.maker name connector.class connector.plugin.version tasks.max tasks.max.enforce key.converter
  key.converter.plugin.version value.converter value.converter.plugin.version header.converter
  header.converter.plugin.version transforms predicates config.action.reload errors.retry.timeout
  errors.retry.delay.max.ms errors.tolerance errors.log.enable errors.log.include.messages topic.creation.groups
  exactly.once.support transaction.boundary transaction.boundary.interval.ms offsets.storage.topic`;
const documented = `
  key.converter.schemas.enable value.converter.schemas.enable binary.handling.mode field.name.adjustment.mode
  poll.dispatch.interval.ms read.only column.mask.with.5.chars column.mask.hash.SHA-256.with.salt.abc
  column.mask.hash.v2.SHA-256.with.salt.abc column.truncate.to.20.chars topic.creation.default.partitions topic.delimiter
  topic.heartbeat.prefix topic.transaction topic.cache.size driver.connectionTimeZone skip.messages.without.change
  unavailable.value.placeholder resolve.create.table.like.schema schema.history.internal.kafka.bootstrap.servers
  schema.history.internal.kafka.topic schema.history.internal.kafka.recovery.attempts
  schema.history.internal.kafka.recovery.poll.interval.ms schema.history.internal.kafka.query.timeout.ms
  schema.history.internal.kafka.create.timeout.ms schema.history.internal.producer.security.protocol
  schema.history.internal.consumer.security.protocol snapshot.select.statement.overrides.shop.orders
  signal.kafka.topic signal.kafka.bootstrap.servers signal.file transforms.unwrap.type predicates.p.type
  producer.override.acks database.history.kafka.topic database.whitelist table.whitelist column.blacklist
  database.server.name`;
const names = `${published} ${documented}`.trim().split(/\s+/);

/** A value that is not the default and asks for something. */
function unusualValue(name: string): string {
  const facts = findProperty(sourceConnectorDef, name);
  if (facts === undefined || !('type' in facts)) return 'some.thing';
  if (facts.type === 'boolean') return facts.default === 'true' ? 'false' : 'true';
  if (facts.type === 'int' || facts.type === 'long') return '7';
  return 'something';
}

for (const name of names) {
  test(`the property ${name} is known: it works, or is spoken of by name`, () => {
    const facts = findProperty(sourceConnectorDef, name);
    assert.ok(facts !== undefined, 'it is unknown');
    assert.notEqual(facts.doc, '');
    if ((facts.effect ?? 'works') === 'works') return;
    const harmless = facts.harmless?.includes(unusualValue(name)) ?? false;
    if (harmless) return;
    if (facts.effect === 'refused') {
      const error = refusal({ [name]: unusualValue(name) });
      assert.equal(error.code, 'CONFIG_UNSUPPORTED');
      assert.ok(error.message.includes(name), error.message);
    } else {
      const notice = read({ [name]: unusualValue(name) }).notices.find((each) => each.property === name);
      assert.equal(notice?.level, facts.effect === 'not needed' ? 'info' : 'warning');
      assert.ok(notice.text.includes(name));
    }
  });
}

test('a default that is written out is not spoken of', () => {
  const { notices } = read({
    'decimal.handling.mode': 'precise',
    'skipped.operations': 't',
    transforms: '',
    'max.batch.size': '2048',
    'database.server.id': '1',
  });
  assert.deepEqual(notices, []);
});

test('options of declared converters are known, a converter that is not here is refused', () => {
  const type = 'io.debezium.connector.binlog.converters.TinyIntOneToBooleanConverter';
  const given = {
    'database.server.id': '1',
    converters: 'flags',
    'flags.type': type,
    'flags.selector': '.*',
    'flags.length.checker': 'true',
  };
  assert.deepEqual(read(given).notices, []);
  const { notices } = read({ ...given, 'flags.selektor': 'x', 'other.type': type });
  assert.deepEqual(
    notices.map(({ property }) => property),
    ['flags.selektor', 'other.type'],
  );
  assert.match(refusal({ converters: 'x', 'x.type': 'com.acme.Dates' }).message, /com\.acme\.Dates/);
  assert.match(refusal({ ...given, 'flags.selector': '(' }).message, /malformed/);
});

test('a signal table that is not captured is warned of', () => {
  const given = { 'database.server.id': '1', 'table.include.list': 'shop.orders' };
  const told = (collection: string): readonly string[] =>
    read({ ...given, 'signal.data.collection': collection }).notices.map(({ property }) => property);
  assert.deepEqual(told('shop.orders'), []);
  assert.deepEqual(told('shop.debezium_signal'), ['signal.data.collection']);
});

test('a property that nobody knows is kept and warned about', () => {
  const { notices } = read({ 'databse.hostname': 'x', 'database.server.id': '1' });
  assert.deepEqual(notices, [
    {
      property: 'databse.hostname',
      level: 'warning',
      text: 'databse.hostname is not a property that Millrace knows; it is kept and has no effect.',
    },
  ]);
});

test('all problems are named at once', () => {
  const error = refusal({
    'database.port': 'abc',
    'database.hostname': '',
    'tasks.max': '2',
    'snapshot.mode': 'custom',
    'table.include.list': 'a++',
  });
  assert.equal(error.code, 'CONFIG_INVALID');
  for (const part of [
    'database.port: "abc" must be a whole number',
    'database.hostname: "" must not be empty',
    'only one task',
    'snapshot.mode=custom',
    'possessive',
  ]) {
    assert.ok(error.message.includes(part), `${part} is not in: ${error.message}`);
  }
});

test('a missing required property is named with what it is', () => {
  assert.throws(
    () => readSourceConfig({ name: 'c', config: { 'connector.class': least['connector.class'] } }),
    /database\.hostname is missing\. Host name[\s\S]*|topic\.prefix is missing/,
  );
});

test('a password is never in a message', () => {
  const error = refusal({ 'database.port': 'x' });
  assert.ok(!JSON.stringify(error).includes('secret-word') && !error.message.includes('secret-word'));
});

for (const [mode, meaning] of [
  ['initial', 'initial'],
  ['INITIAL_ONLY', 'initial_only'],
  ['no_data', 'no_data'],
  ['schema_only', 'no_data'],
  ['when_needed', 'when_needed'],
  ['recovery', 'recovery'],
  ['schema_only_recovery', 'recovery'],
  ['never', 'no_data'],
] as const) {
  test(`snapshot.mode=${mode} means ${meaning}`, () => assert.equal(read({ 'snapshot.mode': mode }).config.snapshotMode, meaning));
}

test('snapshot.mode=configuration_based is what its parts ask for', () => {
  const modeOf = (...parts: readonly string[]): string => {
    const properties = parts.map((part) => [`snapshot.mode.configuration.based.${part}`, 'true'] as const);
    return read({ 'snapshot.mode': 'configuration_based', ...Object.fromEntries(properties) }).config.snapshotMode;
  };
  assert.equal(modeOf('snapshot.data', 'snapshot.schema', 'start.stream'), 'initial');
  assert.equal(modeOf('snapshot.data', 'start.stream', 'snapshot.on.data.error'), 'when_needed');
  assert.equal(modeOf('snapshot.schema', 'start.stream'), 'no_data');
  assert.equal(modeOf('snapshot.data'), 'initial_only');
  assert.match(refusal({ 'snapshot.mode': 'configuration_based' }).message, /asks for neither rows nor the stream/);
});

test('locks that nothing needs are said to be another', () => {
  const { notices } = read({ 'snapshot.locking.mode': 'extended', 'snapshot.mode': 'never' });
  assert.match(notices.find(({ property }) => property === 'snapshot.locking.mode')?.text ?? '', /taken as minimal/);
  assert.equal(notices.find(({ property }) => property === 'snapshot.mode')?.level, 'warning');
  assert.match(refusal({ 'snapshot.locking.mode': 'custom' }).message, /snapshot\.locking\.mode/);
});

for (const mode of ['custom']) {
  test(`snapshot.mode=${mode} is refused by name`, () => {
    const error = refusal({ 'snapshot.mode': mode });
    assert.equal(error.code, 'CONFIG_UNSUPPORTED');
    assert.ok(error.message.includes(`snapshot.mode=${mode}`));
  });
}

test('include and exclude lists of the same kind exclude each other', () => {
  assert.match(refusal({ 'table.include.list': 'a.b', 'table.exclude.list': 'a.c' }).message, /cannot both be set/);
});

test('tables are filtered by database and by full name, letter case aside; system databases never pass', () => {
  const { config } = read({ 'database.include.list': 'shop,crm_.*,mysql', 'table.exclude.list': 'shop\\.tmp_.*' });
  assert.equal(config.captures({ database: 'shop', table: 'orders' }), true);
  assert.equal(config.captures({ database: 'SHOP', table: 'Orders' }), true);
  assert.equal(config.captures({ database: 'shop', table: 'TMP_x' }), false);
  assert.equal(config.captures({ database: 'crm_eu', table: 'tmp_x' }), true);
  assert.equal(config.captures({ database: 'shop2', table: 'orders' }), false);
  assert.equal(config.captures({ database: 'mysql', table: 'user' }), false);
});

test('columns are filtered by full name', () => {
  const { config } = read({ 'column.exclude.list': '.*\\.password,shop\\.t\\.c' });
  const table = { database: 'shop', table: 't' };
  assert.equal(config.capturesColumn(table, 'a'), true);
  assert.equal(config.capturesColumn(table, 'password'), false);
  assert.equal(config.capturesColumn(table, 'C'), false);
});

test('a server id that is not set is the same at every start, and said', () => {
  const first = read({});
  assert.equal(first.config.serverId, read({}).config.serverId);
  assert.notEqual(first.config.serverId, read({ 'topic.prefix': 'other' }).config.serverId);
  assert.ok(first.config.serverId >= 1_000_000_000 && first.config.serverId < 2 ** 32);
  assert.ok(first.notices.some((notice) => notice.text.includes(String(first.config.serverId))));
  assert.equal(read({ 'database.server.id': '4294967295' }).config.serverId, 4_294_967_295);
});

test("MariaDB's words for TLS modes and its default are its own", () => {
  const mariadb = { 'connector.class': 'io.debezium.connector.mariadb.MariaDbConnector' };
  assert.equal(read(mariadb).config.flavor, 'mariadb');
  assert.equal(read(mariadb).config.server.tls.mode, 'disabled');
  assert.equal(read({ ...mariadb, 'database.ssl.mode': 'verify-full' }).config.server.tls.mode, 'verify_identity');
  assert.equal(read({}).config.server.tls.mode, 'preferred');
  assert.match(refusal({ 'database.ssl.mode': 'yes' }).message, /must be one of disabled, preferred/);
});

test('a PEM key store gives certificates and key apart; a missing file is named', (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-tls-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const block = (label: string, body: string): string => `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----`;
  const file = join(folder, 'store.pem');
  writeFileSync(
    file,
    `Bag Attributes\n${block('CERTIFICATE', 'AAAA')}\nx\n${block('PRIVATE KEY', 'BBBB')}\n${block('CERTIFICATE', 'CCCC')}\n`,
  );
  const { tls } = read({ 'database.ssl.mode': 'verify_ca', 'database.ssl.keystore': file, 'database.ssl.truststore': file }).config.server;
  assert.equal(tls.cert, `${block('CERTIFICATE', 'AAAA')}\n${block('CERTIFICATE', 'CCCC')}`);
  assert.equal(tls.key, block('PRIVATE KEY', 'BBBB'));
  assert.equal(tls.ca, tls.cert);
  const error = refusal({ 'database.ssl.truststore': join(folder, 'none.pem') });
  assert.equal(error.code, 'CONFIG_UNREADABLE');
  assert.match(error.message, /database\.ssl\.truststore.*none\.pem/);
});
