import { readFileSync } from 'node:fs';
import type { ServerOptions } from 'node:https';
import { createSecureContext } from 'node:tls';
import type { SecureVersion } from 'node:tls';
import { isMillraceError, messageOf, MillraceError } from '../base/errors.ts';
import { readKeyStore } from '../base/key-store/key-store.ts';
import type { StorePasswords } from '../base/key-store/key-store.ts';
import type { KeyStore } from '../base/key-store/pem.ts';

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
  const settings: ServerOptions = {
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
  try {
    createSecureContext(settings);
  } catch (cause) {
    throw new MillraceError('CONFIG_INVALID', `The TLS settings ${nameOf('ssl.*')} cannot be used: ${messageOf(cause)}.`, {
      cause,
      nextStep: `Look at ${nameOf('ssl.key.password')}, whether key and certificate belong together, and the names of ssl.cipher.suites.`,
    });
  }
  return settings;
}

type Given = (name: string) => string | undefined;

function keysOf(given: Given, nameOf: (name: string) => string): ServerOptions {
  const storePassword = given('ssl.keystore.password') ?? '';
  const keyPassword = given('ssl.key.password') ?? storePassword;
  const passphrase = keyPassword === '' ? {} : { passphrase: keyPassword };
  const [key, chain] = [given('ssl.keystore.key'), given('ssl.keystore.certificate.chain')];
  if (key !== undefined && chain !== undefined) return { key, cert: chain, ...passphrase };
  const property = nameOf('ssl.keystore.location');
  const file = given('ssl.keystore.location');
  if (file === undefined) {
    throw new MillraceError('CONFIG_INVALID', `An https listener needs ${property}.`, {
      nextStep: 'Name a PKCS12 or JKS file with its password, or a PEM file of key and certificates.',
    });
  }
  const { keys, certificates } = readStore(property, file, { password: storePassword, keyPassword });
  const [first] = keys;
  if (first === undefined || certificates.length === 0) {
    throw new MillraceError('CONFIG_INVALID', `${property}: ${file} holds no key with its certificates.`, {
      nextStep: 'Name the store of the server; trusted certificates belong into ssl.truststore.location.',
    });
  }
  return { key: first, cert: certificates.join('\n'), ...passphrase };
}

function trustOf(given: Given, nameOf: (name: string) => string): ServerOptions {
  const certificates = given('ssl.truststore.certificates');
  if (certificates !== undefined) return { ca: certificates };
  const file = given('ssl.truststore.location');
  if (file === undefined) return {};
  const password = given('ssl.truststore.password') ?? '';
  return { ca: [...readStore(nameOf('ssl.truststore.location'), file, { password }).certificates] };
}

/** PEM, PKCS12 or JKS, whatever `ssl.keystore.type` says: Java reads a PKCS12 file that is named as JKS, too. */
function readStore(property: string, file: string, passwords: StorePasswords): KeyStore {
  try {
    return readKeyStore(readFile(file), passwords);
  } catch (error) {
    if (!isMillraceError(error)) throw error;
    const { code, cause, message, nextStep } = error;
    throw new MillraceError(code, `${property}: ${file} cannot be used: ${message}.`, { cause, nextStep });
  }
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

function readFile(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new MillraceError('CONFIG_UNREADABLE', `The file ${file} cannot be read.`, { cause });
  }
}
