/** Listeners with TLS, with names and passwords, on addresses of their own. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import type { RequestOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ask } from './replay-scenario.ts';
import { freePort } from '../servers/free-port.ts';
import { startWorker } from './worker-under-test.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-secured-'));
const file = (name: string): string => join(folder, name);

before(() => {
  const openssl = (...words: readonly string[]): void => void execFileSync('openssl', words, { cwd: folder, stdio: 'pipe' });
  const make = (name: string): void =>
    openssl(
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '2',
      '-subj',
      `/CN=${name}`,
      '-addext',
      'subjectAltName=IP:127.0.0.1',
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.crt`,
    );
  make('server');
  make('client');
  openssl('pkcs12', '-export', '-inkey', 'server.key', '-in', 'server.crt', '-passout', 'pass:secret', '-out', 'server.p12');
  writeFileSync(file('server.pem'), readFileSync(file('server.key'), 'utf8') + readFileSync(file('server.crt'), 'utf8'));
  writeFileSync(file('credentials.properties'), 'clerk=word\n');
  writeFileSync(
    file('jaas.conf'),
    `// comment\nOther { x required; };\nKafkaConnect {\n  org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule required\n  file="${file('credentials.properties')}";\n};\n`,
  );
});

after(() => rmSync(folder, { recursive: true, force: true }));

/** The status over TLS; the error's code when there is none. */
function status(port: number, options: RequestOptions = {}): Promise<number | string> {
  return new Promise((resolve) => {
    const asked = request(
      { host: '127.0.0.1', port, path: '/', ca: readFileSync(file('server.crt')), agent: false, ...options },
      (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      },
    );
    asked.on('error', (error) => resolve('code' in error ? String(error.code) : error.message));
    asked.end();
  });
}

test('an https listener with a PKCS12 store beside a plain one, as Connect configures them', async () => {
  const [plain, secure] = [await freePort(), await freePort()];
  await using _worker = await startWorker({
    properties: {
      listeners: `http://127.0.0.1:${plain},https://127.0.0.1:${secure}`,
      'listeners.https.ssl.keystore.location': file('server.p12'),
      'listeners.https.ssl.keystore.type': 'PKCS12',
      'listeners.https.ssl.keystore.password': 'secret',
    },
  });
  assert.equal(await status(secure), 200);
  assert.equal((await ask(`127.0.0.1:${plain}`, { method: 'GET', path: '/', headers: {} })).status, 200);
  assert.equal(await status(secure, { ca: readFileSync(file('client.crt')) }), 'DEPTH_ZERO_SELF_SIGNED_CERT');
});

test('a listener that asks for certificates takes those that it trusts alone, from PEM files without prefix', async () => {
  const port = await freePort();
  await using _worker = await startWorker({
    properties: {
      listeners: `https://127.0.0.1:${port}`,
      'ssl.keystore.location': file('server.pem'),
      'ssl.keystore.type': 'PEM',
      'ssl.truststore.location': file('client.crt'),
      'ssl.truststore.type': 'PEM',
      'ssl.client.auth': 'required',
      'ssl.enabled.protocols': 'TLSv1.2',
    },
  });
  const own = { cert: readFileSync(file('client.crt')), key: readFileSync(file('client.key')) };
  assert.equal(await status(port, own), 200);
  assert.notEqual(await status(port), 200);
  assert.notEqual(await status(port, { ...own, minVersion: 'TLSv1.3' }), 200);
});

