/**
 * Stores that OpenSSL 3.0 and the keytool of OpenJDK 17 wrote, all of the same key and certificate, password "geheim":
 *
 *   openssl3.p12, openssl1.p12, rc2.p12   openssl pkcs12 -export; -certpbe PBE-SHA1-3DES -keypbe PBE-SHA1-3DES; -legacy
 *   key.jks, keytool.p12                  keytool -importkeystore -srckeystore openssl3.p12
 *   trust.jks, trust.p12                  keytool -importcert
 */
import assert from 'node:assert/strict';
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isMillraceError } from '../errors.ts';
import { readKeyStore } from './key-store.ts';

const stores: Readonly<Record<string, string>> = JSON.parse(readFileSync(join(import.meta.dirname, 'fixtures/key-stores.json'), 'utf8'));
const bytesOf = (name: string): Buffer => Buffer.from(stores[name] ?? '', 'base64');
const certificate = new X509Certificate(bytesOf('certificate.pem')).fingerprint256;
const key = createPrivateKey(bytesOf('key.pem'));

for (const name of ['openssl3.p12', 'openssl1.p12', 'key.jks', 'keytool.p12']) {
  test(`${name} gives its key and certificate`, () => {
    const { certificates, keys } = readKeyStore(bytesOf(name), { password: 'geheim' });
    assert.deepEqual(
      certificates.map((pem) => new X509Certificate(pem).fingerprint256),
      [certificate],
    );
    assert.deepEqual(
      keys.map((pem) => createPrivateKey(pem).equals(key)),
      [true],
    );
  });

  test(`${name} with a wrong password is refused as such`, () => {
    assert.throws(
      () => readKeyStore(bytesOf(name), { password: 'falsch' }),
      (error: unknown) => isMillraceError(error, 'CONFIG_INVALID') && /password/.test(error.message),
    );
  });

  test(`${name} cut anywhere is refused, not misread`, () => {
    const bytes = bytesOf(name);
    for (let size = 16; size < bytes.length; size += 37) {
      assert.throws(
        () => readKeyStore(bytes.subarray(0, size), { password: 'geheim' }),
        (error: unknown) => isMillraceError(error),
        String(size),
      );
    }
  });
}

for (const name of ['trust.jks', 'trust.p12', 'certificate.pem']) {
  test(`${name} gives the certificate that it trusts`, () => {
    const { certificates, keys } = readKeyStore(bytesOf(name), { password: 'geheim' });
    assert.deepEqual(
      certificates.map((pem) => new X509Certificate(pem).fingerprint256),
      [certificate],
    );
    assert.deepEqual(keys, []);
  });
}

test('a trust store of JKS needs no password', () => {
  assert.equal(readKeyStore(bytesOf('trust.jks'), { password: '' }).certificates.length, 1);
});

test('an encryption that is too old, and a file of another kind, are refused with the command that repairs it', () => {
  assert.throws(
    () => readKeyStore(bytesOf('rc2.p12'), { password: 'geheim' }),
    (error: unknown) => isMillraceError(error, 'CONFIG_UNSUPPORTED') && /openssl pkcs12 -legacy/.test(error.nextStep),
  );
  assert.throws(
    () => readKeyStore(Buffer.from('hello'), { password: '' }),
    (error: unknown) => isMillraceError(error, 'CONFIG_UNSUPPORTED') && /keytool/.test(error.nextStep),
  );
});
