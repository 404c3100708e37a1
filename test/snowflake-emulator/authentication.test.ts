import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, before, test } from 'node:test';
import { connectDriver } from './driver.fixture.ts';
import { openSnowflakeEmulator, type SnowflakeEmulator } from './snowflake-emulator.ts';

const pair = (): { publicKey: string; privateKey: string } =>
  generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
const keys = pair();
let emulator: SnowflakeEmulator;

before(async () => {
  emulator = await openSnowflakeEmulator({
    users: [
      { name: 'KEY_USER', publicKey: keys.publicKey },
      { name: 'PLAIN', password: 'secret', accessTokens: ['pat-1'] },
      { name: 'OAUTH_USER', oauthTokens: ['oauth-1'] },
    ],
  });
});

after(async () => {
  await emulator[Symbol.asyncDispose]();
});

async function user(options: Parameters<typeof connectDriver>[1]): Promise<unknown> {
  await using driver = await connectDriver(emulator, options);
  return await driver.value('SELECT CURRENT_USER()');
}

test('a password', async () => {
  assert.equal(await user({ username: 'plain', password: 'secret' }), 'PLAIN');
  await assert.rejects(user({ username: 'plain', password: 'wrong' }), { code: '390100' });
});

test('a key pair: the signature, the fingerprint and the time are looked at', async () => {
  assert.equal(await user({ username: 'key_user', authenticator: 'SNOWFLAKE_JWT', privateKey: keys.privateKey }), 'KEY_USER');
  await assert.rejects(user({ username: 'key_user', authenticator: 'SNOWFLAKE_JWT', privateKey: pair().privateKey }), { code: '390144' });
  await assert.rejects(user({ username: 'plain', authenticator: 'SNOWFLAKE_JWT', privateKey: keys.privateKey }), { code: '390144' });
});

test('an OAuth token and a programmatic access token', async () => {
  assert.equal(await user({ username: 'OAUTH_USER', authenticator: 'OAUTH', token: 'oauth-1' }), 'OAUTH_USER');
  await assert.rejects(user({ username: 'OAUTH_USER', authenticator: 'OAUTH', token: 'other' }), { code: '390303' });
  assert.equal(await user({ username: 'PLAIN', authenticator: 'PROGRAMMATIC_ACCESS_TOKEN', token: 'pat-1' }), 'PLAIN');
  await assert.rejects(user({ username: 'PLAIN', authenticator: 'PROGRAMMATIC_ACCESS_TOKEN', token: 'pat-2' }), { code: '394400' });
});

test('a token that is revoked is refused at the next login, and the session goes on', async () => {
  await using driver = await connectDriver(emulator, { username: 'OAUTH_USER', authenticator: 'OAUTH', token: 'oauth-1' });
  emulator.revokeToken('oauth-1');
  await assert.rejects(user({ username: 'OAUTH_USER', authenticator: 'OAUTH', token: 'oauth-1' }), { code: '390318' });
  assert.equal(await driver.value('SELECT CURRENT_USER()'), 'OAUTH_USER');
});

test('an expired session token is renewed in silence, with the session and its transaction; an expired master token ends it', async () => {
  await using driver = await connectDriver(emulator, { username: 'plain', password: 'secret' });
  const session = await driver.value('SELECT CURRENT_SESSION()');
  await driver.run('BEGIN');
  await driver.run('CREATE TEMPORARY TABLE mine (a NUMBER(1,0))');
  emulator.expireTokens('session');
  assert.equal(await driver.value('SELECT CURRENT_SESSION()'), session);
  assert.equal(await driver.value('SELECT COUNT(*) FROM mine'), '0');
  emulator.expireTokens('session');
  emulator.expireTokens('master');
  await assert.rejects(driver.value('SELECT 1'));
});
