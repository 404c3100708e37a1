/** Signals over REST and by `millrace signal`, each by itself or as a record of the signal topic. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from '../pipeline/harness.ts';
import { sourceConnector } from '../pipeline/harness.ts';
import { freePort } from '../servers/free-port.ts';
import { freshDatabase, sharedServer, withoutServer } from '../servers/shared.ts';
import { startWorker } from './worker-under-test.ts';

interface Answer {
  readonly code: number;
  readonly text: string;
}

const main = join(import.meta.dirname, '../../src/cli/main.ts');

function millrace(...args: readonly string[]): Promise<Answer> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [main, ...args], { env: { ...process.env, NO_COLOR: '1' } }, (_error, stdout, stderr) => {
      resolve({ code: child.exitCode ?? -1, text: stdout + stderr });
    });
  });
}

test('a source takes signals over REST and by command, through its signal topic, too', { skip: withoutServer('mysql') }, async () => {
  const server = await sharedServer('mysql');
  await using database = await freshDatabase(server);
  await database.root.query('CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1), (2), (3)');
  const url = `http://127.0.0.1:${await freePort()}`;
  await using worker = await startWorker({ properties: { listeners: url } });
  const data = join(worker.folder, 'data');
  const send = async (method: string, path: string, body?: unknown): Promise<Answer> => {
    const init = body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    const response = await fetch(`${url}/connectors${path}`, { method, ...init });
    return { code: response.status, text: await response.text() };
  };
  const { config } = sourceConnector({ server, databases: [database.name] }, { prefix: 'sig' });
  const source = { ...config, 'snapshot.mode': 'no_data', 'signal.enabled.channels': 'kafka' };
  assert.equal((await send('POST', '', { name: 'src', config: source })).code, 201);
  const file = join(worker.folder, 'rows.txt');
  const sink = { 'connector.class': 'FileStreamSink', topics: 'other', file };
  assert.equal((await send('POST', '', { name: 'snk', config: sink })).code, 201);

  const signal = { type: 'execute-snapshot', data: { 'data-collections': [`${database.name}.t`] } };
  const post = (query: string, body: unknown = signal): Promise<Answer> => send('POST', `/src/signals${query}`, body);
  await until('the source runs', async () => (await post('', { type: 'log', data: { message: 'there' } })).code === 202);
  const rows = async (): Promise<number> =>
    (await millrace('tail', `sig.${database.name}.t`, '--data', data)).text.split('"op":"r"').length - 1;

  assert.deepEqual(await post('', { ...signal, id: 'mine' }), { code: 202, text: '{"id":"mine"}' });
  await until('its rows are there', async () => (await rows()) === 3);
  assert.equal((await post('?channel=kafka&key=sig')).code, 202);
  await until('those of the record are there', async () => (await rows()) === 6);
  const command = ['signal', 'src', 'execute-snapshot', JSON.stringify(signal.data), '--data', data];
  assert.equal((await millrace(...command)).code, 0);
  await until('those of the command are there', async () => (await rows()) === 9);
  assert.equal((await millrace(...command, '--channel', 'kafka')).code, 0);
  await until('those of the record of the command are there', async () => (await rows()) === 12);
  const record = JSON.stringify(signal);
  const told = await millrace('tail', 'sig-signal', '--data', data);
  assert.equal(told.text.split(record).length - 1, 2, told.text);

  const refused: readonly (readonly [query: string, body: unknown, text: RegExp])[] = [
    ['?channel=kafka&key=other', signal, /the key \\"sig\\" alone/],
    ['?channel=kafka', { ...signal, key: 'other' }, /stands in the address/],
    ['?channel=jmx', signal, /channel api or kafka, not \\"jmx\\"/],
    ['', {}, /\\"type\\"/],
    ['', { type: 7 }, /\\"type\\"/],
    ['', { type: 'log', id: 7 }, /\\"id\\"/],
    ['', [signal], /\\"type\\"/],
  ];
  for (const [query, body, text] of refused) {
    const answer = await post(query, body);
    assert.equal(answer.code, 400, answer.text);
    assert.match(answer.text, text);
  }
  assert.equal((await send('POST', '/snk/signals', signal)).code, 409);
  assert.equal((await send('POST', '/none/signals', signal)).code, 404);
  const wrongKey = await millrace(...command, '--channel', 'kafka', '--key', 'other');
  assert.notEqual(wrongKey.code, 0);
  assert.match(wrongKey.text, /the key "sig" alone/);
  assert.match((await millrace(...command, '--key', 'sig')).text, /--key is of --channel kafka/);
  await send('PUT', '/src/pause');
  await until('a paused one takes none', async () => (await post('')).code === 409);
});
