import { readFileSync } from 'node:fs';
import type { ServerOptions } from 'node:https';
import type { SecureVersion } from 'node:tls';
import { MillraceError } from '../base/errors.ts';

type Properties = Readonly<Record<string, string>>;

/**
 * Keys and certificates of https listeners. Those with the prefix (`listeners.https.`, `admin.listeners.https.`) count if
 * there is one of them, else those without. Source: Kafka Connect's RestServerConfig, Kafka's SslConfigs.
 *
 * @throws CONFIG_INVALID, CONFIG_UNSUPPORTED, CONFIG_UNREADABLE
 */
export function readTlsSettings(properties: Properties, prefix: string): ServerOptions {
  const hasOwn = Object.keys(properties).some((name) => name.startsWith(`${prefix}ssl.`));
  const given = (name: string): string | undefined => properties[hasOwn ? prefix + name : name];
  const nameOf = (name: string): string => (hasOwn ? prefix + name : name);
  return {
    ...keysOf(given, nameOf),
    ...trustOf(given, nameOf),
    ...versionsOf(given('ssl.enabled.protocols'), nameOf),
    ...(given('ssl.cipher.suites') === undefined
      ? {}
      : {
          ciphers: given('ssl.cipher.suites')
            ?.split(',')
            .map((each) => each.trim())
            .join(':'),
        }),
    ...clientAuthOf(given('ssl.client.auth'), nameOf),
  };
}

type Given = (name: string) => string | undefined;

function keysOf(given: Given, nameOf: (name: string) => string): ServerOptions {
  const password = given('ssl.key.password') ?? given('ssl.keystore.password');
  const passphrase = password === undefined ? {} : { passphrase: password };
  const [key, chain] = [given('ssl.keystore.key'), given('ssl.keystore.certificate.chain')];
  if (key !== undefined && chain !== undefined) return { key, cert: chain, ...passphrase };
  const file = given('ssl.keystore.location');
  if (file === undefined) {
    throw new MillraceError('CONFIG_INVALID', `An https listener needs ${nameOf('ssl.keystore.location')}.`, {
      nextStep: 'Name a PKCS12 file with its password, or a PEM file of key and certificates with ssl.keystore.type=PEM.',
    });
  }
  const bytes = readFile(file);
  switch (storeType(given('ssl.keystore.type'), bytes)) {
    case 'PEM':
      return { key: bytes, cert: bytes, ...passphrase };
    case 'PKCS12':
      return { pfx: bytes, ...(given('ssl.keystore.password') === undefined ? {} : { passphrase: given('ssl.keystore.password') }) };
    default:
      throw unsupportedStore(nameOf('ssl.keystore.type'), file);
  }
}

function trustOf(given: Given, nameOf: (name: string) => string): ServerOptions {
  const certificates = given('ssl.truststore.certificates');
  if (certificates !== undefined) return { ca: certificates };
  const file = given('ssl.truststore.location');
  if (file === undefined) return {};
  const bytes = readFile(file);
  if (storeType(given('ssl.truststore.type'), bytes) === 'PEM') return { ca: bytes };
  throw unsupportedStore(nameOf('ssl.truststore.type'), file);
}

/** What the file is says more than what it is said to be: a PKCS12 file named as JKS is read by Java, too. */
function storeType(said: string | undefined, bytes: Buffer): string {
  if (bytes.includes('-----BEGIN ')) return 'PEM';
  // A DER sequence.
  if (bytes[0] === 0x30) return 'PKCS12';
  return (said ?? 'JKS').toUpperCase();
}

function versionsOf(protocols: string | undefined, nameOf: (name: string) => string): ServerOptions {
  if (protocols === undefined) return { minVersion: 'TLSv1.2' };
  const known: Readonly<Record<string, SecureVersion>> = { 'TLSv1.2': 'TLSv1.2', 'TLSv1.3': 'TLSv1.3' };
  const versions = protocols.split(',').map((each) => known[each.trim()]);
  const sorted = versions.filter((each) => each !== undefined).toSorted();
  const [minVersion, maxVersion] = [sorted[0], sorted.at(-1)];
  if (minVersion === undefined || maxVersion === undefined || sorted.length < versions.length) {
    throw new MillraceError('CONFIG_INVALID', `${nameOf('ssl.enabled.protocols')} is "${protocols}", and can have TLSv1.2 and TLSv1.3.`);
  }
  return { minVersion, maxVersion };
}

function clientAuthOf(mode: string | undefined, nameOf: (name: string) => string): ServerOptions {
  switch (mode?.toLowerCase()) {
    case undefined:
    case '':
    case 'none':
      return {};
    case 'requested':
      return { requestCert: true, rejectUnauthorized: false };
    case 'required':
      return { requestCert: true, rejectUnauthorized: true };
    default:
      throw new MillraceError('CONFIG_INVALID', `${nameOf('ssl.client.auth')} is "${mode}", and can be required, requested, none.`);
  }
}

function unsupportedStore(property: string, file: string): MillraceError {
  return new MillraceError('CONFIG_UNSUPPORTED', `${property}: ${file} is no PEM or PKCS12 file that can be read here.`, {
    nextStep: 'Convert it: keytool -importkeystore -deststoretype PKCS12, or openssl pkcs12 -nokeys for trusted certificates.',
  });
}

function readFile(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new MillraceError('CONFIG_UNREADABLE', `The file ${file} cannot be read.`, { cause });
  }
}
