/** `millrace connectors …`, each subcommand for people and for scripts, with names of every kind, and without a worker. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { freePort } from '../servers/free-port.ts';
import { startWorker } from './worker-under-test.ts';

interface Ended {
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

async function connectors(...words: readonly string[]): Promise<Ended> {
  const main = join(import.meta.dirname, '../../src/cli/main.ts');
  const child = spawn(process.execPath, [main, 'connectors', ...words], {
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code, stdout, stderr };
}

const sink = { 'connector.class': 'FileStreamSink', topics: 't', 'tasks.max': 2 };

test('every subcommand tells people and scripts what became of it', async () => {
  const url = `http://127.0.0.1:${await freePort()}`;
  const users = join(import.meta.dirname, 'users.fixture.properties');
  await using worker = await startWorker({ properties: { listeners: url, 'millrace.rest.users.file': users } });
  const at = url.replace('http://', 'http://plain:word@');
  const told = ([command = '', ...rest]: readonly string[]): Promise<Ended> => connectors(command, '--url', at, ...rest);
  const done = async (...words: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await told(words);
    assert.equal(code, 0, `${words.join(' ')}: ${stderr}`);
    return stdout;
  };
  const until = async (words: readonly string[], expected: RegExp): Promise<void> => {
    const deadline = performance.now() + 30_000;
    for (let said = ''; !expected.test(said); said = (await told(words)).stdout) {
      assert.ok(performance.now() < deadline, `${said} ${worker.said()}`);
    }
  };
  const file = (name: string, content: unknown): string => {
    const path = join(worker.folder, name);
    writeFileSync(path, JSON.stringify(content));
    return path;
  };
  assert.equal(await done('list'), 'no connectors\n');
  assert.equal(await done('list', '--json'), '{}\n');
  const input = join(worker.folder, 'in.txt');
  writeFileSync(input, 'one\n');
  const source = { 'connector.class': 'FileStreamSource', topic: 't', file: input, 'batch.size': 7 };
  const out = { ...sink, file: join(worker.folder, 'out.txt') };
  // As Connect's own file of a request: a state, too.
  const files = [file('a.json', { name: 'a', config: source }), file('b.json', { name: 'b', config: out, initial_state: 'paused' })];
  assert.equal(await done('create', ...files), 'a: created\nb: created\n');
  await until(['status', 'a'], /^source a {2}RUNNING {2}on 127\.0\.0\.1:\d+\n {2}task 0 {2}RUNNING\n$/);
  await until(['status', 'b'], /^sink b {2}PAUSED/);
  const made = await done('create', '--json', '--state', 'STOPPED', file('c.json', { name: 'c', config: out, initial_state: 'RUNNING' }));
  assert.match(made, /^\{"name":"c","config":\{[^}]*"tasks\.max":"2"[^}]*\},"tasks":\[\],"type":"sink"\}\n$/);
  await until(['status', 'c', '--json'], /"connector":\{"state":"STOPPED"/);
  assert.equal(await done('create', '--replace', files[1] ?? ''), 'b: configured\n');
  assert.equal((await connectors('create', '--replace', '--state', 'PAUSED', files[1] ?? '')).code, 2);

  assert.equal(await done('resume', 'b', 'c'), 'b: runs\nc: runs\n');
  await until(
    ['list'],
    /^name +type +state +tasks +class\n.*\na +source +RUNNING +RUNNING +FileStreamSource\nb +sink +RUNNING +RUNNING RUNNING +FileStreamSink\n/,
  );
  assert.match(await done('list', '--json'), /^\{"a":\{"status":.*"info":\{"name":"a"/);
  assert.equal(await done('pause', 'b', 'c', '--json'), '{"name":"b","done":"pause"}\n{"name":"c","done":"pause"}\n');
  await until(['status', 'b'], /PAUSED\n {2}task 1 {2}PAUSED/);
  assert.equal(await done('restart', 'a', '--tasks'), 'a: restarts with its tasks\n');
  assert.match(await done('restart', 'a', '--tasks', '--json'), /"state":"RESTARTING"/);
  assert.equal(await done('restart', 'a', '--json'), 'null\n');
  await until(['offsets', 'a', '--json'], /"position":4/);
  assert.match(await done('offsets', 'a'), /^filename +position\n─+ {2}─+\n\S+in\.txt +4\n$/);
  const refused = await connectors('offsets', 'a', '--reset', '--url', at);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /STOPPED state before their offsets can be modified/);
  assert.equal(await done('stop', 'a'), 'a: stops\n');
  await until(['status', 'a'], /STOPPED {2}on \S+\n$/);
  const offsets = file('offsets.json', { offsets: [{ partition: { filename: input }, offset: { position: 0 } }] });
  assert.match(await done('offsets', 'a', '--set', offsets), /^a: The offsets for this connector have been altered successfully/);
  assert.match(await done('offsets', 'a', '--reset', '--json'), /^\{"message":"The .*reset successfully/);
  assert.equal(await done('offsets', 'a'), 'a: no offsets\n');
  assert.equal(await done('delete', 'a', 'b'), 'a: deleted\nb: deleted\n');
  assert.equal(await done('delete', 'c', '--json'), '{"name":"c","done":"delete"}\n');

  const failing = { ...out, file: join(worker.folder, 'nowhere/out.txt') };
  await done('create', file('failing.json', { name: 'failing', config: failing }));
  await until(['status', 'failing'], /task 0 {2}FAILED\n {4}\S.*find or create file/);
  assert.equal((await connectors('status', 'failing', '--url', at)).code, 1);
  await done('delete', 'failing');

  for (const name of ['..', 'a b/%2F?#', `--it's;&"`, '日本 😀 {x}\\+']) {
    await done('create', file('named.json', { name, config: sink, initial_state: 'STOPPED' }));
    await until(['status', '--', name], / {2}STOPPED {2}/);
    assert.ok((await done('list')).includes(name), name);
    assert.equal(await done('delete', '--', name), `${name}: deleted\n`);
  }
  assert.equal(await done('list'), 'no connectors\n');

  const unknown = await connectors('status', 'nobody', '--url', at);
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /No status found for connector nobody[\s\S]*connectors list/);
  const stranger = await connectors('list', '--url', url);
  assert.equal(stranger.code, 1);
  assert.match(stranger.stderr, /User cannot access the resource[\s\S]*user:password@/);
  const overTls = await connectors('list', '--url', url.replace('http:', 'https:'));
  assert.equal(overTls.code, 2);
  assert.match(overTls.stderr, /No worker answers at https:[\s\S]*write https:\/\/ only where/);
  assert.ok(!/wordy/.test((await connectors('list', '--url', at.replace('word', 'wordy'))).stderr), 'no password is told');
});

test('without a worker, or with something else in its place, each says so and how to go on', async () => {
  const url = `http://127.0.0.1:${await freePort()}`;
  for (const words of [['list'], ['delete', 'a'], ['offsets', 'a', '--json']]) {
    const { code, stdout, stderr } = await connectors(...words, '--url', url);
    assert.equal(code, 2, words.join(' '));
    assert.equal(stdout, '');
    assert.match(stderr, /WORKER_NOT_RUNNING: No worker answers at http:\/\/127\.0\.0\.1:\d+: connect ECONNREFUSED[\s\S]*millrace worker/);
  }
  const proxy = createServer((request, response) => {
    if (request.url?.startsWith('/ok') === true) response.end('<html>Welcome</html>');
    else if (request.url?.startsWith('/gone') === true) response.writeHead(502).end('<html>Bad Gateway</html>');
    else request.socket.destroy();
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  try {
    const address = proxy.address();
    const base = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
    assert.match((await connectors('list', '--url', `${base}/ok/`)).stderr, /is no REST API of Kafka Connect/);
    assert.match((await connectors('list', '--url', `${base}/gone`)).stderr, /answered GET \/connectors\S* with 502/);
    assert.match((await connectors('list', '--url', base)).stderr, /WORKER_NOT_RUNNING: .*(?:hang up|ECONNRESET)/);
    for (const wrong of ['nonsense', 'ftp://x', 'file:///etc']) {
      assert.match((await connectors('list', '--url', wrong)).stderr, /CONFIG_INVALID/);
    }
  } finally {
    proxy.close();
  }
});
