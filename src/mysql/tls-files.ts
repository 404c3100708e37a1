import { readFileSync } from 'node:fs';
import { MillraceError } from '../base/errors.ts';
import type { Secret } from '../config/secret.ts';
import type { TlsConfig } from './source-config.ts';

export interface TlsFiles {
  readonly keystore: string | undefined;
  readonly keystorePassword: Secret | undefined;
  readonly truststore: string | undefined;
  readonly truststorePassword: Secret | undefined;
}

/**
 * Reads the files that `database.ssl.keystore` and `database.ssl.truststore` name.
 *
 * @throws CONFIG_UNREADABLE, CONFIG_UNSUPPORTED
 */
export function readTlsFiles(files: TlsFiles): Pick<TlsConfig, 'ca' | 'cert' | 'key'> {
  const keystore = readPem('database.ssl.keystore', files.keystore);
  const truststore = readPem('database.ssl.truststore', files.truststore);
  const key = keystore === undefined ? [] : blocks(keystore, /PRIVATE KEY/);
  const cert = keystore === undefined ? [] : blocks(keystore, /CERTIFICATE/);
  const ca = truststore === undefined ? [] : blocks(truststore, /CERTIFICATE/);
  return {
    ...(ca.length === 0 ? {} : { ca: ca.join('\n') }),
    ...(cert.length === 0 ? {} : { cert: cert.join('\n') }),
    ...(key.length === 0 ? {} : { key: key.join('\n') }),
  };
}

function blocks(pem: string, label: RegExp): readonly string[] {
  const all = pem.match(/-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g) ?? [];
  return all.filter((block) => label.test(block.slice(0, block.indexOf('\n'))));
}

function readPem(property: string, file: string | undefined): string | undefined {
  if (file === undefined || file === '') return undefined;
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    throw new MillraceError('CONFIG_UNREADABLE', `The file of ${property} cannot be read: ${file}`, { cause, context: { property, file } });
  }
  if (bytes.includes('-----BEGIN ')) return bytes.toString('latin1');
  const kind = bytes.length > 4 && bytes.readUInt32BE(0) === 0xfeedfeed ? 'JKS' : bytes[0] === 0x30 ? 'PKCS #12' : 'unknown';
  const toPem = `openssl pkcs12 -in ${kind === 'JKS' ? 'store.p12' : file} -nodes -out store.pem`;
  throw new MillraceError('CONFIG_UNSUPPORTED', `The file of ${property} is not PEM but ${kind}: ${file}`, {
    nextStep: `Make a PEM file of it: ${kind === 'JKS' ? `keytool -importkeystore -srckeystore ${file} -destkeystore store.p12 -deststoretype PKCS12 && ${toPem}` : toPem}`,
    context: { property, file },
  });
}
