import { readFileSync } from 'node:fs';
import { MillraceError, isMillraceError } from '../base/errors.ts';
import type { Secret } from '../config/secret.ts';
import { readKeyStore } from '../base/key-store/key-store.ts';
import type { KeyStore } from '../base/key-store/pem.ts';
import type { TlsConfig } from './source-config.ts';

export interface TlsFiles {
  readonly keystore: string | undefined;
  readonly keystorePassword: Secret | undefined;
  readonly truststore: string | undefined;
  readonly truststorePassword: Secret | undefined;
}

/**
 * Reads the files that `database.ssl.keystore` and `database.ssl.truststore` name: PEM, PKCS #12 or JKS.
 *
 * @throws CONFIG_UNREADABLE, CONFIG_INVALID, CONFIG_UNSUPPORTED
 */
export function readTlsFiles(files: TlsFiles): Pick<TlsConfig, 'ca' | 'cert' | 'key'> {
  const own = readStore('database.ssl.keystore', files.keystore, files.keystorePassword);
  const trusted = readStore('database.ssl.truststore', files.truststore, files.truststorePassword);
  return {
    ...join('ca', trusted?.certificates),
    ...join('cert', own?.certificates),
    ...join('key', own?.keys.slice(0, 1)),
  };
}

function join<K extends 'ca' | 'cert' | 'key'>(name: K, texts: readonly string[] | undefined): Partial<Record<K, string>> {
  const none: Partial<Record<K, string>> = {};
  return texts === undefined || texts.length === 0 ? none : { ...none, [name]: texts.join('\n') };
}

function readStore(property: string, file: string | undefined, password: Secret | undefined): KeyStore | undefined {
  if (file === undefined || file === '') return undefined;
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    throw new MillraceError('CONFIG_UNREADABLE', `The file of ${property} cannot be read: ${file}`, { cause, context: { property, file } });
  }
  try {
    const store = readKeyStore(bytes, { password: password?.reveal() ?? '' });
    if (store.certificates.length > 0) return store;
    throw new MillraceError('CONFIG_INVALID', 'it holds no certificate');
  } catch (error) {
    if (!isMillraceError(error)) throw error;
    const { code, cause, nextStep } = error;
    throw new MillraceError(code, `The file of ${property} cannot be used: ${error.message} (${file})`, {
      cause,
      nextStep,
      context: { property, file },
    });
  }
}
