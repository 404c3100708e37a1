/** Kafka's file connectors on a worker: lines of a file, through the log, to lines of a file. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { isJsonObject } from '../../src/base/json-object.ts';
import { ask } from './replay-scenario.ts';
import { freePort } from '../servers/free-port.ts';
import { startWorker } from './worker-under-test.ts';
import type { WorkerUnderTest } from './worker-under-test.ts';

const text = { 'key.converter': 'org.apache.kafka.connect.storage.StringConverter', 'value.converter': 'StringConverter' };

interface Client {
  /** Its answer is no refusal. */
  readonly call: (method: string, path: string, body?: unknown) => ReturnType<typeof ask>;
  readonly until: (what: string, holds: () => boolean | Promise<boolean>) => Promise<void>;
  /** Of the connector, then of its tasks: `RUNNING,RUNNING`. */
  readonly state: (name: string) => Promise<string>;
}

function clientOf(worker: WorkerUnderTest, host: string): Client {
  const call = async (method: string, path: string, body?: unknown): ReturnType<typeof ask> => {
    const answer = await ask(host, {
      method,
      path,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.text}`);
    return answer;
  };
  const until = async (what: string, holds: () => boolean | Promise<boolean>): Promise<void> => {
    const deadline = performance.now() + 30_000;
    while (!(await holds())) {
      assert.ok(performance.now() < deadline, `${what}: ${worker.said()}`);
      await new Promise((done) => setTimeout(done, 50));
    }
  };
  const state = async (name: string): Promise<string> => {
    const { text: status } = await ask(host, { method: 'GET', path: `/connectors/${name}/status`, headers: {} });
    return [...status.matchAll(/"state":"(\w+)"/g)].map(([, each]) => each).join();
  };
  return { call, until, state };
}

test('lines come through once and in their order, across stops, long lines, and offsets that are set', async () => {
  const host = `127.0.0.1:${await freePort()}`;
  await using worker = await startWorker({ properties: { listeners: `http://${host}` } });
  const [input, output] = [join(worker.folder, 'in.txt'), join(worker.folder, 'out.txt')];
  const { call, until, state } = clientOf(worker, host);
  const lines = (): readonly string[] => (existsSync(output) ? readFileSync(output, 'utf8').split('\n').slice(0, -1) : []);
  const expected: string[] = [];
  const write = (...added: readonly string[]): void => {
    appendFileSync(input, added.map((line) => `${line}\n`).join(''));
    expected.push(...added);
  };
  const arrive = (): Promise<void> => until('all lines are there', () => lines().length >= expected.length);

  // The source waits for a file that is not there yet.
  await call('POST', '/connectors', {
    name: 'in',
    config: { 'connector.class': 'FileStreamSource', file: input, topic: 'lines', ...text },
  });
  await call('POST', '/connectors', {
    name: 'out',
    config: { 'connector.class': 'FileStreamSink', file: output, topics: 'lines', ...text },
  });
  write('one', '', 'zwölf 日本 😀', 'x'.repeat(300_000));
  await arrive();
  // A line counts when it is whole; a carriage return before its end is none of it.
  appendFileSync(input, 'half');
  appendFileSync(input, ' and half\r\n');
  expected.push('half and half');
  await arrive();
  await call('PUT', '/connectors/in/stop');
  await until('it stops', async () => (await state('in')) === 'STOPPED');
  write('while it was stopped');
  await call('PUT', '/connectors/in/resume');
  await arrive();
  await call('PUT', '/connectors/out/pause');
  await until('the sink pauses', async () => (await state('out')) === 'PAUSED,PAUSED');
  write('while the sink paused');
  await call('PUT', '/connectors/out/resume');
  await arrive();
  assert.deepEqual(lines(), expected);

  // The offset is the position behind the last line; set back, its lines come again.
  const { size } = { size: readFileSync(input).length };
  const offsets = async (): Promise<unknown> => (await call('GET', '/connectors/in/offsets')).json;
  assert.deepEqual(await offsets(), { offsets: [{ partition: { filename: input }, offset: { position: size } }] });
  await call('PUT', '/connectors/in/stop');
  await until('it stops again', async () => (await state('in')) === 'STOPPED');
  await call('PATCH', '/connectors/in/offsets', { offsets: [{ partition: { filename: input }, offset: { position: 4 } }] });
  await call('PUT', '/connectors/in/resume');
  expected.push(...expected.slice(1));
  await arrive();
  assert.deepEqual(lines(), expected);

  // A file that became shorter is another one.
  writeFileSync(input, 'anew\n');
  expected.push('anew');
  await arrive();
  assert.deepEqual(lines(), expected);
});

test('a sink of several tasks writes each line once: topics have one partition, the first task has them, the others none', async () => {
  const host = `127.0.0.1:${await freePort()}`;
  await using worker = await startWorker({ properties: { listeners: `http://${host}`, 'millrace.task.restart.enabled': 'false' } });
  const { call, until, state } = clientOf(worker, host);
  const [input, output, folder] = ['in.txt', 'out.txt', 'later'].map((name) => join(worker.folder, name));
  writeFileSync(input ?? '', 'one\ntwo\nthree\n');
  const source = { 'connector.class': 'FileStreamSource', file: input, ...text };
  await call('PUT', '/connectors/a/config', { ...source, topic: 'first' });
  await call('PUT', '/connectors/b/config', { ...source, topic: 'second' });
  const sink = { 'connector.class': 'FileStreamSink', 'topics.regex': 'first|second', 'tasks.max': '3', ...text };
  await call('PUT', '/connectors/out/config', { ...sink, file: output });
  const lines = (): string =>
    existsSync(output ?? '')
      ? readFileSync(output ?? '', 'utf8')
          .split('\n')
          .toSorted()
          .join(' ')
      : '';
  await until('each line is there once', () => lines() === ' one one three three two two');
  assert.equal(await state('out'), 'RUNNING,RUNNING,RUNNING,RUNNING');
  await call('POST', '/connectors/out/tasks/2/restart');
  await call('PUT', '/connectors/out/pause');
  await until('all pause', async () => (await state('out')) === 'PAUSED,PAUSED,PAUSED,PAUSED');
  await call('PUT', '/connectors/out/resume');
  await until('all go on', async () => (await state('out')) === 'RUNNING,RUNNING,RUNNING,RUNNING');
  assert.equal(lines(), ' one one three three two two');

  // What has nothing to do does not fail at it, and does not stay on its way.
  await call('PUT', '/connectors/out/config', { ...sink, file: join(folder ?? '', 'out.txt') });
  await until('the first task fails', async () => (await state('out')) === 'RUNNING,FAILED,RUNNING,RUNNING');
  await call('POST', '/connectors/out/restart?includeTasks=true');
  await until('it fails again', async () => (await state('out')) === 'RUNNING,FAILED,RUNNING,RUNNING');
  await call('POST', '/connectors/out/tasks/1/restart');
  await until('another task is as it was', async () => (await state('out')) === 'RUNNING,FAILED,RUNNING,RUNNING');
  mkdirSync(folder ?? '');
  await call('POST', '/connectors/out/restart?includeTasks=true&onlyFailed=true');
  await until('it runs', async () => (await state('out')) === 'RUNNING,RUNNING,RUNNING,RUNNING');
});

test('a sink converts and transforms, and what it cannot convert goes where errors.* says', async () => {
  const host = `127.0.0.1:${await freePort()}`;
  await using worker = await startWorker({ properties: { listeners: `http://${host}`, 'millrace.task.restart.enabled': 'false' } });
  const { call, until, state } = clientOf(worker, host);
  const file = (name: string): string => join(worker.folder, name);
  writeFileSync(file('in.txt'), '{"a":1}\nnot json\n{"schema":{"type":"string"},"payload":"ok"}\n');
  await call('PUT', '/connectors/in/config', { 'connector.class': 'FileStreamSource', file: file('in.txt'), topic: 'raw', ...text });
  const sink = { 'connector.class': 'FileStreamSink', topics: 'raw', ...text };
  const hoist = {
    transforms: 'h',
    'transforms.h.type': 'org.apache.kafka.connect.transforms.HoistField$Value',
    'transforms.h.field': 'line',
  };
  await call('PUT', '/connectors/hoisted/config', { ...sink, ...hoist, file: file('hoisted.txt') });
  const json = { ...sink, 'value.converter': 'org.apache.kafka.connect.json.JsonConverter' };
  const tolerant = {
    'errors.tolerance': 'all',
    'errors.deadletterqueue.topic.name': 'dead',
    'errors.deadletterqueue.context.headers.enable': 'true',
  };
  await call('PUT', '/connectors/strict/config', { ...json, file: file('strict.txt') });
  await call('PUT', '/connectors/tolerant/config', { ...json, ...tolerant, file: file('tolerant.txt') });
  const content = (name: string): string => (existsSync(file(name)) ? readFileSync(file(name), 'utf8') : '');
  const has = (name: string, expected: string): Promise<void> => until(`${name} is ${content(name)}`, () => content(name) === expected);
  await has('hoisted.txt', 'Struct{line={"a":1}}\nStruct{line=not json}\nStruct{line={"schema":{"type":"string"},"payload":"ok"}}\n');
  await has('tolerant.txt', 'ok\n');
  const main = join(import.meta.dirname, '../../src/cli/main.ts');
  const tail = await promisify(execFile)(process.execPath, [main, 'tail', 'dead', '--json', '--data', file('data')]);
  const letters = tail.stdout
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line))
    .filter(isJsonObject);
  assert.deepEqual(
    letters.map(({ value }) => value),
    [{ a: 1 }, 'not json'],
  );
  assert.match(tail.stdout, /__connect\.errors\.stage[\s\S]*VALUE_CONVERTER/);
  await until('errors are not tolerated', async () => (await state('strict')) === 'RUNNING,FAILED');
  assert.equal(await state('tolerant'), 'RUNNING,RUNNING');
  assert.equal(content('strict.txt'), '');
});
