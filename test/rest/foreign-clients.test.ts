/** Clients of Kafka Connect's REST API that know nothing of Millrace, from PyPI: `kc` of kafka-connect-py, kafka-connect-healthcheck. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { freePort } from '../servers/free-port.ts';
import { pythonPackages } from '../servers/python-packages.ts';
import { startWorker } from './worker-under-test.ts';

const clients = pythonPackages('python-clients', ['kafka-connect-py==1.0.0', 'kafka-connect-healthcheck==0.3.0']);

test('kc and kafka-connect-healthcheck work with a worker as with Kafka Connect', { skip: clients.missing() }, async () => {
  clients.install();
  const host = `127.0.0.1:${await freePort()}`;
  const url = `http://${host}`;
  const users = join(import.meta.dirname, 'users.fixture.properties');
  await using worker = await startWorker({ properties: { listeners: url, 'millrace.rest.users.file': users } });
  const kc = async (...words: readonly string[]): Promise<unknown> => {
    const { stdout } = await promisify(execFile)(clients.program('kc'), ['--url', url, '--auth', 'clerk:a=b c ä', ...words]);
    if (stdout.trim() === '') return undefined;
    assert.match(stdout, /^\s*(?:[[{"]|null)/, `kc ${words.join(' ')}: ${stdout}`);
    return JSON.parse(stdout);
  };
  const until = async (what: string, holds: () => Promise<boolean>): Promise<void> => {
    const deadline = performance.now() + 30_000;
    while (!(await holds())) assert.ok(performance.now() < deadline, `${what}: ${worker.said()}`);
  };
  const states = async (name: string): Promise<string> => {
    const status = JSON.stringify(await kc('status', name));
    return [...status.matchAll(/"state":\s*"(\w+)"/g)].map(([, state]) => state).join();
  };

  assert.match(JSON.stringify(await kc('info')), /"version":"4\.3\.0"/);
  assert.deepEqual(await kc('list'), []);
  assert.match(JSON.stringify(await kc('list-plugins')), /io\.debezium\.connector\.mysql\.MySqlConnector/);
  const input = join(worker.folder, 'in.txt');
  writeFileSync(input, 'one\ntwo\n');
  const config = { 'connector.class': 'FileStreamSource', file: input, topic: 'lines' };
  const errors = async (given: unknown): Promise<string> => {
    // By the library: the command wraps its JSON in a JSON text, which no Connect takes.
    const script =
      'import json, sys; from kafka_connect import KafkaConnect; print(KafkaConnect(sys.argv[1], "clerk:a=b c ä").validate_connector_config("FileStreamSource", json.loads(sys.argv[2]))["error_count"])';
    const { stdout } = await promisify(execFile)(clients.program('python'), ['-c', script, url, JSON.stringify(given)]);
    return stdout.trim();
  };
  assert.equal(await errors({ ...config, name: 'my source' }), '0');
  assert.equal(await errors({ ...config, name: 'my source', topic: '' }), '1');
  await kc('create', '--config-data', JSON.stringify({ name: 'my source', config }));
  await until('it runs', async () => (await states('my source')) === 'RUNNING,RUNNING');
  assert.deepEqual(await kc('list'), ['my source']);
  assert.match(JSON.stringify(await kc('get', 'my source')), /"topic":"lines"/);
  assert.match(JSON.stringify(await kc('config', 'my source')), /"topic":"lines"/);
  assert.match(JSON.stringify(await kc('list-tasks', 'my source')), /FileStreamSourceTask/);
  assert.match(JSON.stringify(await kc('task-status', 'my source', '0')), /RUNNING/);
  await until('its topic is known', async () => JSON.stringify(await kc('list-topics', 'my source')).includes('lines'));
  await kc('reset-topics', 'my source');
  await kc('pause', 'my source');
  await until('it pauses', async () => (await states('my source')) === 'PAUSED,PAUSED');
  await kc('resume', '--all', '--pattern', 'my .*', '--state', 'paused');
  await until('it goes on', async () => (await states('my source')) === 'RUNNING,RUNNING');
  await kc('restart', 'my source', '--include-tasks');
  await kc('restart-task', 'my source', '0');
  await until('it runs again', async () => (await states('my source')) === 'RUNNING,RUNNING');
  await kc('update', 'my source', '--config-data', JSON.stringify({ ...config, 'batch.size': '10' }));
  assert.match(JSON.stringify(await kc('config', 'my source')), /"batch\.size":"10"/);
  // It ends with 0 all the same.
  const refused = await promisify(execFile)(clients.program('kc'), ['--url', url, '--auth', 'clerk:wrong', 'list']);
  assert.match(refused.stdout + refused.stderr, /401/);

  const port = await freePort();
  const words = ['--port', String(port), '--connect-url', url, '--connect-worker-id', host, '--basic-auth', 'plain:word'];
  const check = spawn(clients.program('kafka-connect-healthcheck'), words, { stdio: 'ignore' });
  try {
    const health = async (): Promise<string> => {
      const response = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined);
      return response === undefined ? 'no answer' : `${response.status} ${await response.text()}`;
    };
    await until('the health check is content', async () => (await health()).startsWith('200 '));
    const broken = { 'connector.class': 'FileStreamSink', topics: 'lines', file: join(worker.folder, 'nowhere', 'out.txt') };
    await kc('create', '--config-data', JSON.stringify({ name: 'broken', config: broken }));
    await until('it fails', async () => (await states('broken')).endsWith('FAILED'));
    await until('the health check tells it', async () => (await health()).startsWith('503 '));
    await kc('delete', 'broken');
    await until('it is content again', async () => (await health()).startsWith('200 '));
  } finally {
    check.kill();
  }
  await kc('delete', 'my source');
  assert.deepEqual(await kc('list'), []);
});
