/** Every recorded exchange of Kafka Connect's REST API, sent to a worker: the answers are the same, or allowed to differ. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createConnection } from 'mysql2/promise';
import { sharedServer, withoutServer } from '../servers/shared.ts';
import { replayScenario } from './replay-scenario.ts';
import { thisMachine } from './this-machine.ts';
import { groups, readTranscript } from './transcript.ts';
import { freePort } from '../servers/free-port.ts';
import { startWorker } from './worker-under-test.ts';

/** Of the worker that was recorded. */
const properties = {
  'offset.flush.interval.ms': '1000',
  'config.providers': 'file,env,dir',
  'config.providers.file.class': 'org.apache.kafka.common.config.provider.FileConfigProvider',
  'config.providers.env.class': 'org.apache.kafka.common.config.provider.EnvVarConfigProvider',
  'config.providers.dir.class': 'org.apache.kafka.common.config.provider.DirectoryConfigProvider',
  'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
  'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
};
const otherSettings = {
  'topic.tracking.enable': 'false',
  'connector.client.config.override.policy': 'None',
  'access.control.allow.origin': 'http://example.org',
  'access.control.allow.methods': 'GET,POST',
  'response.http.headers.config': 'add X-Test: yes',
  'topic.creation.enable': 'false',
  'exactly.once.source.support': 'enabled',
};
const env = { GOLDEN_PREFIX: 'envprov', GOLDEN_USER: 'debezium', GOLDEN_PASSWORD: 'dbz' };

const tables = `
  CREATE USER IF NOT EXISTS debezium@'%' IDENTIFIED BY 'dbz';
  GRANT SELECT, RELOAD, SHOW DATABASES, REPLICATION SLAVE, REPLICATION CLIENT, LOCK TABLES ON *.* TO debezium@'%';
  DROP DATABASE IF EXISTS rest_golden; CREATE DATABASE rest_golden;
  CREATE TABLE rest_golden.items (id INT PRIMARY KEY, name VARCHAR(40) NOT NULL);
  INSERT INTO rest_golden.items VALUES (1, 'one'), (2, 'two')`;

for (const group of groups) {
  test(`REST answers as recorded: ${group}`, { skip: withoutServer('mysql') }, async () => {
    const server = await sharedServer('mysql');
    const root = await createConnection({ uri: server.root.url, multipleStatements: true });
    await root.query(tables);
    await root.end();
    const folder = mkdtempSync(join(tmpdir(), 'millrace-replay-'));
    try {
      const [files, secrets] = [join(folder, 'files'), join(folder, 'secrets')];
      for (const each of [files, secrets]) mkdirSync(each);
      writeFileSync(join(files, 'in.txt'), 'one\ntwo\nthree\nnot json\n');
      writeFileSync(join(secrets, 'mysql.properties'), 'user=debezium\npassword=dbz\nprefix=fileprov\n');
      writeFileSync(join(secrets, 'password'), 'dbz');
      writeFileSync(join(secrets, 'prefix'), 'dirprov');
      const [address, admin] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`];
      const isSettings = group === 'settings';
      await using worker = await startWorker({
        properties: {
          ...properties,
          listeners: `http://${address}`,
          ...(isSettings ? { ...otherSettings, 'admin.listeners': `http://${admin}` } : {}),
        },
        env,
      });
      const machine = thisMachine({
        workers: isSettings ? { d: address, 'd-admin': admin } : { a: address },
        mysqlPort: server.port,
        files,
        secrets,
      });
      const faults: string[] = [];
      const only = process.env['MILLRACE_SCENARIO'];
      for (const scenario of readTranscript(group)) {
        if (only === undefined || only === scenario.name) faults.push(...(await replayScenario(scenario, machine)));
      }
      assert.ok(worker.running, worker.said());
      assert.equal(faults.length, 0, `${faults.length} answers differ:\n\n${faults.join('\n\n')}`);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}
