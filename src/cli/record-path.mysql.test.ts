/** Sources whose records are transformed before they lie in the log: a worker, real servers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sourceConnector } from '../../test/pipeline/harness.ts';
import { freshDatabase, sharedServer, withoutServer } from '../../test/servers/shared.ts';
import { isMillraceError } from '../base/errors.ts';
import { openEmbeddedLog } from '../log/embedded/open-embedded-log.ts';
import { never, openTestHost, until } from './connect-host.fixture.ts';
import type { TestHost } from './connect-host.fixture.ts';
import { defaultLogSettings, embeddedLogOptions } from './log-settings.ts';
import { flavors } from './private-server.ts';
import { createRecordReader } from './record-reader.ts';

const plain = { 'key.converter.schemas.enable': 'false', 'value.converter.schemas.enable': 'false', 'include.schema.changes': 'false' };
const transforms = {
  transforms: 'small,unwrap,id,route',
  'transforms.small.type': 'io.millrace.transforms.Filter',
  'transforms.small.condition': "value.op == 'd' || value.after.n < 100",
  'transforms.unwrap.type': 'io.debezium.transforms.ExtractNewRecordState',
  'transforms.unwrap.delete.tombstone.handling.mode': 'rewrite',
  'transforms.unwrap.add.fields': 'op',
  'transforms.id.type': 'org.apache.kafka.connect.transforms.ExtractField$Key',
  'transforms.id.field': 'id',
  'transforms.route.type': 'org.apache.kafka.connect.transforms.RegexRouter',
  'transforms.route.regex': '[^.]+\\.[^.]+\\.(.*)',
  'transforms.route.replacement': 'all_$1',
  'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
};

/** All records of the source in the log, as `topic offset key value`. */
async function recordsOf(host: TestHost, source: string): Promise<readonly string[]> {
  await using log = await openEmbeddedLog(embeddedLogOptions(host.dataFolder, defaultLogSettings), never);
  const lines: string[] = [];
  createRecordReader(log, source).readOn(({ topic, bytes, keyStart, keyEnd, valueStart, valueEnd }, offset) => {
    const text = (start: number, end: number): string => (end < 0 ? '∅' : Buffer.from(bytes.subarray(start, end)).toString('utf8'));
    lines.push(`${topic} ${offset} ${text(keyStart, keyEnd)} ${text(valueStart, valueEnd)}`);
  }, never);
  return lines;
}

async function becomes(host: TestHost, source: string, expected: readonly string[]): Promise<void> {
  let found: readonly string[] = [];
  await until(
    async () => {
      found = await recordsOf(host, source);
      return found.length >= expected.length;
    },
    () => `only ${found.join('\n')}`,
  );
  assert.deepEqual(found, expected);
}

for (const flavor of flavors) {
  test(
    `records are transformed before the append, once each, also across a restart, on ${flavor}`,
    { skip: withoutServer(flavor) },
    async () => {
      const server = await sharedServer(flavor);
      await using database = await freshDatabase(server);
      await database.root.query('CREATE TABLE t (id INT PRIMARY KEY, n INT NOT NULL); INSERT INTO t VALUES (1, 1), (2, 200)');
      await using host = await openTestHost();
      const prefix = `records_${flavor}`;
      const { name, config } = sourceConnector({ server, databases: [database.name], source: { ...plain, ...transforms } }, { prefix });
      await host.service.create({ name, config }, never);
      const expected = ['all_t 0 1 {"id":1,"n":1,"__deleted":"false","__op":"r"}'];
      await becomes(host, prefix, expected);

      await database.root.query('INSERT INTO t VALUES (3, 3), (4, 400); UPDATE t SET n = 30 WHERE id = 3; DELETE FROM t WHERE id = 1');
      expected.push(
        'all_t 1 3 {"id":3,"n":3,"__deleted":"false","__op":"c"}',
        'all_t 2 3 {"id":3,"n":30,"__deleted":"false","__op":"u"}',
        'all_t 3 1 {"id":1,"n":1,"__deleted":"true","__op":"d"}',
      );
      await becomes(host, prefix, expected);

      await host.restart();
      await host.settles(name, 'RUNNING/RUNNING');
      await database.root.query('INSERT INTO t VALUES (5, 5)');
      expected.push('all_t 4 5 {"id":5,"n":5,"__deleted":"false","__op":"c"}');
      await becomes(host, prefix, expected);
      assert.deepEqual(host.service.activeTopics(name), ['all_t']);
    },
  );
}

test(
  'a record that cannot be transformed fails the task by class and topic, until errors are tolerated',
  { skip: withoutServer('mysql') },
  async () => {
    const server = await sharedServer('mysql');
    await using database = await freshDatabase(server);
    await database.root.query("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(9)); INSERT INTO t VALUES (1, '1')");
    await using host = await openTestHost({ 'millrace.task.restart.enabled': 'false' });
    const cast = {
      transforms: 'unwrap,cast',
      'transforms.unwrap.type': 'io.debezium.transforms.ExtractNewRecordState',
      'transforms.cast.type': 'org.apache.kafka.connect.transforms.Cast$Value',
      'transforms.cast.spec': 'v:int32',
    };
    const { name, config } = sourceConnector({ server, databases: [database.name], source: { ...plain, ...cast } }, { prefix: 'faults' });
    await host.service.create({ name, config }, never);
    const topic = `faults.${database.name}.t`;
    await becomes(host, 'faults', [`${topic} 0 {"id":1} {"id":1,"v":1}`]);

    await database.root.query("INSERT INTO t VALUES (2, 'two'), (3, '3')");
    await host.settles(name, 'RUNNING/FAILED');
    const trace = host.service.taskStatus(name, 0).trace ?? '';
    assert.match(trace, /TRANSFORMATION_FAILED.*transforms\.cast \(org\.apache\.kafka\.connect\.transforms\.Cast\$Value\)/s);
    assert.ok(trace.includes(topic) && trace.includes('Value (two) was out of range'), trace);

    await host.service.putConfig(name, { ...config, 'errors.tolerance': 'all' }, never);
    await host.settles(name, 'RUNNING/RUNNING');
    await becomes(host, 'faults', [`${topic} 0 {"id":1} {"id":1,"v":1}`, `${topic} 1 {"id":3} {"id":3,"v":3}`]);
    await until(
      () => host.service.metrics().sources.some(({ records }) => records?.failed === 1 && records.sent === 1),
      () => 'the metrics do not tell of the record that was left out',
    );
  },
);

test(
  'what is wrong with transformations and converters is told when the connector is created',
  { skip: withoutServer('mysql') },
  async () => {
    const server = await sharedServer('mysql');
    await using host = await openTestHost();
    const wrong = {
      transforms: 'a,b',
      'transforms.a.type': 'com.example.Custom',
      'transforms.b.type': 'io.debezium.transforms.Filter',
      'transforms.b.language': 'jsr223.groovy',
      'transforms.b.condition': 'value.after.any { it }',
      'value.converter': 'io.confluent.connect.avro.AvroConverter',
    };
    const { name, config } = sourceConnector({ server, databases: ['x'], source: wrong }, { prefix: 'wrong' });
    await assert.rejects(host.service.create({ name, config }, never), (error) => {
      assert.ok(isMillraceError(error, 'REQUEST_INVALID'));
      for (const named of ['com.example.Custom', 'Groovy expression "value.after.any { it }"', 'io.confluent.connect.avro.AvroConverter']) {
        assert.ok(error.message.includes(named), `${named} in ${error.message}`);
      }
      return true;
    });
  },
);
