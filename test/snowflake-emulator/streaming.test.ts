import assert from 'node:assert/strict';
import { createHash, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { after, before, test } from 'node:test';
import { connectDriver, type Driver } from './driver.fixture.ts';
import { openSnowflakeEmulator, type SnowflakeEmulator } from './snowflake-emulator.ts';

const keys = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});
let emulator: SnowflakeEmulator;
let driver: Driver;
let host: string;
let scoped: string;

/** A token as the documentation wants it, with seconds. */
function jwt(): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const der = createPublicKey(keys.publicKey).export({ type: 'spki', format: 'der' });
  const fingerprint = `SHA256:${createHash('sha256').update(der).digest('base64')}`;
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: `EMULATOR.STREAMER.${fingerprint}`, sub: 'EMULATOR.STREAMER', iat: now, exp: now + 600 };
  const signed = `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}`;
  return `${signed}.${sign('RSA-SHA256', Buffer.from(signed), keys.privateKey).toString('base64url')}`;
}

interface Answer {
  readonly code?: string;
  readonly next_continuation_token: string;
  readonly channel_status: Status;
  readonly channel_statuses: Readonly<Record<string, Status>>;
}

interface Status {
  readonly last_committed_offset_token: string | null;
  readonly rows_inserted: number;
  readonly rows_error_count: number;
}

async function call(
  method: string,
  path: string,
  body?: string | Uint8Array<ArrayBuffer>,
  token = scoped,
): Promise<{ status: number; answer: Answer }> {
  const response = await fetch(`http://${host}/v2/streaming${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { body }),
  });
  return { status: response.status, answer: (await response.json()) as Answer };
}

const pipe = '/databases/MILLRACE/schemas/PUBLIC/pipes/LANDING-STREAMING';

before(async () => {
  emulator = await openSnowflakeEmulator({
    users: [
      { name: 'MILLRACE', password: 'secret' },
      { name: 'STREAMER', publicKey: keys.publicKey },
    ],
    streamingCommitMs: 50,
  });
  driver = await connectDriver(emulator);
  await driver.run('CREATE TABLE landing (id NUMBER(10,0) NOT NULL, record_content VARIANT, ts TIMESTAMP_NTZ(3))');
  const bearer = { authorization: `Bearer ${jwt()}`, accept: 'application/json', 'x-snowflake-authorization-token-type': 'KEYPAIR_JWT' };
  const found = (await (await fetch(`${emulator.url}/v2/streaming/hostname`, { headers: bearer })).json()) as { hostname: string };
  host = found.hostname;
  const body = new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', scope: host });
  scoped = ((await (await fetch(`${emulator.url}/oauth/token`, { method: 'POST', headers: bearer, body })).json()) as { token: string })
    .token;
});

after(async () => {
  await driver[Symbol.asyncDispose]();
  await emulator[Symbol.asyncDispose]();
});

async function committed(channel: string, offset: string): Promise<Status | undefined> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const { answer } = await call('POST', `${pipe}:bulk-channel-status`, JSON.stringify({ channel_names: [channel] }));
    const status = answer.channel_statuses[channel];
    if (status?.last_committed_offset_token === offset) return status;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return undefined;
}

test('rows are accepted one after the other, and are in the table when their offset is committed', async () => {
  const opened = (await call('PUT', `${pipe}/channels/one`, '{}')).answer;
  assert.equal(opened.channel_status.last_committed_offset_token, null);
  const rows = (token: string, offset: string, text: string): ReturnType<typeof call> =>
    call('POST', `/data${pipe}/channels/one/rows?continuationToken=${token}&startOffsetToken=${offset}&endOffsetToken=${offset}`, text);
  const first = await rows(
    opened.next_continuation_token,
    '1',
    '{"ID":1,"RECORD_CONTENT":{"b":[1,null]},"TS":"2024-01-01T00:00:00.5"}\n{"id":"2","record_content":null}\n',
  );
  assert.equal(first.status, 200);
  const again = await rows(opened.next_continuation_token, '1', '{"ID":1}');
  assert.deepEqual([again.status, again.answer.code], [400, 'STALE_CONTINUATION_TOKEN_SEQUENCER']);
  await rows(first.answer.next_continuation_token, '2', '{"ID":3}\n{"ID":"x"}\n{"RECORD_CONTENT":1}\n[1]\nnonsense');
  const status = await committed('one', '2');
  assert.deepEqual([status?.rows_inserted, status?.rows_error_count], [3, 4]);
  assert.deepEqual(await driver.rows('SELECT id, TO_JSON(record_content) AS c FROM landing ORDER BY id'), [
    { ID: '1', C: '{"b":[1,null]}' },
    { ID: '2', C: 'null' },
    { ID: '3', C: null },
  ]);
});

test('who opens a channel again fences the one before, and begins at the committed offset', async () => {
  const first = (await call('PUT', `${pipe}/channels/two`, '{}')).answer;
  const append = (token: string, offset: string): ReturnType<typeof call> =>
    call('POST', `/data${pipe}/channels/two/rows?continuationToken=${token}&offsetToken=${offset}`, '{"ID":20}');
  await append(first.next_continuation_token, '7');
  assert.ok(await committed('two', '7'));
  const second = (await call('PUT', `${pipe}/channels/two`, '{}')).answer;
  assert.equal(second.channel_status.last_committed_offset_token, '7');
  assert.equal((await append(first.next_continuation_token.replace(/\d+$/, '1'), '8')).answer.code, 'STALE_CONTINUATION_TOKEN_SEQUENCER');
  assert.equal((await append(second.next_continuation_token, '8')).status, 200);
  assert.ok(await committed('two', '8'));
  assert.equal((await call('DELETE', `${pipe}/channels/two`)).status, 200);
  assert.equal((await call('PUT', `${pipe}/channels/two`, '{}')).answer.channel_status.last_committed_offset_token, null);
});

test('faults, tokens and what is not there', async () => {
  emulator.faults.add({ kind: 'streaming', path: /PUT .*three/, phase: 'beforeExecution', status: 503 });
  assert.equal((await call('PUT', `${pipe}/channels/three`, '{}')).status, 503);
  emulator.faults.add({ kind: 'streaming', path: /PUT .*three/, phase: 'afterExecution' });
  await assert.rejects(call('PUT', `${pipe}/channels/three`, '{}'));
  assert.equal((await call('PUT', pipe.replace('LANDING', 'NOTHING') + '/channels/x', '{}')).status, 404);
  assert.equal((await call('PUT', `${pipe}/channels/x`, '{}', 'wrong')).status, 401);
  emulator.expireTokens('streaming');
  assert.equal((await call('PUT', `${pipe}/channels/x`, '{}')).status, 401);
});
