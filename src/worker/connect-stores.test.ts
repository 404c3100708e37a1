/** The records of the worker's own topics, against what Kafka Connect 4.3 wrote for the same requests. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MillraceError } from '../base/errors.ts';
import { silentLogger } from '../base/logger.ts';
import { openConfigStore } from './config-store.ts';
import { never, openTestLog } from './loops.fixture.ts';
import { openStatusStore } from './status-store.ts';

const properties = {
  'connector.class': 'org.apache.kafka.connect.file.FileStreamSourceConnector',
  'tasks.max': '1',
  file: '/tmp/in.txt',
  topic: 'rg-y',
  name: 'y-file-source',
};
const task = { ...properties, 'task.class': 'org.apache.kafka.connect.file.FileStreamSourceTask' };

test('configurations, task configurations and target states have the recorded form', async () => {
  await using opened = await openTestLog();
  const store = openConfigStore(opened.log, 'connect-configs');
  const records = (): Record<string, unknown> =>
    Object.fromEntries([...opened.log.get('connect-configs')].map(([key, value]): [string, unknown] => [key, JSON.parse(value)]));

  store.putConnector('y-file-source', properties);
  store.putTasks('y-file-source', [task]);
  store.putTarget('y-file-source', 'PAUSED');
  store.putRestart('y-file-source', { includeTasks: true, onlyFailed: false });
  assert.deepEqual(records(), {
    'connector-y-file-source': { properties },
    'task-y-file-source-0': { properties: task },
    'commit-y-file-source': { tasks: 1 },
    'target-state-y-file-source': { state: 'PAUSED', 'state.v2': 'PAUSED' },
    'restart-connector-y-file-source': { 'include-tasks': true, 'only-failed': false },
  });
  assert.deepEqual(store.load(), [{ name: 'y-file-source', config: properties, target: 'PAUSED', tasks: [task] }]);

  store.putTasks('y-file-source', []);
  store.putTarget('y-file-source', 'STOPPED');
  assert.deepEqual(records()['target-state-y-file-source'], { state: 'PAUSED', 'state.v2': 'STOPPED' });
  assert.deepEqual(records()['commit-y-file-source'], { tasks: 0 });
  assert.deepEqual(store.load(), [{ name: 'y-file-source', config: properties, target: 'STOPPED', tasks: [] }]);

  store.remove('y-file-source');
  assert.deepEqual(records(), {});
});

test('a name that begins as another one does is another one', async () => {
  await using opened = await openTestLog();
  const store = openConfigStore(opened.log, 'connect-configs');
  for (const name of ['a', 'a-0', 'a-0-1']) {
    store.putConnector(name, { name });
    store.putTasks(name, [{ name }, { name }]);
  }
  store.remove('a-0');
  assert.deepEqual(
    store.load().map(({ name, tasks }) => [name, tasks.length]),
    [
      ['a', 2],
      ['a-0-1', 2],
    ],
  );
});

test('states and active topics have the recorded form', async () => {
  await using opened = await openTestLog();
  const store = openStatusStore(opened.log, { topic: 'connect-status', workerId: '127.0.0.1:8083', logger: silentLogger });
  store.putConnector('c', { state: 'RUNNING', trace: null, version: '4.3.0' });
  store.putTask('c', 0, { state: 'FAILED', trace: 'why', version: '4.3.0' });
  store.putTopic('c', 'rg-c', 0);
  const records = [...opened.log.get('connect-status')].map(([key, value]): [string, Record<string, unknown>] => [
    key,
    JSON.parse(value) as Record<string, unknown>,
  ]);
  const byKey = Object.fromEntries(records);
  assert.deepEqual(Object.keys(byKey['status-connector-c'] ?? {}), ['state', 'trace', 'worker_id', 'generation', 'version']);
  assert.deepEqual(byKey['status-task-c-0'], {
    state: 'FAILED',
    trace: 'why',
    worker_id: '127.0.0.1:8083',
    generation: byKey['status-task-c-0']?.['generation'],
    version: '4.3.0',
  });
  const topic = byKey['status-topic-rg-c:connector-c']?.['topic'];
  assert.ok(typeof topic === 'object' && topic !== null && 'discoverTimestamp' in topic);
  assert.deepEqual(topic, { name: 'rg-c', connector: 'c', task: 0, discoverTimestamp: topic.discoverTimestamp });
  assert.deepEqual([...(store.topics().get('c') ?? [])], ['rg-c']);
  store.clearStates();
  assert.deepEqual([...opened.log.get('connect-status').keys()], ['status-topic-rg-c:connector-c']);
  store.removeTopics('c');
  assert.equal(opened.log.get('connect-status').size, 0);
});

test('an offset has the recorded key', async () => {
  await using opened = await openTestLog();
  opened.log.putSource('c-file', [{ topic: 'connect-offsets', key: '["c-file",{"filename":"/tmp/in.txt"}]', value: '{"position":14}' }]);
  assert.deepEqual((await opened.log.loadSource('c-file', never)).offsets, [
    { partition: { filename: '/tmp/in.txt' }, offset: { position: 14 } },
  ]);
});

test('a state that finds the disk full is written with the next one', async () => {
  await using opened = await openTestLog();
  let isFull = true;
  const log: Parameters<typeof openStatusStore>[0] = {
    get: (topic) => opened.log.get(topic),
    put(records) {
      if (isFull) throw new MillraceError('DISK_FULL', 'No room', { retriable: true });
      opened.log.put(records);
    },
  };
  const store = openStatusStore(log, { topic: 'connect-status', workerId: '127.0.0.1:8083', logger: silentLogger });
  store.putTask('c', 0, { state: 'RESTARTING', trace: 'full', version: null });
  store.putTask('c', 0, { state: 'FAILED', trace: 'full', version: null });
  store.putConnector('c', { state: 'RUNNING', trace: null, version: null });
  assert.equal(opened.log.get('connect-status').size, 0);
  isFull = false;
  store.putTask('c', 1, { state: 'RUNNING', trace: null, version: null });
  assert.deepEqual(
    [...opened.log.get('connect-status')].map(([key, value]) => [key, /"state":"(\w+)"/.exec(value)?.[1]]),
    [
      ['status-connector-c', 'RUNNING'],
      ['status-task-c-0', 'FAILED'],
      ['status-task-c-1', 'RUNNING'],
    ],
  );
});