test('key and trust stores of Java are taken as they are', async () => {
  const stores: Readonly<Record<string, string>> = JSON.parse(
    readFileSync(join(import.meta.dirname, '../../src/base/key-store/fixtures/key-stores.json'), 'utf8'),
  );
  for (const name of ['key.jks', 'trust.jks', 'certificate.pem', 'key.pem']) {
    writeFileSync(file(name), Buffer.from(stores[name] ?? '', 'base64'));
  }
  const port = await freePort();
  const properties = {
    listeners: `https://127.0.0.1:${port}`,
    'ssl.keystore.location': file('key.jks'),
    'ssl.keystore.type': 'JKS',
    'ssl.keystore.password': 'geheim',
    'ssl.key.password': 'geheim',
    'ssl.truststore.location': file('trust.jks'),
    'ssl.truststore.password': 'geheim',
    'ssl.client.auth': 'required',
  };
  await using _worker = await startWorker({ properties });
  const pair = { cert: readFileSync(file('certificate.pem')), key: readFileSync(file('key.pem')) };
  // Another name is in the certificate.
  const trusting = { ca: readFileSync(file('certificate.pem')), checkServerIdentity: () => undefined };
  assert.equal(await status(port, { ...trusting, ...pair }), 200);
  assert.notEqual(await status(port, trusting), 200);
  await assert.rejects(
    startWorker({ properties: { ...properties, 'ssl.keystore.password': 'falsch' } }),
    /ssl\.keystore\.location: \S+ cannot be used: its password is wrong/,
  );
  await assert.rejects(
    startWorker({ properties: { ...properties, 'ssl.keystore.location': file('trust.jks') } }),
    /holds no key with its certificates/,
  );
});

test('a PEM file may have an encrypted key; a wrong password for it is said', async () => {
  const port = await freePort();
  const key = createPrivateKey(readFileSync(file('server.key'))).export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: 'sesame',
  });
  writeFileSync(file('sealed.pem'), `${String(key)}${readFileSync(file('server.crt'), 'utf8')}`);
  const properties = { listeners: `https://127.0.0.1:${port}`, 'ssl.keystore.location': file('sealed.pem'), 'ssl.key.password': 'sesame' };
  {
    await using _worker = await startWorker({ properties });
    assert.equal(await status(port), 200);
  }
  await assert.rejects(
    startWorker({ properties: { ...properties, 'ssl.key.password': 'wrong' } }),
    /CONFIG_INVALID: The TLS settings ssl\.\* cannot be used: .*ssl\.key\.password/s,
  );
});

test('the extension of Connect asks for names and passwords, of the file that the JAAS file names', async () => {
  const [port, admin] = [await freePort(), await freePort()];
  await using worker = await startWorker({
    properties: {
      listeners: `http://127.0.0.1:${port}`,
      'admin.listeners': `http://127.0.0.1:${admin}`,
      'rest.extension.classes': 'org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension',
    },
    env: { KAFKA_OPTS: `-Xmx1G -Djava.security.auth.login.config=${file('jaas.conf')}` },
  });
  const authorization = (text: string): Readonly<Record<string, string>> => ({
    authorization: `Basic ${Buffer.from(text).toString('base64')}`,
  });
  const get = (path: string, headers = {}, on = port): ReturnType<typeof ask> => ask(`127.0.0.1:${on}`, { method: 'GET', path, headers });
  const refused = await get('/connectors');
  assert.equal(refused.status, 401);
  assert.equal(refused.headers['www-authenticate'], 'Basic');
  assert.deepEqual(refused.json, { error_code: 401, message: 'User cannot access the resource.' });
  assert.equal((await get('/connectors', authorization('clerk:word'))).status, 200);
  for (const wrong of ['clerk:wrong', 'clerk:', 'clerk', ':', 'other:word', 'clerk:word ']) {
    assert.equal((await get('/connectors', authorization(wrong))).status, 401, wrong);
  }
  for (const path of ['/', '/metrics', '/nothing/here', '/health']) assert.equal((await get(path)).status, 401, path);
  assert.equal((await get('/admin/loggers', {}, admin)).status, 401);
  assert.equal((await get('/admin/loggers', authorization('clerk:word'), admin)).status, 200);
  assert.ok(!worker.said().includes('word'), 'no password is told');
});

test('settings that cannot be kept end the worker before it listens', async () => {
  const listeners = `https://127.0.0.1:${await freePort()}`;
  const extension = 'org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension';
  await assert.rejects(startWorker({ properties: { listeners } }), /ssl\.keystore\.location/);
  await assert.rejects(startWorker({ properties: { 'rest.extension.classes': 'com.example.Mine' } }), /CONFIG_UNSUPPORTED/);
  await assert.rejects(
    startWorker({ properties: { 'rest.extension.classes': extension }, env: { KAFKA_OPTS: '' } }),
    /millrace\.rest\.users\.file/,
  );
});
