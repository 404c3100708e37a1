import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { inspect } from 'node:util';
import { test } from 'node:test';
import { connectionOptions, readAccount } from './login.ts';
import { readSnowflakeConfig } from './sink-config.ts';

const usual = {
  'connector.class': 'io.millrace.SnowflakeSinkConnector',
  topics: 'shop.db.t',
  'snowflake.url.name': 'myorg-acc.snowflakecomputing.com',
  'snowflake.user.name': 'U',
  'snowflake.database.name': 'd',
};
const read = (more: Readonly<Record<string, string>>) => readSnowflakeConfig({ name: 's', config: { ...usual, ...more } }).config;
const connect = (more: Readonly<Record<string, string>>) => connectionOptions(read(more).login, { connector: 's', database: 'D' });

test('the address of an account may have a scheme and a port', () => {
  assert.deepEqual(readAccount('myorg-acc.snowflakecomputing.com'), {
    name: 'myorg-acc',
    url: 'https://myorg-acc.snowflakecomputing.com:443',
  });
  assert.deepEqual(readAccount('https://acc.eu-1.snowflakecomputing.com:443'), {
    name: 'acc.eu-1',
    url: 'https://acc.eu-1.snowflakecomputing.com:443',
  });
  assert.deepEqual(readAccount('http://127.0.0.1:8080').url, 'http://127.0.0.1:8080');
  assert.throws(() => readAccount('not an address'), { code: 'CONFIG_INVALID' });
});

test('a private key is read with and without its lines, and with a passphrase', async () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  const encrypted = privateKey.export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'open' }).toString();
  const body = (text: string): string => text.replaceAll(/-----[^-]+-----|\s/g, '');
  for (const more of [
    { 'snowflake.private.key': pem },
    { 'snowflake.private.key': body(pem) },
    { 'snowflake.private.key': encrypted, 'snowflake.private.key.passphrase': 'open' },
    { 'snowflake.private.key': body(encrypted), 'snowflake.private.key.passphrase': 'open' },
  ]) {
    const { authenticator, privateKey: given } = await connect(more);
    assert.deepEqual([authenticator, given], ['SNOWFLAKE_JWT', pem]);
  }
  const wrong = { 'snowflake.private.key': encrypted, 'snowflake.private.key.passphrase': 'not it' };
  await assert.rejects(connect(wrong), (error) => !inspect(error).includes('not it'));
});

test('each way to log in says what it lacks, and shows no secret', async () => {
  assert.throws(() => read({}), /snowflake\.private\.key/);
  assert.throws(() => read({ 'snowflake.authenticator': 'snowflake' }), /snowflake\.password is missing/);
  assert.throws(() => read({ 'snowflake.authenticator': 'oauth' }), /snowflake\.token, or snowflake\.oauth\.client\.id/);
  const password = read({ 'snowflake.authenticator': 'snowflake', 'snowflake.password': 'hush' });
  assert.ok(!inspect(password, { depth: 9 }).includes('hush') && !JSON.stringify(password).includes('hush'));
  const token = await connect({ 'snowflake.authenticator': 'programmatic_access_token', 'snowflake.token': 't', 'jvm.proxy.host': 'p' });
  assert.deepEqual(
    [token.authenticator, token.token, token.proxyHost, token.proxyPort, token.username],
    ['PROGRAMMATIC_ACCESS_TOKEN', 't', 'p', 80, 'U'],
  );
});

test('tables go to a schema of their database, to one schema, or where the format says', () => {
  const password = { 'snowflake.authenticator': 'snowflake', 'snowflake.password': 'x' };
  const place = (more: Readonly<Record<string, string>>) =>
    read({ ...password, ...more }).naming('shop', { database: 'db', table: 'Orders' });
  assert.deepEqual(place({}), { schema: 'DB', table: 'ORDERS' });
  assert.deepEqual(place({ 'snowflake.schema.name': 'public' }), { schema: 'PUBLIC', table: 'ORDERS' });
  assert.deepEqual(place({ 'snowflake.identifier.case': 'preserve' }), { schema: 'db', table: 'Orders' });
  assert.deepEqual(place({ 'snowflake.schema.name': 'x', 'replica.name.format': '${prefix}.${database}_${table}' }), {
    schema: 'SHOP',
    table: 'DB_ORDERS',
  });
});
